"""The same sale as it is often written: read the stock, look whether there is any, write back what is left.

Nothing here is made worse than usual: one transaction for each buyer, at PostgreSQL's default isolation, on a table of
its own in the same database. What the read saw may be old when the write comes, and nothing notices.

    begin
    select on_hand from level where sku = $1
    if on_hand >= 1:
        update level set on_hand = <on_hand - 1> where sku = $1
        insert into sale ...
    commit
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from cli.flash_sale.buyers import Outcome, Purchase, callers
from ledger.database.connector import Connector

SHARE_OF_FREE = 2  # takes one of so many free connections: the ledger and everybody else go on
CONNECT_TIMEOUT_S = 10.0
STATEMENT_TIMEOUT_S = 30.0  # all callers wait for one row: the last one waits for every other's commit
SKU = "FLASH"
_SCHEMAS = "stockwire_naive_"
_FAILED = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


@dataclass(frozen=True, slots=True)
class NaiveSale:
    """``on_hand``: what the table says is left. Purchases that failed count as unknown."""

    connections: int
    purchases: list[Purchase]
    took_s: float
    on_hand: int


async def sell_naively(database_url: str, buyers: int, units: int) -> NaiveSale:
    """Raises asyncpg's errors and OSError when the database cannot be used; nothing is left in it either way."""
    connector = Connector(database_url)

    async def connect(*_: object, **__: object) -> asyncpg.Connection:
        return await connector.connect({}, STATEMENT_TIMEOUT_S)

    async with _scratch(connector, units) as (owner, schema):
        connections = min(callers(buyers), await _free_connections(owner) // SHARE_OF_FREE)
        async with asyncpg.create_pool(min_size=connections, max_size=connections, connect=connect) as pool:
            began = time.monotonic()
            purchases = await _buy(pool, schema, buyers, connections)
            took_s = time.monotonic() - began
        left: int = await owner.fetchval(f"select on_hand from {schema}.level where sku = $1", SKU)
    return NaiveSale(connections, purchases, took_s, left)


@asynccontextmanager
async def _scratch(connector: Connector, units: int) -> AsyncIterator[tuple[asyncpg.Connection, str]]:
    """A schema that is there as long as this block. One that a killed run has left is removed by the next."""
    schema = f"{_SCHEMAS}{secrets.token_hex(4)}"
    owner = await connector.connect({}, STATEMENT_TIMEOUT_S)
    try:
        await owner.fetchval("select pg_advisory_lock(hashtext($1))", schema)  # says, as long as we live: not left over
        await _remove_leftovers(owner)
        try:
            await owner.execute(
                f"create schema {schema};"
                f"create table {schema}.level (sku text primary key, on_hand int not null);"
                f"create table {schema}.sale (id bigserial primary key, sku text not null, buyer int not null);"
                f"insert into {schema}.level values ('{SKU}', {units})"
            )
            yield owner, schema
        finally:
            await owner.execute(f"drop schema if exists {schema} cascade")
    finally:
        await owner.close(timeout=CONNECT_TIMEOUT_S)


async def _remove_leftovers(owner: asyncpg.Connection) -> None:
    for row in await owner.fetch("select nspname from pg_namespace where starts_with(nspname, $1)", _SCHEMAS):
        if await owner.fetchval("select pg_try_advisory_lock(hashtext($1))", row["nspname"]):
            await owner.execute(f"drop schema if exists {row['nspname']} cascade")


async def _free_connections(owner: asyncpg.Connection) -> int:
    free: int = await owner.fetchval(
        "select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
        " - (select count(*) from pg_stat_activity where backend_type = 'client backend')::int"
    )
    return max(free, SHARE_OF_FREE)


async def _buy(pool: asyncpg.Pool, schema: str, buyers: int, at_once: int) -> list[Purchase]:
    waiting = iter(range(buyers))
    start = asyncio.Barrier(at_once)
    purchases: list[Purchase] = []

    async def stand_in_line() -> None:
        async with pool.acquire() as connection:
            await start.wait()
            purchases.extend([await _purchase(connection, schema, buyer) for buyer in waiting])

    async with asyncio.TaskGroup() as tasks:
        for _ in range(at_once):
            tasks.create_task(stand_in_line(), name="naive buyers")
    return purchases


async def _purchase(connection: asyncpg.Connection, schema: str, buyer: int) -> Purchase:
    began = time.monotonic()
    try:
        outcome = await _read_check_update(connection, schema, buyer)
    except _FAILED:
        outcome = Outcome.UNKNOWN
    now = time.monotonic()
    return Purchase(outcome, now - began, now)


async def _read_check_update(connection: asyncpg.Connection, schema: str, buyer: int) -> Outcome:
    async with connection.transaction():
        on_hand = await connection.fetchval(f"select on_hand from {schema}.level where sku = $1", SKU)
        if on_hand < 1:
            return Outcome.REFUSED
        await connection.execute(f"update {schema}.level set on_hand = $2 where sku = $1", SKU, on_hand - 1)
        await connection.execute(f"insert into {schema}.sale (sku, buyer) values ($1, $2)", SKU, buyer)
        return Outcome.SOLD
