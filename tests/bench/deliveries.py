"""CPU of a server for each message that it delivers to a crowd of subscribers, one burst in flight: hubs and others."""

import asyncio
import secrets
import tempfile
import time
from pathlib import Path

import httpx

from tests.bench.audience import SNAPSHOT_DONE, Audience, stream_opening
from tests.bench.hubs import address_of, own_hub
from tests.bench.many_skus import stock
from tests.bench.peer import Peer
from tests.bench.server import cpu_s, cpu_with_children_s
from tests.bench.shop import LOCATION, Shop
from tests.harness.processes import ServerProcess

SUBSCRIBERS = 1_000
MESSAGE_BYTES = 240
"""About the size of a level message with ids of ordinary length."""
WARM_UP = 30
IDLE_S = 2.0
DEADLINE_S = 120.0


async def hub_us(shop: Shop, width: int, bursts: int) -> float:
    """Of a fresh hub: changes of ``width`` skus by one operation, all of which everybody watches."""
    skus = [f"crowd-{secrets.token_hex(4)}-{number}" for number in range(width)]
    async with shop.http() as http, own_hub(shop) as hub:
        await stock(http, skus, 10**6)
        audience = Audience(*address_of(hub))
        try:
            opening = stream_opening(shop.key, LOCATION, skus)
            await asyncio.to_thread(audience.connect, SUBSCRIBERS, "/v1/stream", opening, SNAPSHOT_DONE)
            await _sell(http, audience, skus, WARM_UP)
            started, before = time.monotonic(), cpu_s(hub.pid)
            await _sell(http, audience, skus, bursts)
            used_s, took_s = cpu_s(hub.pid) - before, time.monotonic() - started
            idle_s = await _idle_s(hub, took_s)
        finally:
            audience.close()
    return (used_s - idle_s) / (bursts * width * SUBSCRIBERS) * 1e6


async def _sell(http: httpx.AsyncClient, audience: Audience, skus: list[str], times: int) -> None:
    lines = [{"sku": sku, "location": LOCATION, "quantity": -1, "kind": "sale"} for sku in skus]
    for _ in range(times):
        arrived = asyncio.to_thread(audience.await_deliveries, len(skus) * SUBSCRIBERS, DEADLINE_S)
        arriving = asyncio.create_task(arrived)
        key = {"Idempotency-Key": secrets.token_hex(12)}
        (await http.post("/v1/movements", json={"lines": lines}, headers=key)).raise_for_status()
        await arriving


async def _idle_s(hub: ServerProcess, seconds: float) -> float:
    """What the hub uses in as long a time without a change: heartbeats, keepalive pings."""
    before = cpu_s(hub.pid)
    await asyncio.sleep(IDLE_S)
    return (cpu_s(hub.pid) - before) * seconds / IDLE_S


async def peer_us(peer: Peer, width: int, bursts: int) -> float:
    return await asyncio.to_thread(deliver, peer, SUBSCRIBERS, width, bursts)


def deliver(peer: Peer, subscribers: int, width: int, bursts: int) -> float:
    """Raises TimeoutError if not all that is published comes to all subscribers."""
    with tempfile.TemporaryDirectory(prefix="peer-", dir="/tmp") as folder, peer.running(Path(folder)) as server:
        audience = Audience(*server.stream)
        try:
            audience.connect(subscribers, server.path, server.opening, server.ready)
            before = 0.0
            for number in range(WARM_UP + bursts):
                if number == WARM_UP:
                    before = cpu_with_children_s(server.pid)
                server.send(b"".join(peer.published(topic, message()) for topic in range(width)))
                audience.await_deliveries(width * subscribers, DEADLINE_S)
            return (cpu_with_children_s(server.pid) - before) / (bursts * width * subscribers) * 1e6
        finally:
            audience.close()


def message() -> bytes:
    """JSON of ``MESSAGE_BYTES``, marked as a level, each another."""
    head, end = b'{"type":"level","padding":"', b'"}'
    return head + secrets.token_hex(MESSAGE_BYTES).encode()[: MESSAGE_BYTES - len(head) - len(end)] + end
