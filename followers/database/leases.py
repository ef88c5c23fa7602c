"""Who works on which endpoint: leases by the database's clock, each with a number that rises with every holder.

Whatever is written for an endpoint is written under its fence, ``where fence = ...``: who lost a lease without knowing
writes nothing any more. It may have sent something that it could not record: the next holder sends that again, under
the same id.
"""

import math
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from followers.database.database import Connection, Database

TAKEN_AT_ONCE = 500
"""Each costs a few reads at the start."""


@dataclass(frozen=True, slots=True)
class Lease:
    """``until_s``: by our monotonic clock, which runs on while the process stands still; before the database's."""

    fence: int
    until_s: float


class Leases:
    """``lease_s``: how long an endpoint waits for a holder that died."""

    def __init__(self, database: Database, lease_s: float) -> None:
        self._database = database
        self._lease = timedelta(seconds=lease_s)
        self._lease_s = lease_s
        self._clock: tuple[float, float] | None = None
        self.name = secrets.token_hex(8)

    async def renew(self, held: Mapping[str, int]) -> dict[str, Lease]:
        """``held``: fences by endpoint. What is still ours, and what was free, so that all replicas have about as much.

        What is more than our share is left to run out: by then nothing of it is in flight.
        Raises DatabaseAway: then all that is held stands until its time is over.
        """
        asked_s = time.monotonic()
        async with self._database.transaction() as connection:
            share = await self._share(connection)
            kept: list[Any] = await connection.fetch(_RENEW, self.name, list(held), list(held.values()), self._lease)
            wanted = min(share - len(kept), TAKEN_AT_ONCE)
            taken = await connection.fetch(_TAKE, self.name, wanted, self._lease) if wanted > 0 else []
        until_s = asked_s + self._lease_s
        return {row["endpoint"]: Lease(row["fence"], until_s) for row in (*kept[:share], *taken)}

    def now_s(self) -> float:
        """The Unix time; never ahead of the database's, whatever jump this machine's clock has made."""
        if self._clock is None:
            return time.time()
        read_s, at_s = self._clock
        return min(time.time(), read_s + time.monotonic() - at_s)

    async def give_back(self) -> None:
        """All of them, at the end: nobody has to wait for them."""
        async with self._database.transaction() as connection:
            await connection.execute("delete from replica where name = $1", self.name)
            await connection.execute("update lease set holder = null, until = '-infinity' where holder = $1", self.name)

    async def _share(self, connection: Connection) -> int:
        """Of all endpoints that anybody has to work on."""
        await connection.execute(_SAY_ALIVE, self.name, self._lease)
        row = await connection.fetchrow(_COUNTS)
        self._clock = row["now_s"], time.monotonic()
        endpoints, replicas = int(row["endpoints"]), int(row["replicas"])
        return math.ceil(endpoints / max(1, replicas))


_SAY_ALIVE = """
with gone as (delete from replica where until < clock_timestamp() - interval '1 minute' and name <> $1)
insert into replica (name, until) values ($1, clock_timestamp() + $2)
on conflict (name) do update set until = excluded.until
"""
_COUNTS = """
select extract(epoch from clock_timestamp())::float8 as now_s,
       (select count(*) from endpoint where state = 'enabled') as endpoints,
       (select count(*) from replica where until > clock_timestamp()) as replicas
"""
_RENEW = """
with held as (
  select l.endpoint from unnest($2::text[], $3::bigint[]) as h(endpoint, fence)
    join lease l on l.endpoint = h.endpoint and l.fence = h.fence and l.holder = $1
    join endpoint e on e.id = l.endpoint and e.state = 'enabled'
   order by l.endpoint for update of l)
update lease l set until = clock_timestamp() + $4 from held where l.endpoint = held.endpoint
returning l.endpoint, l.fence
"""
_TAKE = """
with free as (
  select l.endpoint from lease l join endpoint e on e.id = l.endpoint
   where l.until < clock_timestamp() and e.state = 'enabled'
   order by l.until limit $2 for update of l skip locked)
update lease l set holder = $1, until = clock_timestamp() + $3, fence = l.fence + 1
  from free where l.endpoint = free.endpoint
returning l.endpoint, l.fence
"""
FENCED = """
fenced as (
  select l.endpoint from lease l join unnest($1::text[], $2::bigint[]) as f(endpoint, fence)
      on l.endpoint = f.endpoint and l.fence = f.fence
   order by l.endpoint for share of l)
"""
"""A part of statements that write for endpoints, whose ids and fences are their first two parameters: those whose
fence still stands, which nobody takes before the end of the transaction."""
