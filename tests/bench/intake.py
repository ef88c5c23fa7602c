"""How fast an intake takes commands from each kind of broker, against its HTTP client that sends the same; and whether
its memory grows with what waits."""

import asyncio
import json
import os
import secrets
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

from followers.intake.process import SCOPES
from followers.intake.settings import WINDOW
from tests.bench.intaking import WARM, done, fill, intake, queue
from tests.bench.many_skus import stock
from tests.bench.ratio import Row
from tests.bench.relay import most_resident
from tests.bench.relaying import KINDS
from tests.bench.server import ROOT, cpu_s
from tests.bench.shop import Shop
from tests.harness.processes import ServerProcess

COMMANDS = int(os.environ.get("INTAKE_COMMANDS", "10000"))
BACKLOG = int(os.environ.get("INTAKE_BACKLOG", "1000000"))
AT_ONCE = {1_000: WINDOW, 1: 1}
"""By how many skus there are: an intake has one command of each under way, and no more than its window."""


class Taken(NamedTuple):
    """Commands a second, and CPU us of each."""

    per_s: float
    cpu_us: float


async def intakes(shop: Shop, rounds: int) -> list[Row]:
    speed = {
        (kind, skus): Row(
            f"intake from {kind}, {_named(skus)}",
            "commands/s",
            "higher",
            f"`stockwire intake`, {COMMANDS:,} sales of {_named(skus)} that wait: all done, and answered at the broker",
            f"the same sent by its HTTP client alone, {at_once} at once" + (" as order allows" if at_once == 1 else ""),
            target=0.7,
        )
        for kind in KINDS
        for skus, at_once in AT_ONCE.items()
    }
    memory = {
        kind: Row(
            f"intake's memory, {kind}",
            "MiB",
            "lower",
            f"most that was resident, {COMMANDS:,} taken of {BACKLOG:,} that waited",
            f"of {COMMANDS:,} that waited",
            target=1.2,
        )
        for kind in KINDS
    }
    for _ in range(rounds):
        for kind in KINDS:
            for skus in AT_ONCE:
                row = speed[kind, skus]
                ours, few = await _taken(shop, kind, skus, COMMANDS)
                bare = await _sent(shop, skus)
                row.ours.append(ours.per_s)
                row.bare.append(bare.per_s)
                row.notes["CPU of the last round"] = f"{ours.cpu_us:.0f} us against {bare.cpu_us:.0f} us"
                if skus > 1:
                    memory[kind].bare.append(few)
                    memory[kind].ours.append((await _taken(shop, kind, skus, BACKLOG))[1])
    return [*speed.values(), *memory.values()]


def _named(skus: int) -> str:
    return "one sku" if skus == 1 else f"{skus:,} skus"


async def _taken(shop: Shop, kind: str, skus: int, waiting: int) -> tuple[Taken, float]:
    """How fast ``COMMANDS`` were taken of those that waited, and MiB."""
    names = await _stocked(shop, skus)
    with queue(kind, shop.system.folder) as (commands, prefix):
        await commands.make()
        await fill(commands, names, waiting)
        async with intake(shop, commands.url, prefix) as process:
            begun, begun_s, begun_cpu_s = await _until(process, int(COMMANDS * WARM))
            all_done, ended_s, ended_cpu_s = await _until(process, COMMANDS)
            many = all_done - begun
            taken = Taken(many / (ended_s - begun_s), (ended_cpu_s - begun_cpu_s) / many * 1e6)
            return taken, most_resident(process.pid)


async def _until(process: ServerProcess, count: int) -> tuple[int, float, float]:
    """How many are done, when, and CPU seconds."""
    return await done(process, count), time.monotonic(), cpu_s(process.pid)


async def _sent(shop: Shop, skus: int) -> Taken:
    asked = {
        "url": shop.system.ledger_url,
        "key": await shop.system.key("intake", *SCOPES),
        "skus": await _stocked(shop, skus),
        "count": COMMANDS,
        "at_once": AT_ONCE[skus],
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.bare_sender"),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    found, _ = await process.communicate(json.dumps(asked).encode())
    assert process.returncode == 0, process.returncode
    used = json.loads(found)
    many = COMMANDS - int(COMMANDS * WARM)
    return Taken(many / used["s"], used["cpu_s"] / many * 1e6)


async def _stocked(shop: Shop, skus: int) -> Sequence[str]:
    """New ones."""
    name = f"taken-{secrets.token_hex(4)}"
    names = [f"{name}-{number}" for number in range(skus)]
    async with shop.http() as http:
        await stock(http, names, 10**6)
    return names
