"""How much processor a relay takes that catches up, to each kind of broker, against reading the same and sending it
nowhere; and whether its memory grows with what it is behind."""

import os
from pathlib import Path

from tests.bench.exporter import SKUS, read, sold
from tests.bench.ratio import Row
from tests.bench.relaying import KINDS, broker, caught_up, fresh_prefix, head, relay
from tests.bench.server import cpu_s
from tests.bench.shop import Shop

EVENTS = max(20 * SKUS, int(os.environ.get("RELAY_EVENTS", "300000"))) // SKUS * SKUS
FEW = 10 * SKUS
TARGETS = {"kafka": 0.5, "nats": 0.4, "rabbitmq": 0.4}


async def relay_catches_up(shop: Shop, rounds: int) -> list[Row]:
    speed = {
        kind: Row(
            f"relay catches up, {kind}",
            "events/CPU s",
            "higher",
            f"`stockwire relay`, {EVENTS:,} events of {SKUS:,} skus in one shard, all at the broker",
            "httpx and orjson read and decode the same pages, and send them nowhere",
            target=TARGETS[kind],
        )
        for kind in KINDS
    }
    memory = {
        kind: Row(
            f"relay's memory, {kind}",
            "MiB",
            "lower",
            f"most that was resident, {EVENTS:,} events behind",
            f"{FEW:,} events behind",
            target=1.2,
        )
        for kind in KINDS
    }
    for _ in range(rounds):
        await shop.once("relay", lambda: sold(shop, EVENTS))
        for kind in KINDS:
            events = await head(shop)
            bare = await read(shop.system.ledger_url, await shop.system.key("reader", "feed"))
            with broker(kind, shop.system.folder) as url:
                prefix = fresh_prefix()
                used_s, most = await _caught_up(shop, url, prefix, events)
                speed[kind].ours.append(events / used_s)
                speed[kind].bare.append(events / bare.cpu_s)
                memory[kind].ours.append(most)
                memory[kind].bare.append(await _few_behind(shop, url, prefix))
    return [*speed.values(), *memory.values()]


async def _few_behind(shop: Shop, url: str, prefix: str) -> float:
    await sold(shop, FEW)
    return (await _caught_up(shop, url, prefix, await head(shop)))[1]


async def _caught_up(shop: Shop, url: str, prefix: str, events: int) -> tuple[float, float]:
    """CPU seconds from when it answers, and MiB."""
    async with relay(shop, url, prefix) as process:
        before_s = cpu_s(process.pid)
        await caught_up(process, events)
        return cpu_s(process.pid) - before_s, most_resident(process.pid)


def most_resident(pid: int) -> float:
    """MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
