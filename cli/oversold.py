"""Whether anything was oversold, asked of the database again and again at a small cost.

`ledger.database.audit` reads the whole log; this reads what has happened since the last look: every level touched
must be the sum of all its events, not below zero and not below what is reserved.
"""

import asyncpg

from ledger.database.connector import Connector

AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what a connection says whose server was killed
)
_TIMEOUT_S = 20.0

_LOOK = """
with head as (select id, head from shard),
touched as (
  select distinct e.shard, e.location, e.sku
    from stock_event e join head h on h.id = e.shard
    join unnest($1::int[], $2::bigint[]) as seen(shard, seq) on seen.shard = e.shard
   where e.seq > seen.seq),
wrong as (
  select l.location, l.sku
    from touched t join stock_level l using (shard, location, sku),
         lateral (select sum(e.on_hand_delta) as on_hand, sum(e.reserved_delta) as reserved from stock_event e
                   where e.shard = l.shard and e.location = l.location and e.sku = l.sku) s
   where l.on_hand < 0 or l.reserved > l.on_hand or l.on_hand <> s.on_hand or l.reserved <> s.reserved)
select (select array_agg(id order by id) from head) as shards,
       (select array_agg(head order by id) from head) as heads,
       (select count(*) from wrong) as wrong
"""


class Oversold:
    """``count``: how many levels were found wrong so far; 0 unless something is badly wrong."""

    def __init__(self, database_url: str) -> None:
        self._connector = Connector(database_url)
        self._seen: dict[int, int] | None = None
        self.count = 0

    async def look(self) -> int:
        """One statement, one snapshot. Raises one of AWAY when the database is."""
        connection = await self._connector.connect({}, _TIMEOUT_S)
        try:
            if self._seen is None:
                self._seen = {row["id"]: 0 for row in await connection.fetch("select id from shard")}
            row = await connection.fetchrow(_LOOK, list(self._seen), list(self._seen.values()))
        finally:
            await connection.close(timeout=_TIMEOUT_S)
        self._seen = dict(zip(row["shards"], row["heads"], strict=True))
        self.count += row["wrong"]
        return self.count
