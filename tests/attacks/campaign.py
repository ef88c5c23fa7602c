"""One attack after the other on a running system, and what each met, cost in memory and did to the bystanders."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass

import psutil

from tests.attacks.attack import Attack, Met, Target
from tests.attacks.bystanders import LOCATION, Bystanders, open_bystanders
from tests.attacks.striker import Striker, open_striker
from tests.harness.stream import open_stream
from tests.harness.system import ProcessSystem
from tests.hub.shop import Shop

ORIGIN = "https://shop.example"
OWN = "attic"
READS_PER_S = 200
"""Less than the default, so that any machine that attacks can send more."""
VISITORS_MAX, VISITORS_PER_ADDRESS_MAX = 500, 100
"""Fewer than a fifth of those that come."""
SAMPLE_S = 0.1
AFTER_S = 0.5
HALF, NEARLY_ALL = 0.5, 0.99


@dataclass(frozen=True, slots=True)
class Row:
    """Ratios to just before the attack: the largest memory of a process during and after it, latencies during it."""

    attack: Attack
    met: Met
    memory_during: float
    memory_after: float
    p50: float
    p99: float
    refused: int


async def start(system: ProcessSystem, reads_per_s: int = READS_PER_S) -> None:
    """One ledger and two hubs, which take so many reads of one owner."""
    await system.start_ledger(STOCKWIRE_ALLOWED_ORIGINS=ORIGIN)
    for _ in range(2):
        await system.start_hub(
            STOCKWIRE_ALLOWED_ORIGINS=ORIGIN,
            STOCKWIRE_HUB_RATE_PER_S=reads_per_s,
            STOCKWIRE_HUB_PUBLIC_LOCATIONS=LOCATION,
            STOCKWIRE_HUB_VISITORS=1,
            STOCKWIRE_HUB_VISITORS_MAX=VISITORS_MAX,
            STOCKWIRE_HUB_VISITORS_PER_ADDRESS_MAX=VISITORS_PER_ADDRESS_MAX,
        )


async def run(
    system: ProcessSystem, attacks: Iterable[Attack], full: float, before_s: float, told: Callable[[Row], None]
) -> list[Row]:
    """Raises AssertionError when a bystander does not get every event."""
    rows = []
    async with open_bystanders(system) as bystanders, open_striker() as striker:
        target = await _target(system, full)
        for attack in attacks:
            rows.append(await _strike(system, bystanders, striker, attack, target, before_s))
            told(rows[-1])
    return rows


def table(rows: Iterable[Row]) -> str:
    lines = [
        "| Attack | What it met | Memory during | after | Latency p50 | p99 |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for row in rows:
        met = ", ".join(f"{name} ({count:,})" for name, count in sorted(row.met.items(), key=lambda one: -one[1]))
        figures = " | ".join(f"{ratio:.2f}" for ratio in (row.memory_during, row.memory_after, row.p50, row.p99))
        lines.append(f"| {row.attack.title} | {met} | {figures} |")
    return "\n".join(lines)


async def _strike(
    system: ProcessSystem, bystanders: Bystanders, striker: Striker, attack: Attack, target: Target, before_s: float
) -> Row:
    memory, refused = Memory(system), bystanders.refused
    begun = time.monotonic()
    await asyncio.sleep(before_s)  # what is measured is time
    await bystanders.changed_since(begun)
    before = memory.now()
    struck = time.monotonic()
    met, peak = await memory.peak_during(striker.strike(attack, target))
    ended = time.monotonic()
    await bystanders.everything_arrived()
    await asyncio.sleep(AFTER_S)
    await bystanders.changed_since(struck)
    after = memory.now()

    def ratio(share: float) -> float:
        return bystanders.latency_s(share, struck, max(ended, struck + AFTER_S)) / bystanders.latency_s(
            share, begun, struck
        )

    return Row(
        attack,
        met,
        max(peak[pid] / before[pid] for pid in before),
        max(after[pid] / before[pid] for pid in before),
        ratio(HALF),
        ratio(NEARLY_ALL),
        bystanders.refused - refused,
    )


class Memory:
    """Resident bytes of each ledger and hub, by pid."""

    def __init__(self, system: ProcessSystem) -> None:
        self._processes = [psutil.Process(one.pid) for one in (*system.ledgers, *system.hubs)]

    def now(self) -> dict[int, int]:
        return {one.pid: one.memory_info().rss for one in self._processes}

    async def peak_during(self, work: Coroutine[None, None, Met]) -> tuple[Met, dict[int, int]]:
        working, peak = asyncio.ensure_future(work), self.now()
        while not working.done():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(working), SAMPLE_S)
            peak = {pid: max(peak[pid], bytes_) for pid, bytes_ in self.now().items()}
        return working.result(), peak


async def _target(system: ProcessSystem, full: float) -> Target:
    await Shop(system).open(OWN, "S0", on_hand=5)
    own, read = f"stock:read:{OWN}", f"stock:read:{LOCATION}"
    theirs = await system.key("another", read)
    async with open_stream(system.stream_urls[0], theirs) as stream:
        _, snapshot = await stream.subscribe(LOCATION)
    return Target(
        system.stream_urls,
        [hub.url for hub in system.hubs],
        system.ledger_url,
        await system.key("attacker", own),
        OWN,
        LOCATION,
        theirs.split("_")[1],
        await system.key("greedy", own),
        snapshot["position"],
        await system.key("to be revoked", own),
        await system.admin_key(),
        full,
        ORIGIN,
    )
