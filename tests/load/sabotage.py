"""Faults in the books of a running ledger, by SQL in the test's own database: what the verdict must find."""

from collections.abc import Awaitable, Callable

import asyncpg

from tests.waiting import wait_until

SALES_FIRST = 3
"""Sabotage comes when the launch is under way, and early: a busy machine may not sell much more."""
DEADLINE_S = 40.0

Sabotage = Callable[[asyncpg.Connection, str], Awaitable[None]]
"""What is done to the books of a location."""

_NEWEST = """
    select l.shard, l.sku, l.version, l.on_hand, e.operation, e.actor, e.reference
      from stock_level l
      join stock_event e on e.shard = l.shard and e.location = l.location and e.sku = l.sku
     where l.location = $1 and e.kind = 'sale' and l.on_hand > 0
     order by e.seq limit 1 for update of l
"""
_BOOK = """
    with head as (update shard set head = head + 1 where id = $1 returning head),
         moved as (update stock_level set version = version + 1, on_hand = on_hand + $4
                    where location = $2 and sku = $3 returning version, on_hand, reserved)
    insert into stock_event (shard, seq, version, sku, location, kind, on_hand_delta, reserved_delta, on_hand, reserved,
                             operation, actor, reference, committed_at)
    select $1, head, version, $3, $2, 'sale', $4, 0, on_hand, reserved, $5, $6, $7, clock_timestamp() from head, moved
"""


async def sabotage(database_url: str, location: str, work: Sabotage) -> None:
    """Once enough has been booked there. Raises AssertionError if it never is."""
    connection = await asyncpg.connect(database_url)

    async def under_way() -> bool:
        query = "select count(*) from stock_event where location = $1 and kind = 'sale'"
        sales: int = await connection.fetchval(query, location)
        return sales >= SALES_FIRST

    try:
        await wait_until(under_way, DEADLINE_S, what=f"{SALES_FIRST} sales at {location}")
        async with connection.transaction():
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
    row = await connection.fetchrow(_NEWEST, location)
    operation = await connection.fetchval("select gen_random_uuid()")
    await connection.execute(
        _BOOK, row["shard"], location, row["sku"], -(row["on_hand"] + 3), operation, row["actor"], None
    )


async def book_twice(connection: asyncpg.Connection, location: str) -> None:
    """As a ledger that does not remember its keys."""
    row = await connection.fetchrow(_NEWEST, location)
    await connection.execute(
        _BOOK, row["shard"], location, row["sku"], -1, row["operation"], row["actor"], row["reference"]
    )


async def lose(connection: asyncpg.Connection, location: str) -> None:
    """An acknowledged sale is not where it was booked. Its seq stays: other runs of the test share the shard."""
    await connection.execute(
        """update stock_event set location = 'nowhere' where (shard, seq) in (
             select shard, seq from stock_event where location = $1 and kind = 'sale' order by seq limit 1)""",
        location,
    )
