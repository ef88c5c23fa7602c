"""Who works on what, endpoint or channel: leases by the database's clock, each with a number that rises with every
holder.

Whatever is written for it is written under its fence, ``where fence = ...``: who lost a lease without knowing writes
nothing any more. It may have sent something that it could not record: the next holder sends that again, under the same
id.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from followers.database.database import Connection, Database

TRIES = 2
"""To renew, in the time of one lease, however long the database takes."""
TRY_S_MIN = 2.0
"""A busy machine that is given less never gets to the end of one."""
TAKEN_AT_ONCE = 500
"""Each costs a few reads at the start."""


@dataclass(frozen=True, slots=True)
class Lease:
    """``until_s``: by our monotonic clock, which runs on while the process stands still; before the database's."""

    fence: int
    until_s: float


@dataclass(frozen=True, slots=True)
class Leasable:
    """What is leased: its table, the table of its leases and their column for it, and which of it somebody works on."""

    table: str
    leases: str
    column: str
    worked_on: str


ENDPOINTS = Leasable("endpoint", "lease", "endpoint", "e.state = 'enabled'")
CHANNELS = Leasable("channel", "channel_lease", "channel", "e.state <> 'paused'")
"""One that is stopped is looked at again by whoever holds it."""


class Leases:
    """``lease_s``: how long a thing waits for a holder that died. ``name``: of this process, the same for all that it
    leases, so that it counts as one replica."""

    def __init__(self, database: Database, lease_s: float, name: str, of: Leasable = ENDPOINTS) -> None:
        self._database = database
        self._counts, self._renew, self._take, self._leave, self._give_back = (
            statement.format(table=of.table, leases=of.leases, column=of.column, worked=of.worked_on)
            for statement in (_COUNTS, _RENEW, _TAKE, _LEAVE, _GIVE_BACK)
        )
        self._lease = timedelta(seconds=lease_s)
        self._lease_s = lease_s
        self._clock: tuple[float, float] | None = None
        self.name = name

    async def renew(self, held: Mapping[str, int]) -> dict[str, Lease]:
        """``held``: fences by endpoint. What is still ours, and what was free, so that all replicas have about as much.

        What is more than our share is not among it: ``leave`` it when nothing of it is in flight any more.
        Raises DatabaseAway, in time for another try: then all that is held stands until its time is over.
        """
        asked_s = time.monotonic()
        async with self._database.transaction(max(self._lease_s / TRIES, TRY_S_MIN)) as connection:
            share = await self._share(connection)
            kept: list[Any] = await connection.fetch(
                self._renew, self.name, list(held), list(held.values()), self._lease
            )
            wanted = min(share - len(kept), TAKEN_AT_ONCE)
            taken = await connection.fetch(self._take, self.name, wanted, self._lease) if wanted > 0 else []
        until_s = asked_s + self._lease_s
        return {row["one"]: Lease(row["fence"], until_s) for row in (*kept[:share], *taken)}

    def now_s(self) -> float:
        """The Unix time; never ahead of the database's, whatever jump this machine's clock has made."""
        if self._clock is None:
            return time.time()
        read_s, at_s = self._clock
        return min(time.time(), read_s + time.monotonic() - at_s)

    async def leave(self, held: Mapping[str, int]) -> None:
        """``held``: fences by endpoint. Those that are still ours are anybody's. Raises DatabaseAway."""
        async with self._database.transaction() as connection:
            await connection.execute(self._leave, self.name, list(held), list(held.values()))

    async def give_back(self) -> None:
        """All of them, at the end: nobody has to wait for them."""
        async with self._database.transaction() as connection:
            await connection.execute("delete from replica where name = $1", self.name)
            await connection.execute(self._give_back, self.name)

    async def _share(self, connection: Connection) -> int:
        """Of all that anybody has to work on."""
        await connection.execute(_SAY_ALIVE, self.name, self._lease)
        row = await connection.fetchrow(self._counts)
        self._clock = row["now_s"], time.monotonic()
        things, replicas = int(row["things"]), int(row["replicas"])
        return math.ceil(things / max(1, replicas))


_SAY_ALIVE = """
with gone as (delete from replica where until < clock_timestamp() - interval '1 minute' and name <> $1)
insert into replica (name, until) values ($1, clock_timestamp() + $2)
on conflict (name) do update set until = excluded.until
"""
_COUNTS = """
select extract(epoch from clock_timestamp())::float8 as now_s,
       (select count(*) from {table} e where {worked}) as things,
       (select count(*) from replica where until > clock_timestamp()) as replicas
"""
_RENEW = """
with held as (
  select l.{column} from unnest($2::text[], $3::bigint[]) as h(one, fence)
    join {leases} l on l.{column} = h.one and l.fence = h.fence and l.holder = $1
    join {table} e on e.id = l.{column} and {worked}
   order by l.{column} for update of l)
update {leases} l set until = clock_timestamp() + $4 from held where l.{column} = held.{column}
returning l.{column} as one, l.fence
"""
_LEAVE = """
with held as (
  select l.{column} from unnest($2::text[], $3::bigint[]) as h(one, fence)
    join {leases} l on l.{column} = h.one and l.fence = h.fence and l.holder = $1
   order by l.{column} for update of l)
update {leases} l set holder = null, until = '-infinity' from held where l.{column} = held.{column}
"""
_TAKE = """
with free as (
  select l.{column} from {leases} l join {table} e on e.id = l.{column}
   where l.until < clock_timestamp() and {worked}
   order by l.until limit $2 for update of l skip locked)
update {leases} l set holder = $1, until = clock_timestamp() + $3, fence = l.fence + 1
  from free where l.{column} = free.{column}
returning l.{column} as one, l.fence
"""
_GIVE_BACK = "update {leases} set holder = null, until = '-infinity' where holder = $1"
FENCED = """
fenced as (
  select l.endpoint from lease l join unnest($1::text[], $2::bigint[]) as f(endpoint, fence)
      on l.endpoint = f.endpoint and l.fence = f.fence
   order by l.endpoint for share of l)
"""
"""A part of statements that write for endpoints, whose ids and fences are their first two parameters: those whose
fence still stands, which nobody takes before the end of the transaction."""
