"""Pending holds by SQL, as many as no shop has: their levels reserve what they hold, as if each had been made."""

from datetime import datetime

import asyncpg

from tests.bench.shop import LOCATION, SHARDS
from wire.shards import shard_of

AVAILABLE = 10**9
FAST = "set session_replication_role = replica; set synchronous_commit = off"
"""The first: no foreign key is looked up while it is filled."""

PLACES = "insert into location values ($1, $1, $2) on conflict do nothing"
ITEMS = "insert into item (sku, name) select sku, sku from unnest($1::text[]) sku"
LEVELS = """
insert into stock_level (shard, location, sku, on_hand, reserved, version, view_version)
select $1, $2, sku, $3::int + $4::int, $4, 1, 1 from unnest($5::text[]) sku
"""
EVENTS = """
with grown as (update shard set head = head + cardinality($5::text[]) where id = $1 returning head)
insert into stock_event (shard, seq, version, sku, location, kind, on_hand_delta, reserved_delta, on_hand, reserved,
                         operation, actor, committed_at, view_version)
select $1, head - cardinality($5::text[]) + n, 1, sku, $2, 'receipt', $3::int + $4::int, $4, $3::int + $4::int, $4,
       gen_random_uuid(), 'shop', now(), 1
  from grown, unnest($5::text[]) with ordinality s(sku, n)
"""
HOLDS = """
with made as (
  insert into hold (id, owner, state, version, created_at, expires_at)
  select gen_random_uuid(), 'shop', 'pending', 1, now(), $4::timestamptz
    from generate_series(1, $3::int * cardinality($5::text[]))
  returning id)
insert into hold_line (hold, place, shard, location, sku, pending, committed, fulfilled, cancelled, expired, expires_at)
select id, 0, $1, $2, ($5::text[])[1 + row_number() over () % cardinality($5::text[])], 1, 0, 0, 0, 0, $4 from made
"""


async def hold_many(url: str, skus: list[str], each: int, ends_at: datetime, available: int = AVAILABLE) -> None:
    """New skus; of each ``each`` holds of one unit are pending until ``ends_at``, and ``available`` units are free."""
    shard = shard_of(LOCATION, SHARDS)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(FAST)
        await connection.execute(PLACES, LOCATION, shard)
        await connection.execute(ITEMS, skus)
        for rows in (LEVELS, EVENTS):
            await connection.execute(rows, shard, LOCATION, available, each, skus)
        await connection.execute(HOLDS, shard, LOCATION, each, ends_at, skus)
        await connection.execute("vacuum analyze hold")
        await connection.execute("vacuum analyze hold_line")
        await connection.execute("checkpoint")
    finally:
        await connection.close()
