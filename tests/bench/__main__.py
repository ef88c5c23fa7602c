"""``python -m tests.bench [--rounds N] [--row NAME] [--json FILE]``: every row is a ratio measured in this one run."""

import argparse
import asyncio
import json
import os
import platform
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

from tests.bench.bulk import bulk
from tests.bench.cold import cold
from tests.bench.doors import at_once, idle, turned_away
from tests.bench.expand import expand
from tests.bench.fan_out import fan_out
from tests.bench.hot_sku import hot_sku
from tests.bench.hot_sku_http import hot_sku_http
from tests.bench.latency import latency
from tests.bench.limits import limits
from tests.bench.lone_sale import lone_sale
from tests.bench.many_skus import many_skus
from tests.bench.racing import racing
from tests.bench.ratio import Row
from tests.bench.shop import Shop, open_shop
from tests.bench.sold_out import sold_out

ROWS: dict[str, Callable[[Shop, int], Awaitable[list[Row]]]] = {
    "fan-out": fan_out,
    "hot-sku": hot_sku,
    "hot-sku-http": hot_sku_http,
    "many-skus": many_skus,
    "sold-out": sold_out,
    "lone-sale": lone_sale,
    "racing": racing,
    "bulk": bulk,
    "latency": latency,
    "limits": limits,
    "at-once": at_once,
    "turned-away": turned_away,
    "idle": idle,
    "cold": cold,
    "expand": expand,
}
LONG = ("expand",)
"""Only when they are named: each takes a quarter of an hour."""

FILE_COLUMNS, NAME_COLUMNS = 180, 36
"""Of the table where no terminal says how wide it is, and of the names in it."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench ARGS=", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each side, in turns (default 5)")
    parser.add_argument("--row", choices=ROWS, action="append", help="only this row; may be given again")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    options = parser.parse_args()
    console = Console()
    if not console.is_terminal:
        console.width = FILE_COLUMNS
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        rows = runner.run(measure(options.row or [name for name in ROWS if name not in LONG], options.rounds, console))
    console.print(table(rows))
    console.print(f"{platform.python_version()} on {os.cpu_count()} cores, {options.rounds} rounds, medians")
    if options.json:
        options.json.write_text(json.dumps([row.as_json() for row in rows], indent=2) + "\n")


async def measure(names: list[str], rounds: int, console: Console) -> list[Row]:
    rows: list[Row] = []
    async with open_shop() as shop:
        for name in names:
            console.print(f"measuring {name} ...")
            rows.extend(await ROWS[name](shop, rounds))
    return rows


def table(rows: list[Row]) -> Table:
    table = Table(title="ours / bare, measured in one run")
    table.add_column("row", min_width=NAME_COLUMNS)
    for heading in ("ratio", "target", "rounds", "ours", "bare", "better", "notes"):
        table.add_column(heading)
    for row in rows:
        low, high = row.spread
        table.add_row(
            row.name,
            f"{row.ratio:.2f}",
            _target(row),
            f"{low:.2f} to {high:.2f}",
            f"{sorted(row.ours)[len(row.ours) // 2]:,.2f} {row.unit}",
            f"{sorted(row.bare)[len(row.bare) // 2]:,.2f} {row.unit}",
            row.better,
            ", ".join(f"{name}: {note}" for name, note in row.notes.items()),
        )
    return table


def _target(row: Row) -> str:
    if row.target is None:
        return ""
    return f"{row.target:.3g} {'met' if row.met else 'missed'}"


if __name__ == "__main__":
    main()
