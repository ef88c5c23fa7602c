"""The figure "oversold" is asked of the database, and can be other than 0."""

import asyncpg

from cli.oversold import Oversold

SETUP = """
insert into item (sku, name) values ('A', 'a'), ('B', 'b');
insert into location (location, name, shard) values ('berlin', 'Berlin', 0);
"""


async def book(connection: asyncpg.Connection, sku: str, seq: int, quantity: int, on_hand: int) -> None:
    """One event, and the level as ``on_hand``: right only if that is the sum."""
    await connection.execute(
        "insert into stock_event (shard, seq, version, sku, location, kind, on_hand_delta, reserved_delta, on_hand,"
        " reserved, operation, actor, committed_at)"
        " values (0, $1, $1, $2, 'berlin', 'x', $3, 0, $4, 0, gen_random_uuid(), 'x', now())",
        seq,
        sku,
        quantity,
        on_hand,
    )
    await connection.execute("update shard set head = $1 where id = 0", seq)
    await connection.execute(
        "insert into stock_level (shard, location, sku, on_hand, version) values (0, 'berlin', $1, $2, $3)"
        " on conflict (sku, location, shard) do update set on_hand = excluded.on_hand, version = excluded.version",
        sku,
        on_hand,
        seq,
    )


async def test_a_level_that_is_not_the_sum_of_its_events_is_counted_once(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    oversold = Oversold(database_url)
    assert await oversold.look() == 0
    await connection.execute(SETUP)
    await book(connection, "A", 1, 5, 5)
    await book(connection, "B", 2, 7, 7)
    assert await oversold.look() == 0
    await book(connection, "A", 3, -5, 1)
    assert await oversold.look() == 1
    assert await oversold.look() == 1
    await book(connection, "B", 4, -7, 0)
    assert await oversold.look() == 1
    await connection.close()
