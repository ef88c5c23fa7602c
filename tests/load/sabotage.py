"""Faults in the books of a running ledger, by SQL in the test's own database: what the verdict must find."""

from collections.abc import Awaitable, Callable

import asyncpg

from tests.harness.waiting import PATIENCE_S, wait_until

SALES_FIRST = 3
"""Sabotage comes when the launch is under way, and early: a busy machine may not sell much more."""

Sabotage = Callable[[asyncpg.Connection, str], Awaitable[None]]
"""What is done to the books of a location."""

_BOOK = """
    with oldest as materialized (
           select l.shard, l.location, l.sku, {delta} as delta, {operation} as operation, e.actor,
                  {reference} as reference
             from stock_level l
             join stock_event e on e.shard = l.shard and e.location = l.location and e.sku = l.sku
            where l.location = $1 and e.kind = 'sale' and l.on_hand > 0
            order by e.seq limit 1 for update of l),
         head as (update shard set head = head + 1 from oldest where id = oldest.shard returning head),
         moved as (update stock_level l set version = version + 1, on_hand = on_hand + delta from oldest o
                    where (l.shard, l.location, l.sku) = (o.shard, o.location, o.sku)
                    returning version, on_hand, reserved)
    insert into stock_event (shard, seq, version, sku, location, kind, on_hand_delta, reserved_delta, on_hand, reserved,
                             operation, actor, reference, committed_at)
    select shard, head, version, sku, location, 'sale', delta, 0, on_hand, reserved, operation, actor, reference,
           clock_timestamp()
      from oldest, head, moved
"""
"""One statement: a busy machine must not stand between the lock on a level and its end, or sales give up."""


async def sabotage(database_url: str, location: str, work: Sabotage) -> None:
    """Once enough has been booked there. Raises AssertionError if it never is."""
    connection = await asyncpg.connect(database_url)

    async def under_way() -> bool:
        query = "select count(*) from stock_event where location = $1 and kind = 'sale'"
        sales: int = await connection.fetchval(query, location)
        return sales >= SALES_FIRST

    try:
        await wait_until(under_way, PATIENCE_S, what=f"{SALES_FIRST} sales at {location}")
        await work(connection, location)
    finally:
        await connection.close()


async def drop_guards(database_url: str) -> None:
    """Let levels go below zero: without this PostgreSQL itself refuses to oversell."""
    connection = await asyncpg.connect(database_url)
    try:
        names = await connection.fetch(
            "select conname from pg_constraint where conrelid = 'stock_level'::regclass and contype = 'c'"
        )
        for row in names:
            await connection.execute(f"alter table stock_level drop constraint {row['conname']}")
    finally:
        await connection.close()


async def oversell(connection: asyncpg.Connection, location: str) -> None:
    """As a replica that looked at old stock: three units more than there are."""
    book = _BOOK.format(delta="-(l.on_hand + 3)", operation="gen_random_uuid()", reference="null")
    assert await connection.execute(book, location) == "INSERT 0 1"


async def book_twice(connection: asyncpg.Connection, location: str) -> None:
    """As a ledger that does not remember its keys."""
    book = _BOOK.format(delta="-1", operation="e.operation", reference="e.reference")
    assert await connection.execute(book, location) == "INSERT 0 1"


async def lose(connection: asyncpg.Connection, location: str) -> None:
    """An acknowledged sale is not where it was booked. Its seq stays: other runs of the test share the shard."""
    await connection.execute(
        """update stock_event set location = 'nowhere' where (shard, seq) in (
             select shard, seq from stock_event where location = $1 and kind = 'sale' order by seq limit 1)""",
        location,
    )
