"""The two programs of docs/how-to/consume-changes.md beside relays, held to the ledger."""

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from redis.asyncio import Redis

from followers.log.ledger import Ledger
from tests.docs.consumers import Consumer, Levels, cached_levels, program_settings, tabled
from tests.followers.relay.reading import rows_of
from tests.harness.waiting import PATIENCE_S, wait_until


@dataclass(frozen=True, slots=True)
class Examples:
    """They run. ``database``: what the table is in."""

    consumers: tuple[Consumer, Consumer]
    cache: Redis
    database: asyncpg.Connection

    def kill(self) -> None:
        """And start again."""
        for consumer in self.consumers:
            consumer.kill()
            consumer.start()

    async def await_equal(self, ledger: Ledger) -> None:
        """Until both hold the levels of the ledger. Nothing is sold meanwhile."""
        levels: Levels = {
            (row["location"], row["sku"]): (row["version"], row["available"]) for row in await rows_of(ledger)
        }

        async def equal() -> bool:
            assert all(consumer.check() for consumer in self.consumers)
            return await cached_levels(self.cache) == levels == (await tabled(self.database))[0]

        await wait_until(equal, swallow=asyncpg.PostgresError, what="both examples hold the levels of the ledger")


@asynccontextmanager
async def examples(
    kafka: str, prefix: str, folder: Path, valkey_url: str, database_url: str
) -> AsyncIterator[Examples]:
    """``database_url``: of an empty database. What is left in the Valkey is taken away."""
    settings = program_settings(kafka, prefix)
    database = await asyncpg.connect(database_url, timeout=PATIENCE_S)
    try:
        with ExitStack() as stack:
            async with Redis.from_url(valkey_url, decode_responses=True) as cache:
                cached = stack.enter_context(Consumer("cache.py", folder, {**settings, "VALKEY_URL": valkey_url}))
                table = stack.enter_context(Consumer("table.py", folder, {**settings, "DATABASE_URL": database_url}))
                cached.start()
                table.start()
                yield Examples((cached, table), cache, database)
                stack.close()
                if keys := [key async for key in cache.scan_iter("stock[:-]*")]:
                    await cache.delete(*keys)
    finally:
        database.terminate()
