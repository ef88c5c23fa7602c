"""What runs of the bench found: docs/benchmarks/results.json, from which everything that the pages show is made.

A row keeps the run that measured it, so that one row may be measured again and says so. Targets are those of the code.
"""

import statistics
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from tests.bench.ratio import Row, reaches
from tests.harness.source import ROOT

RESULTS = ROOT / "docs" / "benchmarks" / "results.json"
DIGITS = 4


class Run(Struct, frozen=True):
    """``before``: what the figures before are of; empty without. ``machine`` and ``versions`` by their names."""

    commit: str
    before: str
    rounds: int
    machine: dict[str, str]
    versions: dict[str, str]


class Figures(Struct, frozen=True):
    """``value`` of ours and ``reference`` are medians of the rounds, ``spread`` the lowest and highest of them."""

    value: float
    reference: float
    ratio: float
    spread: tuple[float, float]


class Result(Struct, frozen=True):
    """One row. ``run``: the start of the run that measured it. ``missing``: why there are no figures."""

    name: str
    value: float | None
    reference: float | None
    ratio: float | None
    target: float | None
    met: bool | None
    spread: tuple[float, float] | None
    before: Figures | None
    bench: str
    unit: str
    better: str
    ours: str
    bare: str
    rounds: int
    run: str
    notes: dict[str, str]
    missing: str

    @property
    def margin(self) -> float | None:
        """How far beyond its target it is: 1 at the target, 2 twice as good, 0.5 half as good."""
        return margin(self.ratio, self.target, self.better)

    @property
    def margin_before(self) -> float | None:
        return margin(self.before.ratio if self.before else None, self.target, self.better)


class Results(Struct, frozen=True):
    runs: dict[str, Run]
    rows: list[Result]


def margin(ratio: float | None, target: float | None, better: str) -> float | None:
    if ratio is None or target is None:
        return None
    return target / ratio if better == "lower" else ratio / target


def result_of(row: Row, bench: str, run: str) -> Result:
    """``bench``: its name in ``--row``."""
    figures = figures_of(row) if row.measured else None
    return Result(
        name=row.name,
        value=figures.value if figures else None,
        reference=figures.reference if figures else None,
        ratio=figures.ratio if figures else None,
        target=row.target if row.target is None else rounded(row.target),
        met=reaches(figures.ratio, row.target, row.better) if figures and row.target is not None else None,
        spread=figures.spread if figures else None,
        before=figures_of(row.before) if row.before and row.before.measured else None,
        bench=bench,
        unit=row.unit,
        better=row.better,
        ours=row.ours_is,
        bare=row.bare_is,
        rounds=len(row.ours),
        run=run if figures else "",
        notes=row.notes,
        missing="" if figures else row.missing,
    )


def figures_of(row: Row) -> Figures:
    low, high = row.spread
    return Figures(
        value=rounded(statistics.median(row.ours)),
        reference=rounded(statistics.median(row.bare)),
        ratio=rounded(row.ratio),
        spread=(rounded(low), rounded(high)),
    )


def rounded(figure: float) -> float:
    return float(f"{figure:.{DIGITS}g}")


def merged(kept: Results, found: Iterable[Result], runs: dict[str, Run]) -> Results:
    """``found`` in its order, each as it was kept if it was not measured now. Rows that the bench has no more go.

    The run with the most rows comes first: pages name the others where their rows stand.
    """
    known = {row.name: row for row in kept.rows}
    rows = [again(known[row.name], row) if row.name in known and row.ratio is None else row for row in found]
    counts = Counter(row.run for row in rows if row.run)
    known_runs = kept.runs | runs
    return Results({start: known_runs[start] for start in sorted(counts, key=lambda one: (-counts[one], one))}, rows)


def again(kept: Result, row: Result) -> Result:
    """The figures of ``kept``, and what the code says of the row now."""
    if kept.ratio is None:
        return row
    return msgspec.structs.replace(
        kept,
        target=row.target,
        met=None if row.target is None else reaches(kept.ratio, row.target, row.better),
        bench=row.bench,
        ours=row.ours,
        bare=row.bare,
    )


def read(path: Path = RESULTS) -> Results:
    if not path.exists():
        return Results({}, [])
    return msgspec.json.decode(path.read_bytes(), type=Results)


def encoded(results: Results) -> str:
    return msgspec.json.format(msgspec.json.encode(results), indent=2).decode() + "\n"
