"""From the ledger's publisher to the hub's listener, through the broker, one message in flight; against redis-py."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable

import orjson
from redis.asyncio import Redis

from ledger.feed.publisher import Publisher
from server.broker.subscription import Subscription
from tests.bench.ratio import Row, percentile
from tests.bench.shop import LOCATION, Shop
from wire.channels import shard_channel

MESSAGES = 2_000
EVENT = {
    "shard": 0,
    "seq": 1,
    "sku": "A",
    "location": LOCATION,
    "version": 1,
    "kind": "sale",
    "on_hand_delta": -1,
    "reserved_delta": 0,
    "on_hand": 1,
    "reserved": 0,
    "available": 1,
    "operation": "5b9f2a34-0c1e-4d5f-8a6b-7c8d9e0f1a2b",
    "actor": "seller",
    "reason": None,
    "reference": None,
    "occurred_at": None,
    "committed_at": "2026-01-01T00:00:00.000000Z",
    "view_version": 1,
}

Leg = Callable[[], Awaitable[None]]
"""Publishes a message and waits until it is there."""


class Heard:
    """A hub's listener. ``wait`` for a subscription or a message, whichever is next."""

    def __init__(self) -> None:
        self._next: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def wait(self) -> None:
        async with asyncio.timeout(5):
            await self._next
        self._next = asyncio.get_running_loop().create_future()

    def subscribed(self) -> None:
        self._next.set_result(None)

    def message(self, _channel: str, _data: bytes) -> None:
        self._next.set_result(None)

    def unsubscribed(self) -> None:
        """At the end."""


async def broker_leg(shop: Shop, rounds: int) -> list[Row]:
    row = Row(
        "broker leg, p50",
        "ms",
        "lower",
        "from the ledger's publisher to the hub's listener, both in this process, one message in flight",
        "the same with redis-py's client and its pub/sub",
        target=0.15 / 0.34,
    )
    for _ in range(rounds):
        prefix = f"leg-{secrets.token_hex(4)}"
        row.ours.append(await _ours(shop.system.redis_url, prefix, row.notes))
        row.bare.append(await _redis_py(shop.system.redis_url, shard_channel(prefix, 0), row.notes))
    return [row]


async def _ours(url: str, prefix: str, notes: dict[str, str]) -> float:
    publisher, heard = Publisher(url, prefix), Heard()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(publisher.run())
        listening = tasks.create_task(Subscription(url, [shard_channel(prefix, 0)], heard, "nothing").run())
        await heard.wait()

        async def leg() -> None:
            publisher.publish("epoch", 0, "bench", [EVENT])
            await heard.wait()

        took_ms = await _median_ms(leg, "ours", notes)
        publisher.stop()
        listening.cancel()
    return took_ms


async def _redis_py(url: str, channel: str, notes: dict[str, str]) -> float:
    heard = Heard()
    async with Redis.from_url(url, protocol=2) as redis, redis.pubsub() as pubsub, asyncio.TaskGroup() as tasks:
        await pubsub.subscribe(channel)

        async def listen() -> None:
            while True:
                message = await pubsub.get_message(timeout=2)
                assert message is not None
                heard.message(channel, message["data"])

        listening = tasks.create_task(listen())
        await heard.wait()

        async def leg() -> None:
            message = orjson.dumps({"epoch": "epoch", "shard": 0, "first": 1, "events": [EVENT]})
            pipeline = redis.pipeline(transaction=False)
            pipeline.publish(channel, message)
            await pipeline.execute()
            await heard.wait()

        took_ms = await _median_ms(leg, "redis-py", notes)
        listening.cancel()
    return took_ms


async def _median_ms(leg: Leg, name: str, notes: dict[str, str]) -> float:
    took = []
    before = time.process_time()
    for _ in range(MESSAGES):
        started = time.perf_counter()
        await leg()
        took.append((time.perf_counter() - started) * 1_000)
    notes[f"CPU of {name} in the last round"] = f"{(time.process_time() - before) / MESSAGES * 1e6:.0f} us"
    return percentile(took, 0.5)
