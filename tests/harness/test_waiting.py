"""What only has to happen is waited for as long everywhere: a busy machine fails a test with a figure of its own."""

import ast
from collections.abc import Iterator

from tests.harness.processes import ROOT
from tests.harness.waiting import PATIENCE_S

WAITS = {
    *("await_agreement", "closed", "communicate", "expect", "next_event", "ready", "timeout", "wait_for", "wait_until"),
    "was_reset",
}
IMPATIENT_S = 5
"""Above it a figure is meant as patience; up to there it judges, or waits for what must not come."""
PLANTED = """
await wait_until(shown, 20, what="it")
async with asyncio.timeout(10.0): ...
await stream.closed(deadline_s=12)
await stream.ready(0.5)
await wait_until(shown, PATIENCE_S)
await wait_until(lambda: polls(30))
"""


def figures(source: str) -> Iterator[int]:
    """The lines in which something is waited for so many seconds, by a bare number."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and _name(node.func) in WAITS:
            given = [*node.args, *(keyword.value for keyword in node.keywords)]
            if any(isinstance(one, ast.Constant) and _is_long(one.value) for one in given):
                yield node.lineno


def test_patience_has_one_figure() -> None:
    files = [path for path in (ROOT / "tests").rglob("*.py") if "bench" not in path.relative_to(ROOT).parts]
    found = [f"{path.relative_to(ROOT)}:{line}" for path in files for line in figures(path.read_text())]
    assert found == [], "take PATIENCE_S, or name what the figure judges"


def test_a_bare_figure_is_found() -> None:
    assert list(figures(PLANTED)) == [2, 3, 4]
    assert PATIENCE_S > IMPATIENT_S


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _is_long(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > IMPATIENT_S
