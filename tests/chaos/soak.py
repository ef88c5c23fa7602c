"""``python -m tests.chaos.soak [--minutes N]``: steady traffic, clients that come and go, and whether anything grows.

Ends with memory, open files and lag of every process over time (``build/soak.svg``) and the slope of each memory after
the first third, which is warming up. Exit status 1 if one grows, if files stay open, or if anything was lost.
"""

import argparse
import asyncio
import random
import shutil
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from cli.launch import Watchdog
from tests.bench.shop import make_folder
from tests.chaos.campaign import Campaign, NotHealed
from tests.chaos.field import open_field
from tests.chaos.lag import Lag
from tests.chaos.plot import Line, plot, write
from tests.chaos.traffic import SKUS, Traffic, traffic
from tests.harness.waiting import PATIENCE_S

PLOT = Path("build/soak.svg")
SAMPLE_S = 2.0
VISITORS = 10
"""Connections that come and go all the time, beside the watchers that stay."""
WARMING = 1 / 3
GROWTH_MAX, GROWTH_BYTES_MIN = 0.10, 8 * 2**20
"""Memory may differ between the second and the last third by so much: allocators keep what they had at their peak."""
FILES_GROWTH_MAX = 8
MIB = 2**20


@dataclass
class Process:
    """Samples, one each SAMPLE_S: seconds since the start, bytes of memory in use (RSS), open files."""

    name: str
    pid: int
    at_s: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)

    def sample(self, now_s: float) -> None:
        process = psutil.Process(self.pid)
        self.at_s.append(now_s)
        self.memory.append(process.memory_info().rss)
        self.files.append(process.num_fds())

    @property
    def warm(self) -> int:
        return int(len(self.at_s) * WARMING)

    @property
    def slope(self) -> float:
        """Bytes per second after warming up, by least squares."""
        at, memory = self.at_s[self.warm :], self.memory[self.warm :]
        middle, mean = sum(at) / len(at), sum(memory) / len(memory)
        spread = sum((one - middle) ** 2 for one in at)
        return sum((one - middle) * (bytes_ - mean) for one, bytes_ in zip(at, memory, strict=True)) / spread

    def growth(self, values: list[int]) -> tuple[float, float]:
        """Means of the second and of the last third."""
        third = len(values) // 3
        return sum(values[third : 2 * third]) / third, sum(values[-third:]) / third

    def complaints(self) -> list[str]:
        before, after = self.growth(self.memory)
        files_before, files_after = self.growth(self.files)
        found = []
        if after - before > max(GROWTH_MAX * before, GROWTH_BYTES_MIN):
            found.append(f"{self.name} grew from {before / MIB:.1f} to {after / MIB:.1f} MiB")
        if files_after - files_before > FILES_GROWTH_MAX:
            found.append(f"{self.name} held {files_before:.0f} open files, then {files_after:.0f}")
        return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="make soak ARGS=", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="how long (default 30)")
    options = parser.parse_args()
    sys.exit(asyncio.run(run(options.minutes, Console(width=110))))


async def run(minutes: float, console: Console) -> int:
    lag, folder, complaints = Lag(), make_folder(), []
    processes: list[Process] = []
    try:
        with Watchdog() as watchdog:
            async with (
                open_field(folder, watchdog, disk_mib=0) as calm,
                traffic(calm, random.Random(0), lag) as running,
            ):
                processes = [Process(one.name, one.pid) for one in (*calm.system.ledgers, *calm.system.hubs)]
                await _steady(running, processes, minutes * 60)
                campaign = Campaign(calm, running, lag, random.Random(0))
                await running.pause()
                console.print(f"{await campaign.check():,} operations checked: nothing lost, nothing doubled")
    except* NotHealed as findings:
        complaints += [str(one) for one in findings.exceptions]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    complaints += [complaint for process in processes for complaint in process.complaints()]
    console.print(table(processes))
    lines = [Line(f"{one.name} MiB", one.at_s, [bytes_ / MIB for bytes_ in one.memory]) for one in processes]
    lines.append(lag.line())
    write(PLOT, plot(lines, f"memory and lag over {minutes:g} minutes"))
    console.print(f"over time: {PLOT}")
    for complaint in complaints:
        console.print(f"[bold red]{complaint}")
    return 1 if complaints else 0


async def _steady(running: Traffic, processes: list[Process], duration_s: float) -> None:
    running.go()
    begun = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        visiting = [tasks.create_task(_visit(running, number)) for number in range(VISITORS)]
        while (now_s := time.monotonic() - begun) < duration_s:
            for process in processes:
                process.sample(now_s)
            await asyncio.sleep(SAMPLE_S)
        for task in visiting:
            task.cancel()


async def _visit(running: Traffic, number: int) -> None:
    """A screen that is opened, shows a snapshot and is closed again, over and over."""
    client = running.clients[number % len(running.clients)]
    while True:
        skus = running.chance.sample(SKUS, 3) if number % 2 else None
        async with AsyncExitStack() as stack:
            subscription = await stack.enter_async_context(client.subscribe("berlin", skus))
            await subscription.ready(PATIENCE_S)
            await asyncio.sleep(running.chance.random())


def table(processes: list[Process]) -> Table:
    table = Table("process", title="memory in use and open files, by process")
    for name in ("at first", "second third", "last third", "slope", "files", "files at the end"):
        table.add_column(name, justify="right")
    for one in processes:
        before, after = one.growth(one.memory)
        table.add_row(
            one.name,
            f"{one.memory[0] / MIB:.1f} MiB",
            f"{before / MIB:.1f} MiB",
            f"{after / MIB:.1f} MiB",
            f"{one.slope * 3_600 / MIB:+.2f} MiB/h",
            f"{one.growth(one.files)[0]:.0f}",
            f"{one.files[-1]}",
        )
    return table


if __name__ == "__main__":
    main()
