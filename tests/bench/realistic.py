"""How stale screens are while much is sold: thousands of clients that watch some skus each, against one alone.

Changes are published on the broker as a ledger would, with its heartbeats, and no ledger commits them: on two cores
that would leave nothing to the hub. The clients are one program in C (c/watchers.c).
"""

import asyncio
import itertools
import json
import random
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import msgspec
from redis.asyncio import Redis

from tests.bench.hubs import address_of, own_hub
from tests.bench.many_skus import SKUS, stock
from tests.bench.native import HOW, built, has_compiler
from tests.bench.ratio import Row
from tests.bench.shop import LOCATION, Shop
from tests.harness.processes import ServerProcess
from wire.channels import shard_channel
from wire.messages import Batch, Event
from wire.shards import shard_of

CLIENTS, WATCHED = 2_000, 20
SECONDS = 6.0
STEP_S = 0.005
"""Changes of so long are one batch, as a ledger's writer takes together what came meanwhile."""
BEAT_S = 0.25
SETTLED_S = 2.0
"""A hub that has just begun reads the log once more, of which the ledger knows nothing that is changed here."""
BOUND_MS = 100.0
DEADLINE_S = 60.0


async def realistic(shop: Shop, rounds: int) -> list[Row]:
    p99 = Row(
        "realistic, p99 staleness",
        "ms",
        "lower",
        f"from a change on the broker until a client has it or a later one: {CLIENTS:,} clients, {WATCHED} of {SKUS:,}"
        " skus each, changes by Zipf",
        "the same with one client",
        target=3.0,
    )
    longest = Row(
        "realistic, longest staleness", "ms", "lower", p99.ours_is, f"{BOUND_MS:.0f} ms, the bound", target=1.0
    )
    if not has_compiler():
        p99.missing = longest.missing = HOW
        return [p99, longest]
    for _ in range(rounds):
        prefix = await shop.once("realistic", lambda: _stocked(shop))
        everybody, alone = await _measured(shop, prefix, CLIENTS), await _measured(shop, prefix, 1)
        p99.ours.append(everybody["p99_ms"])
        p99.bare.append(alone["p99_ms"])
        longest.ours.append(everybody["longest_ms"])
        longest.bare.append(BOUND_MS)
        p99.notes["changes/s"] = f"{shop.changes_per_s:,}, deliveries/s {everybody['delivered'] / SECONDS:,.0f}"
        p99.notes["conflated"] = f"{1 - everybody['delivered'] / everybody['changes']:.0%}"
        longest.notes["alone"] = f"{alone['longest_ms']:.1f} ms"
    return [p99, longest]


async def _stocked(shop: Shop) -> str:
    prefix = f"real-{secrets.token_hex(4)}-"
    async with shop.http() as http:
        await stock(http, [f"{prefix}{number:06}" for number in range(SKUS)], 10**6)
    return prefix


async def _measured(shop: Shop, prefix: str, clients: int) -> dict[str, float]:
    """What the clients say when all changes have come to all of them."""
    async with (
        publishing(shop, prefix) as publisher,
        own_hub(shop, STOCKWIRE_CHANNEL_PREFIX=publisher.channels) as hub,
        _watching(hub, shop.key, prefix, clients) as watchers,
    ):
        await asyncio.sleep(SETTLED_S)
        await publisher.change(watchers, shop.changes_per_s, SECONDS)
        return await _all_shown(watchers)


