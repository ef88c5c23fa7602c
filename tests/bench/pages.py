"""What pages show of the results: tables between marks in docs/benchmarks.md and README.md, and the plot."""

import re
from pathlib import Path

from tests.bench.plot import plot
from tests.bench.results import RESULTS, Result, Results, encoded
from tests.harness.source import ROOT

PAGE, README, PLOT = ROOT / "docs" / "benchmarks.md", ROOT / "README.md", RESULTS.with_suffix(".svg")
BEST = 4
NONE = "-"


def pages_of(results: Results) -> dict[Path, str]:
    """Every file that is made from results, itself too, as it has to be."""
    page = PAGE.read_text(encoding="utf-8")
    for name, body in (("figures", figures(results)), ("rows", meanings(results)), ("runs", runs(results))):
        page = between_marks(page, name, body)
    readme = between_marks(README.read_text(encoding="utf-8"), "best", best(results))
    return {RESULTS: encoded(results), PLOT: plot(results), PAGE: page, README: readme}


def between_marks(text: str, name: str, body: str) -> str:
    """``text`` with ``body`` between its marks of this name. Raises ValueError if it does not have them once."""
    marked = re.compile(rf"(<!-- bench {name} -->\n).*?(<!-- end of bench {name} -->)", re.DOTALL)
    found, count = marked.subn(lambda marks: f"{marks[1]}\n{body}\n{marks[2]}", text)
    if count != 1:
        raise ValueError(f"{count} places for the {name} of the bench")
    return found


def figures(results: Results) -> str:
    lines = ["| What | Ours | Reference | Ratio | Of the rounds | Target | Before |", "|---|---|---|---|---|---|---|"]
    lines += [_line(row, results) for row in results.rows]
    return "\n".join(lines) + "\n"


def _line(row: Result, results: Results) -> str:
    if row.ratio is None or row.value is None or row.reference is None or row.spread is None:
        return f"| {row.name} | not measured{f': {row.missing}' if row.missing else ' yet'} | | | | {aim(row)} | |"
    number = list(results.runs).index(row.run) + 1
    cells = (
        row.name if number == 1 else f"{row.name} (run {number})",
        f"{shown(row.value)} {row.unit}",
        f"{shown(row.reference)} {row.unit}",
        f"**{shown(row.ratio)}**",
        between(row.spread),
        aim(row),
        before(row),
    )
    return f"| {' | '.join(cells)} |"


def before(row: Result) -> str:
    if row.before:
        return f"{shown(row.before.ratio)} ({between(row.before.spread)})"
    return "failed" if row.notes.get("before", "").startswith("failed") else NONE


def aim(row: Result) -> str:
    if row.target is None:
        return NONE
    words = {None: "", True: ", met", False: ", **missed**"}
    return f"{'at most' if row.better == 'lower' else 'at least'} {shown(row.target)}{words[row.met]}"


def meanings(results: Results) -> str:
    lines = ["| Row | What | Ours | Reference | Better |", "|---|---|---|---|---|"]
    lines += [f"| `{row.bench}` | {row.name} | {row.ours} | {row.bare} | {row.better} |" for row in results.rows]
    return "\n".join(lines) + "\n"


def runs(results: Results) -> str:
    lines = []
    for number, (start, run) in enumerate(results.runs.items(), 1):
        known = ", ".join(f"{name} {value}" for name, value in (run.machine | run.versions).items())
        beside = f", beside {run.before}" if run.before else ""
        lines.append(f"{number}. {start}: commit {run.commit}{beside}, {run.rounds} rounds; {known}.")
    noted = [(row.name, "; ".join(f"{name} {note}" for name, note in row.notes.items())) for row in results.rows]
    notes = [f"- {name}: {said}" for name, said in noted if said]
    return "\n".join([*(lines or ["No run yet."]), "", *notes]).rstrip() + "\n"


def best(results: Results) -> str:
    """The four furthest beyond their targets, one of each row of the bench."""
    lines = ["| What | Ours | Against | Ratio | Target |", "|---|---|---|---|---|"]
    lines += [
        f"| {row.name} | {row.ours} | {row.bare} | **{shown(row.ratio or 0)}** | {aim(row)} |"
        for row in best_rows(results.rows)
    ]
    return "\n".join(lines) + "\n"


def best_rows(rows: list[Result]) -> list[Result]:
    furthest: dict[str, Result] = {}
    for row in sorted(rows, key=lambda one: one.margin or 0, reverse=True):
        if row.met:
            furthest.setdefault(row.bench, row)
    return list(furthest.values())[:BEST]


def between(spread: tuple[float, float]) -> str:
    return f"{shown(spread[0])} to {shown(spread[1])}"


def shown(figure: float) -> str:
    """Three digits, and thousands by commas."""
    return f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:.3g}"
