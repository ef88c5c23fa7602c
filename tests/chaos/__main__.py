"""``python -m tests.chaos [--minutes N] [--seed S] [--fault NAME]``: everything breaks, again and again, under traffic.

Ends with a table, fault by fault, and a plot of the lag in ``build/chaos.svg``. Exit status 1 at the first finding.
"""

import argparse
import asyncio
import random
import secrets
import shutil
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from cli.launch import Watchdog
from tests.bench.shop import make_folder
from tests.chaos.campaign import Campaign, NotHealed, Row, order
from tests.chaos.faults import DATABASE_KILLED, FAULTS, Toothless
from tests.chaos.field import open_field
from tests.chaos.lag import Lag
from tests.chaos.plot import write
from tests.chaos.traffic import traffic

PLOT = Path("build/chaos.svg")


def main() -> None:
    parser = argparse.ArgumentParser(prog="make chaos ARGS=", description=__doc__)
    parser.add_argument(
        "--minutes", type=float, default=10, help="how long (default 10); each fault comes once at least"
    )
    parser.add_argument("--seed", type=int, default=None, help="order and timing of the faults; printed if not given")
    parser.add_argument("--kills", type=int, default=0, help="instead: kill -9 PostgreSQL so many times")
    parser.add_argument("--fault", action="append", choices=[fault.name for fault in FAULTS], help="only this one")
    options = parser.parse_args()
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    console = Console(width=max(Console().width, 110))
    console.print(f"seed {seed}", highlight=False)
    sys.exit(asyncio.run(run(options.minutes, seed, options.fault or [], options.kills, console)))


async def run(minutes: float, seed: int, names: list[str], kills: int, console: Console) -> int:
    chance, lag = random.Random(seed), Lag()
    faults = [fault for fault in FAULTS if not names or fault.name in names]
    folder = make_folder()
    status, rows = 0, {}
    try:
        with Watchdog() as watchdog:
            async with open_field(folder, watchdog) as under_fire, traffic(under_fire, chance, lag) as running:
                campaign = Campaign(under_fire, running, lag, chance, lambda text: console.print(text, highlight=False))
                rows = campaign.rows
                if kills:
                    await campaign.kill_again_and_again(DATABASE_KILLED, kills)
                    minutes, faults = 0.0, []
                ends_at = time.monotonic() + minutes * 60
                while time.monotonic() < ends_at or len(rows) < len(faults):
                    for fault in order(faults, chance):
                        await campaign.strike(fault)
    except* (NotHealed, Toothless) as findings:
        status = 1
        console.print(f"[bold red]seed {seed}: {findings.exceptions[0]}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    console.print(table(rows.values()))
    write(PLOT, lag.plot(f"from commit to client, seed {seed}"))
    console.print(f"lag over time: {PLOT}")
    return status


def table(rows: Iterable[Row]) -> Table:
    table = Table("fault", title="each struck under traffic of 8 writers and 20 watchers, then everything was checked")
    for name in ("struck", "operations", "refused", "unknown", "longest lag", "longest heal", "lost", "doubled"):
        table.add_column(name, justify="right")
    for row in rows:
        if row.impossible:
            table.add_row(row.fault, "[bold yellow]not run", row.impossible)
            continue
        table.add_row(
            row.fault,
            *(f"{number:,}" for number in (row.struck, row.operations, row.refused, row.unknown)),
            f"{row.longest_lag_s * 1_000:,.0f} ms",
            f"{row.longest_heal_s:.2f} s",
            f"{row.lost}",
            f"{row.doubled}",
        )
    return table


if __name__ == "__main__":
    main()
