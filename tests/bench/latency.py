"""From the till's request to another client's screen, against one commit and one pub/sub hop by hand."""

import asyncio
import secrets
import time

import asyncpg
import orjson
from redis.asyncio import Redis

from tests.bench.callers import content_length
from tests.bench.hot_sku_http import sale_requests
from tests.bench.ratio import Row, percentile
from tests.bench.shop import LOCATION, Shop
from tests.harness.stream import open_stream

SALES = 1_000
"""Of each side in a round: ten of them are slower than the p99."""
PERCENTILES = {"p50": 0.5, "p99": 0.99}


async def latency(shop: Shop, rounds: int) -> list[Row]:
    rows = {
        name: Row(
            f"commit to client, {name}",
            "ms",
            "lower",
            "POST sent -> level received on a hub's WebSocket, one sale in flight",
            "insert committed in PostgreSQL, published and received on Valkey, by hand, one in flight",
            target=4.0,
        )
        for name in PERCENTILES
    }
    for _ in range(rounds):
        ours, bare = await _ours(shop), await _bare(shop)
        for name, share in PERCENTILES.items():
            rows[name].ours.append(percentile(ours, share))
            rows[name].bare.append(percentile(bare, share))
    return list(rows.values())


async def _ours(shop: Shop) -> list[float]:
    sku = f"late-{secrets.token_hex(4)}"
    await shop.stock_up(sku, 10 * SALES)
    took = []
    next_request = sale_requests(shop.key, sku)
    reader, writer = await asyncio.open_connection("127.0.0.1", shop.ledger_port)
    async with open_stream(shop.stream_url, shop.key) as stream:
        await stream.subscribe(LOCATION, [sku])
        for _ in range(SALES):
            started = time.perf_counter()
            writer.write(next_request())
            await stream.expect("level", sku=sku)
            took.append((time.perf_counter() - started) * 1000)
            await sold(reader)
    writer.close()
    await writer.wait_closed()
    return took


async def sold(reader: asyncio.StreamReader) -> None:
    """Reads the answer to a sale."""
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 201"), head
    await reader.readexactly(content_length(head))


async def _bare(shop: Shop) -> list[float]:
    connection = await asyncpg.connect(shop.system.database_url)
    redis = Redis.from_url(shop.system.redis_url, protocol=2)
    channel = f"bench-{secrets.token_hex(4)}"
    took = []
    try:
        await connection.execute("create table if not exists bare_event (id bigserial primary key, body jsonb)")
        async with redis, redis.pubsub() as pubsub:
            await pubsub.subscribe(channel)
            await pubsub.get_message(timeout=5)
            for number in range(SALES):
                started = time.perf_counter()
                body = orjson.dumps({"sku": "A", "location": LOCATION, "version": number}).decode()
                await connection.execute("insert into bare_event (body) values ($1)", body)
                await redis.publish(channel, body)
                while await pubsub.get_message(ignore_subscribe_messages=True, timeout=5) is None:
                    pass
                took.append((time.perf_counter() - started) * 1000)
    finally:
        await connection.close()
    return took
