"""CPU per delivery: a hub with 1,000 subscribers of one sku, against a ready frame sent to 1,000 sockets in a loop."""

import asyncio
import secrets
import time

import httpx

from tests.bench.audience import Audience
from tests.bench.ratio import Row
from tests.bench.server import BareServer, cpu_s
from tests.bench.shop import LOCATION, Shop

SUBSCRIBERS = 1000
MESSAGES = 1000
FRAME_BYTES = 240
"""About the size of a level message with ids of ordinary length."""
DEADLINE_S = 120.0


async def fan_out(shop: Shop, rounds: int) -> list[Row]:
    row = Row(
        "fan-out, CPU per delivery",
        "us",
        "lower",
        f"hub process, {SUBSCRIBERS} subscribers of one sku, one change in flight, idle share taken out",
        "one process, one send() of a ready frame per socket",
    )
    for _ in range(rounds):
        row.ours.append(await _ours(shop))
        row.bare.append(await asyncio.to_thread(_bare))
    return [row]


async def _ours(shop: Shop) -> float:
    sku = f"fan-{secrets.token_hex(4)}"
    await shop.stock_up(sku, 10 * MESSAGES)
    host, port = shop.stream_address
    audience = Audience(host, port)
    try:
        await asyncio.to_thread(audience.connect_stream, SUBSCRIBERS, shop.key, LOCATION, sku)
        async with shop.http() as http:
            await _sell(shop, http, audience, sku, 50)
            started, before = time.monotonic(), cpu_s(shop.hub_pid)
            await _sell(shop, http, audience, sku, MESSAGES)
            used, elapsed = cpu_s(shop.hub_pid) - before, time.monotonic() - started
        idle = await _idle_cpu(shop, elapsed)
    finally:
        audience.close()
    return (used - idle) / (MESSAGES * SUBSCRIBERS) * 1e6


async def _sell(shop: Shop, http: httpx.AsyncClient, audience: Audience, sku: str, times: int) -> None:
    for _ in range(times):
        arrived = asyncio.create_task(asyncio.to_thread(audience.await_deliveries, SUBSCRIBERS, DEADLINE_S))
        await shop.sell(http, sku)
        await arrived


async def _idle_cpu(shop: Shop, seconds: float) -> float:
    """What the hub uses in as long a time without a change: heartbeats from the ledgers, keepalive pings."""
    before = cpu_s(shop.hub_pid)
    await asyncio.sleep(min(seconds, 3.0))
    return (cpu_s(shop.hub_pid) - before) * seconds / min(seconds, 3.0)


def _bare() -> float:
    with BareServer("tests.bench.bare_loop", FRAME_BYTES) as server:
        audience = Audience("127.0.0.1", server.port)
        try:
            audience.connect_bare(SUBSCRIBERS)
            _tell(server, audience, 50)
            before = cpu_s(server.pid)
            _tell(server, audience, MESSAGES)
            return (cpu_s(server.pid) - before) / (MESSAGES * SUBSCRIBERS) * 1e6
        finally:
            audience.close()


def _tell(server: BareServer, audience: Audience, times: int) -> None:
    for _ in range(times):
        server.stdin.write(b"\n")
        server.stdin.flush()
        audience.await_deliveries(SUBSCRIBERS, DEADLINE_S)
