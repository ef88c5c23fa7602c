"""``python -m tests.bench``: every row is a ratio measured in this one run; docs/benchmarks.md says how."""

import argparse
import asyncio
import statistics
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

from tests.bench.machine import machine, versions
from tests.bench.pages import aim, between, pages_of, shown
from tests.bench.results import Result, Results, Run, encoded, merged, read, result_of
from tests.bench.rows import LONG, ONLY_NOW, ROWS
from tests.bench.shop import CHANGES_PER_S, open_shops
from tests.bench.tree import tree_of
from tests.bench.turns import Side, in_turns, joined, rows_of
from tests.harness.release_tree import Release, this_release
from tests.harness.releases import head, version_before

FILE_COLUMNS, NAME_COLUMNS = 200, 36
"""Of the table where no terminal says how wide it is, and of the names in it."""


def main() -> int:
    options = parser().parse_args()
    console = Console()
    if not console.is_terminal:
        console.width = FILE_COLUMNS
    names = options.row or [name for name in ROWS if name not in LONG]
    start = f"{datetime.now(UTC):%Y-%m-%dT%H:%MZ}"
    rounds = (options.rounds, options.rounds if options.before_rounds is None else options.before_rounds)
    sides: dict[str, list[Side]] = {}
    described: dict[str, str] = {}
    ended = True
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if options.rounds:
            with trees(options.before) as releases:
                try:
                    runner.run(measure(releases, names, rounds, options.changes_per_s, sides, described))
                except Exception:  # noqa: BLE001  # what was measured until then is not lost
                    traceback.print_exc()
                    ended = False
        found = runner.run(results_of(sides, start))
    before = f"{options.before} ({rounds[1]} rounds of it)" if options.before else ""
    run = Run(head(), before, options.rounds, machine(), described)
    runs = {start: run} if options.rounds else {}
    console.print(table([row for row in found if row.bench in sides]))
    console.print(f"{', '.join(f'{name} {value}' for name, value in (run.machine | described).items())}")
    if options.json:
        options.json.write_text(encoded(Results(runs, [row for row in found if row.bench in sides])))
    if options.write:
        for path, text in pages_of(merged(read(), found, runs)).items():
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return report_failures(sides) if ended else 1


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench ARGS=", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each side, in turns (default 5)")
    parser.add_argument("--row", choices=ROWS, action="append", help="only this row; may be given again")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    parser.add_argument(
        "--before",
        nargs="?",
        const=version_before(),
        help="measure an earlier tree in turns with this one: a release (default: the last), a commit or a folder",
    )
    parser.add_argument("--before-rounds", type=int, help="of the earlier tree, spread over all (default: as many)")
    parser.add_argument(
        "--write",
        action="store_true",
        help="write results.json, and what the pages show of it; with --rounds 0 only that",
    )
    parser.add_argument(
        "--changes-per-s", type=int, default=CHANGES_PER_S, help=f"of the row realistic (default {CHANGES_PER_S})"
    )
    return parser


@contextmanager
def trees(before: str | None) -> Iterator[list[Release]]:
    if before is None:
        yield [this_release()]
        return
    with tree_of(before) as earlier:
        yield [this_release(), earlier]


async def measure(
    releases: Sequence[Release],
    names: Sequence[str],
    rounds: tuple[int, int],
    changes_per_s: int,
    sides: dict[str, list[Side]],
    described: dict[str, str],
) -> None:
    """Fills ``sides`` row by row, so that nothing is lost with what fails later. ``rounds``: now, and of what was."""
    async with open_shops(releases, changes_per_s) as shops:
        described |= await versions(shops[0])
        for name in names:
            print(f"measuring {name} ...", flush=True)
            turns = shops[:1] if name in ONLY_NOW else shops
            sides[name] = await in_turns(ROWS[name], turns, *rounds)
            took = ", ".join(f"{statistics.mean(side.seconds):.0f} s" for side in sides[name] if side.seconds)
            figures = ", ".join(f"{row.ratio:.3g}" for row in sides[name][0].rows if row.measured)
            print(f"    {figures}; a round took {took}", flush=True)


async def results_of(sides: dict[str, list[Side]], start: str) -> list[Result]:
    """Of all rows that the bench has; those that were not measured now have no figures."""
    return [
        result_of(row, name, start)
        for name, bench in ROWS.items()
        for row in (joined(sides[name]) if name in sides else await rows_of(bench))
    ]


def report_failures(sides: dict[str, list[Side]]) -> int:
    failures = [f"{name}: {played[0].failure}" for name, played in sides.items() if played[0].failure]
    for failure in failures:
        print(f"FAILED {failure}", file=sys.stderr)
    return 1 if failures else 0


def table(rows: list[Result]) -> Table:
    table = Table(title="ours / reference, measured in one run")
    table.add_column("row", min_width=NAME_COLUMNS)
    for heading in ("ratio", "target", "rounds", "ours", "reference", "before", "notes"):
        table.add_column(heading)
    for row in rows:
        if row.ratio is None or row.spread is None or row.value is None or row.reference is None:
            table.add_row(row.name, "", aim(row), "", "", "", "", row.missing)
            continue
        table.add_row(
            row.name,
            shown(row.ratio),
            aim(row).replace("*", ""),
            between(row.spread),
            f"{shown(row.value)} {row.unit}",
            f"{shown(row.reference)} {row.unit}",
            f"{shown(row.before.ratio)} ({between(row.before.spread)})" if row.before else "",
            ", ".join(f"{name}: {note}" for name, note in row.notes.items()),
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
