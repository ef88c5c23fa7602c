"""The two programs of docs/how-to/consume-changes.md beside relays, held to the ledger.

They read Kafka. Of what stands at another broker they are given each message, one after the other, in the end.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import asyncpg
from redis import Redis as BlockingRedis
from redis.asyncio import Redis

from followers.log.ledger import Ledger
from stockwire.streams import CloudEvent, Follower, Step, message_of
from tests.docs.consumers import Consumer, Levels, cached_levels, program_settings, tabled, text_of
from tests.followers.relay.reading import rows_of
from tests.harness.waiting import PATIENCE_S, wait_until

CAUGHT_UP_S = 3 * PATIENCE_S
"""For what was written while they did not run."""
BATCH = 500


@dataclass(slots=True)
class Examples:
    """``consumers``: they run; none where they cannot read. ``database``: what the table is in. ``revived``: how often
    one had ended by itself."""

    consumers: Sequence[Consumer]
    cache: Redis
    valkey_url: str
    database: asyncpg.Connection
    revived: int = 0

    def kill(self) -> None:
        """And start again."""
        for consumer in self.consumers:
            consumer.kill()
            consumer.start()

    def revive(self) -> None:
        """As whatever runs them does: who has ended is started again. They end when they are refused something."""
        for consumer in self.consumers:
            if not consumer.running:
                consumer.start()
                self.revived += 1

    async def feed(self, events: Sequence[CloudEvent]) -> None:
        """All that was ever written, instead of reading it. Raises Gap."""
        follower = Follower()
        steps: list[tuple[Step, str]] = []
        for event in events:
            message = message_of(event)
            if message is not None and (step := follower.take(message)) is not None:
                steps.append((step, follower.checkpoint(step.shard) or ""))
        await asyncio.to_thread(self._cache, steps)
        await self._table([step for step, _ in steps])

    async def await_equal(self, ledger: Ledger) -> None:
        """Until both hold the levels of the ledger. Nothing is sold meanwhile."""
        levels: Levels = {
            (row["location"], row["sku"]): (row["version"], row["available"]) for row in await rows_of(ledger)
        }

        async def equal() -> bool:
            self.revive()
            return await cached_levels(self.cache) == levels == (await tabled(self.database))[0]

        try:
            await wait_until(equal, CAUGHT_UP_S, swallow=asyncpg.PostgresError, what="both hold the ledger's levels")
        except AssertionError as error:
            raise AssertionError("\n".join([str(error), *(one.complaints() for one in self.consumers)])) from None

    def _cache(self, steps: Sequence[tuple[Step, str]]) -> None:
        program = _imported("cache.py")
        with BlockingRedis.from_url(self.valkey_url, decode_responses=True) as cache:
            apply = cache.register_script(program.APPLY)
            for first in range(0, len(steps), BATCH):
                with cache.pipeline(transaction=False) as pipeline:
                    for number, (step, checkpoint) in enumerate(steps[first : first + BATCH], first):
                        program.hold(apply, pipeline, step, checkpoint, number)
                    pipeline.execute()

    async def _table(self, steps: Sequence[Step]) -> None:
        program = _imported("table.py")
        await self.database.execute(program.TABLES)
        for first in range(0, len(steps), BATCH):
            async with self.database.transaction():
                for step in steps[first : first + BATCH]:
                    await program.apply(self.database, step)


@asynccontextmanager
async def examples(
    folder: Path, valkey_url: str, database_url: str, *, kafka: str | None = None, prefix: str = ""
) -> AsyncIterator[Examples]:
    """``database_url``: of an empty database. ``kafka``: which they read. What is left in the Valkey is taken away."""
    database = await asyncpg.connect(database_url, timeout=PATIENCE_S)
    try:
        with ExitStack() as stack:
            async with Redis.from_url(valkey_url, decode_responses=True) as cache:
                following = Examples([], cache, valkey_url, database)
                if kafka is not None:
                    settings = program_settings(kafka, prefix)
                    cached = Consumer("cache.py", folder, {**settings, "VALKEY_URL": valkey_url})
                    table = Consumer("table.py", folder, {**settings, "DATABASE_URL": database_url})
                    following.consumers = [stack.enter_context(one) for one in (cached, table)]
                    for consumer in following.consumers:
                        consumer.start()
                try:
                    yield following
                finally:
                    stack.close()
                    await _clear(cache)
    finally:
        database.terminate()


async def _clear(cache: Redis) -> None:
    """Whoever comes next must not find what one that failed has left."""
    for pattern in ("stock:*", "stock-*"):  # in brackets ":-" would be a range
        if keys := [key async for key in cache.scan_iter(pattern)]:
            await cache.delete(*keys)


def _imported(name: str) -> ModuleType:
    """``__main__`` of it is not run."""
    module = ModuleType(name.removesuffix(".py"))
    exec(compile(text_of(name), name, "exec"), module.__dict__)
    return module
