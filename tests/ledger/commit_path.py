"""The commit path in this process, over a real database: for tests that race it, break it and count its retries."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from ledger.commit.line import Line
from ledger.commit.operation import Operation, operation_id
from ledger.commit.writers import Writers
from ledger.database.audit import Violation, audit
from ledger.database.connector import CheckedConnection, Connector
from ledger.database.engine import COMMIT_SETTINGS, create_engine
from ledger.feed.heads import Heads
from ledger.feed.publisher import Publisher
from ledger.holds.sweeper import expire_operation
from ledger.limits import HoldLimits
from server.tracing.tracing import Tracing
from tests.harness.postgres import PATIENT
from wire.shards import shard_of

SHARDS = 4
QUERIES = 3
"""Connections for what tests ask of the database: a test may hold rows on one, and look on at another."""

UNLIMITED = HoldLimits()

NO_BROKER = "redis://127.0.0.1:1"
"""Nothing listens there: commits go on without a broker."""


@dataclass(frozen=True, slots=True)
class CommitPath:
    connector: Connector
    settings: Mapping[str, str]
    engine: AsyncEngine
    writers: Writers
    heads: Heads
    publisher: Publisher

    async def add_catalog(self, skus: Iterable[str], locations: Iterable[str]) -> None:
        async with self.engine.begin() as connection:
            for sku in skus:
                await connection.execute(
                    text("insert into item (sku, name) values (:sku, :sku) on conflict do nothing"), {"sku": sku}
                )
            for location in locations:
                await connection.execute(
                    text("insert into location values (:name, :name, :shard) on conflict do nothing"),
                    {"name": location, "shard": shard_of(location, SHARDS)},
                )

    async def on_hand(self, sku: str, location: str = "berlin") -> int:
        async with self.engine.connect() as connection:
            found = await connection.execute(
                text("select on_hand from stock_level where sku = :sku and location = :location"),
                {"sku": sku, "location": location},
            )
            return int(found.scalar_one())

    async def scalar(self, query: str) -> int:
        async with self.engine.connect() as connection:
            return int((await connection.execute(text(query))).scalar_one())

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[CheckedConnection]:
        """As a writer is, and apart from all of them."""
        connection = await self.connector.connect(self.settings)
        try:
            yield connection
        finally:
            await connection.close()

    async def audit(self) -> list[Violation]:
        async with self.engine.connect() as connection:
            return await audit(connection)


@asynccontextmanager
async def commit_path(
    database_url: str,
    redis_url: str = NO_BROKER,
    limits: HoldLimits = UNLIMITED,
    tracing: Tracing | None = None,
) -> AsyncIterator[CommitPath]:
    """One process' writers. Open several to race them as replicas; with a broker they hear of each other."""
    connector = Connector(database_url)
    settings = {**COMMIT_SETTINGS, **PATIENT}
    engine = create_engine(connector, QUERIES, settings)
    publisher = Publisher(redis_url, channel_prefix(database_url))
    heads = Heads(connector, settings, publisher)
    writers = Writers(connector, settings, SHARDS, heads, publisher, expire_operation, limits, tracing)
    running = [asyncio.create_task(writers.run())]
    if redis_url != NO_BROKER:
        running.append(asyncio.create_task(publisher.run()))
    try:
        yield CommitPath(connector, settings, engine, writers, heads, publisher)
    finally:
        writers.stop()
        await running[0]
        publisher.stop()
        await asyncio.gather(*running)
        await heads.close()
        await engine.dispose()


def channel_prefix(database_url: str) -> str:
    """Each database has its own channels."""
    return database_url.rpartition("/")[2].partition("?")[0]


def line(sku: str, location: str, quantity: int, **fields: object) -> Line:
    kind = fields.pop("kind", "receipt" if quantity > 0 else "sale")
    return Line(sku, location, shard_of(location, SHARDS), str(kind), quantity, **fields)  # type: ignore[arg-type]


def operation(*lines: Line, key: str | None = None, owner: str = "tester", body: bytes = b"body") -> Operation:
    key = key or secrets.token_hex(12)
    return Operation(operation_id(owner, key), owner, key, body, lines)
