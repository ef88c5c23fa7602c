"""The verdict as people and programs read it: a table, a part of locust's HTML report, a JSON file beside it."""

import html
import json
from collections.abc import Sequence
from pathlib import Path

from tests.load.verdict import Fault

_SECTION = (
    '<section style="margin: 24px; font-family: sans-serif"><h2>Verdict</h2>'
    '<pre style="font-size: 14px; white-space: pre-wrap; border-left: 6px solid {colour}; padding-left: 12px">{text}'
    "</pre></section>"
)


def table(title: str, faults: Sequence[Fault]) -> str:
    """One line for each kind of fault, and below it what was found."""
    rows = [f"{fault.name:<12}{fault.count:>8,}   in {fault.of}" for fault in faults]
    samples = [f"  {fault.name}: {sample}" for fault in faults for sample in fault.samples]
    return "\n".join([f"Verdict on {title}", *rows, summary(faults), *samples])


def summary(faults: Sequence[Fault]) -> str:
    found = [f"{fault.name} {fault.count:,}" for fault in faults if fault.count]
    return f"FAILED: {', '.join(found)}" if found else "PASSED: nothing oversold, lost, seen twice, stale or late"


def write_json(path: Path, title: str, faults: Sequence[Fault]) -> None:
    rows = [
        {"fault": fault.name, "count": fault.count, "of": fault.of, "samples": list(fault.samples)} for fault in faults
    ]
    passed = not any(fault.count for fault in faults)
    path.write_text(json.dumps({"run": title, "passed": passed, "faults": rows}, indent=1) + "\n")


def add_to_html(path: Path, text: str, *, passed: bool) -> None:
    """At the top of the page. Does nothing if there is none, or none that is locust's."""
    if not path.exists():
        return
    page = path.read_text(encoding="utf-8")
    section = _SECTION.format(colour="#2e7d32" if passed else "#c62828", text=html.escape(text))
    root = '<div id="root">'
    path.write_text(page.replace(root, section + root, 1), encoding="utf-8")