@asynccontextmanager
async def _watching(
    hub: ServerProcess, key: str, prefix: str, clients: int
) -> AsyncIterator[asyncio.subprocess.Process]:
    arguments = (address_of(hub)[1], key, LOCATION, prefix, SKUS, clients, WATCHED)
    watchers = await asyncio.create_subprocess_exec(
        str(built("watchers")), *map(str, arguments), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert await _line(watchers) == b"ready\n"
        yield watchers
    finally:
        assert watchers.stdin is not None
        watchers.stdin.close()  # at which it ends; while this pipe is open, waiting for it may not
        async with asyncio.timeout(DEADLINE_S):
            await watchers.wait()


async def _all_shown(watchers: asyncio.subprocess.Process) -> dict[str, float]:
    assert watchers.stdin is not None
    async with asyncio.timeout(DEADLINE_S):
        while True:
            watchers.stdin.write(b"report\n")
            told: dict[str, float] = json.loads(await _line(watchers))
            if not told["behind"]:
                return told
            await asyncio.sleep(0.1)


async def _line(watchers: asyncio.subprocess.Process) -> bytes:
    assert watchers.stdout is not None
    async with asyncio.timeout(DEADLINE_S):
        return await watchers.stdout.readline()


class Publisher:
    """Takes a ledger's place on channels of its own: the heads of all shards as the ledger has them, then changes."""

    def __init__(self, redis: Redis, epoch: str, heads: list[int], prefix: str) -> None:
        self.channels = f"realistic-{secrets.token_hex(4)}"
        self._redis = redis
        self._epoch = epoch
        self._heads = heads
        self._shard = shard_of(LOCATION, len(heads))
        self._prefix = prefix
        self.ended = False
        self._versions = [1] * SKUS
        self._turn = asyncio.Lock()
        """A heartbeat that overtakes a batch, or tells of none that is there, makes a hub ask the ledger."""

    async def beat(self) -> None:
        """Until ``ended``, which is looked at once a beat."""
        while not self.ended:
            async with self._turn:
                for shard, head in enumerate(self._heads):
                    await self._publish(Batch(self._epoch, shard, head=head))
            await asyncio.sleep(BEAT_S)

    async def change(self, watchers: asyncio.subprocess.Process, per_s: int, seconds: float) -> None:
        """Changes in batches, at set times: a batch that was late is made up for by a larger one."""
        assert watchers.stdin is not None
        watchers.stdin.transport.set_write_buffer_limits(0)
        drawn, done, started = _drawn(), 0, time.monotonic()
        while (elapsed := time.monotonic() - started) < seconds:
            skus = list(itertools.islice(drawn, int(elapsed * per_s) - done))
            done += len(skus)
            if skus:
                events = self.events(skus)
                at_us = time.time_ns() // 1000
                for sku, event in zip(skus, events, strict=True):
                    watchers.stdin.write(b"change %d %d %d\n" % (sku, event.version, at_us))
                await watchers.stdin.drain()  # a change whose instant is not known yet would count as stale for ever
                await self.send(events)
            await asyncio.sleep(STEP_S)

    def events(self, skus: list[int]) -> list[Event]:
        """The next changes, of these; not sent yet."""
        return [self._event(sku, number) for number, sku in enumerate(skus, self._heads[self._shard] + 1)]

    async def send(self, events: list[Event]) -> None:
        async with self._turn:
            await self._publish(Batch(self._epoch, self._shard, events[0].seq, events))
            self._heads[self._shard] = events[-1].seq

    def _event(self, sku: int, seq: int) -> Event:
        self._versions[sku] += 1
        version = self._versions[sku]
        left = 10**6 - version
        name, at = f"{self._prefix}{sku:06}", f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        operation = "d93d7284-29be-7474-db8b-7af4603b1194"
        return Event(
            *(self._shard, seq, name, LOCATION, version, "sale", -1, 0, left, 0, left, operation, "till", None, None),
            *(None, at, 1),
        )

    async def _publish(self, batch: Batch) -> None:
        await self._redis.publish(shard_channel(self.channels, batch.shard), msgspec.json.encode(batch))


def _drawn() -> Iterator[int]:
    """Numbers of skus without end, the n-th as often as 1/n; the same in each run."""
    chance, weights = random.Random(1), [1 / rank for rank in range(1, SKUS + 1)]
    while True:
        yield from chance.choices(range(SKUS), weights, k=10_000)


@asynccontextmanager
async def publishing(shop: Shop, prefix: str) -> AsyncIterator[Publisher]:
    async with shop.http() as http, Redis.from_url(shop.system.redis_url) as redis:
        told = (await http.get("/v1/shards")).raise_for_status().json()
        heads = [shard["head"] for shard in told["shards"]]
        publisher = Publisher(redis, told["epoch"], heads, prefix)
        beating = asyncio.create_task(publisher.beat())
        try:
            yield publisher
        finally:
            publisher.ended = True
            await beating
