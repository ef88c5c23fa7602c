"""CPU per delivery: a hub with many subscribers of one sku, against a ready frame sent to as many sockets in a loop."""

import asyncio
import secrets
import time
from collections.abc import Mapping

import httpx

from tests.bench.audience import Audience
from tests.bench.hubs import address_of, own_hub
from tests.bench.ratio import Row
from tests.bench.server import BareServer, cpu_s
from tests.bench.shop import LOCATION, Shop

AUDIENCES = (1_000, 5_000)
DELIVERIES = 500_000
"""Of each measurement, whatever the audience: CPU is told in ticks of 10 ms."""
WARM_UP = 50
WAVE = 1_000
"""How many connect before the bare server takes them in, which it does with each message: fewer than its backlog."""
FRAME_BYTES = 240
"""About the size of a level message with ids of ordinary length."""
DEADLINE_S = 120.0
PING_S = 600
"""The audience answers no pings, and 5,000 of it take longer to come than a client may keep silent."""


async def fan_out(shop: Shop, rounds: int) -> list[Row]:
    names = ("fan-out, CPU per delivery", f"fan-out to {AUDIENCES[1]:,}, CPU per delivery")
    rows = [_row(name, subscribers) for name, subscribers in zip(names, AUDIENCES, strict=True)]
    for _ in range(rounds):
        for row, subscribers in zip(rows, AUDIENCES, strict=True):
            row.ours.append(await cpu_of_deliveries(shop, subscribers, shop.system.ledger_url, {}))
            row.bare.append(await asyncio.to_thread(_bare, subscribers))
    return rows


def _row(name: str, subscribers: int) -> Row:
    return Row(
        name,
        "us",
        "lower",
        f"hub process, {subscribers:,} subscribers of one sku, one change in flight, idle share taken out",
        "one process, one send() of a ready frame per socket",
        target=1.25,
    )


async def cpu_of_deliveries(shop: Shop, subscribers: int, ledger_url: str, settings: Mapping[str, str]) -> float:
    """CPU us of a hub of its own with these settings. ``ledger_url``: where is sold."""
    sku = f"fan-{secrets.token_hex(4)}"
    messages = DELIVERIES // subscribers
    await shop.stock_up(sku, 10 * messages)
    async with own_hub(shop, STOCKWIRE_HUB_PING_S=PING_S, **settings) as hub:
        audience = Audience(*address_of(hub))
        try:
            await asyncio.to_thread(audience.connect_stream, subscribers, shop.key, LOCATION, sku)
            async with shop.http() as http:
                http.base_url = httpx.URL(ledger_url)
                await _sell(shop, http, audience, sku, WARM_UP, subscribers)
                started, before = time.monotonic(), cpu_s(hub.pid)
                await _sell(shop, http, audience, sku, messages, subscribers)
                used, elapsed = cpu_s(hub.pid) - before, time.monotonic() - started
            idle = await _idle_cpu(hub.pid, elapsed)
        finally:
            audience.close()
    return (used - idle) / DELIVERIES * 1e6


async def _sell(
    shop: Shop, http: httpx.AsyncClient, audience: Audience, sku: str, times: int, subscribers: int
) -> None:
    for _ in range(times):
        arrived = asyncio.create_task(asyncio.to_thread(audience.await_deliveries, subscribers, DEADLINE_S))
        await shop.sell(http, sku)
        await arrived


async def _idle_cpu(pid: int, seconds: float) -> float:
    """What the hub uses in as long a time without a change: heartbeats from the ledgers, keepalive pings."""
    before = cpu_s(pid)
    await asyncio.sleep(min(seconds, 3.0))
    return (cpu_s(pid) - before) * seconds / min(seconds, 3.0)


def _bare(subscribers: int) -> float:
    with BareServer("tests.bench.bare_loop", FRAME_BYTES) as server:
        audience = Audience("127.0.0.1", server.port)
        try:
            for connected in range(WAVE, subscribers + 1, WAVE):
                audience.connect_bare(WAVE)
                _tell(server, audience, 1, connected)
            _tell(server, audience, WARM_UP, subscribers)
            before = cpu_s(server.pid)
            _tell(server, audience, DELIVERIES // subscribers, subscribers)
            return (cpu_s(server.pid) - before) / DELIVERIES * 1e6
        finally:
            audience.close()


def _tell(server: BareServer, audience: Audience, times: int, subscribers: int) -> None:
    for _ in range(times):
        server.stdin.write(b"\n")
        server.stdin.flush()
        audience.await_deliveries(subscribers, DEADLINE_S)
