"""Runs of reconciliation as they are stored: who asked for them, what they met, how they ended."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from followers.database.database import Connection

BY_SCHEDULE = "the schedule"
KEPT = "30 days"
SHOWN_MAX = 100
_COLUMNS = "id, asked_by, repairs, asked_at, started_at, ended_at, compared, differing, repaired, stopped"


@dataclass(frozen=True, slots=True)
class Run:
    """``repairs``: whether the channel's policy may repair what it allows. ``compared``: listings and orders.

    ``differing``: open drift at its end. ``stopped``: why it did not come to its end, or repaired nothing.
    """

    id: int
    asked_by: str
    repairs: bool
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    compared: int
    differing: int
    repaired: int
    stopped: str | None


async def ask(connection: Connection, channel: str, asked_by: str, *, repairs: bool) -> Run:
    """One that was asked for and has not begun is the same one."""
    row = await connection.fetchrow(_ASK, channel, asked_by, repairs)
    return Run(**row)


async def begin(connection: Connection, channel: str, every_s: float | None) -> Run | None:
    """The next that is due: asked for, broken off when its process ended, or, if the last one began ``every_s`` ago, by
    the schedule. None: none is."""
    if every_s is not None:
        await connection.execute(_SCHEDULE, channel, BY_SCHEDULE, every_s)
    await connection.execute(f"delete from reconciliation where channel = $1 and ended_at < now() - {_KEPT}", channel)
    row = await connection.fetchrow(_BEGIN, channel)
    return Run(**row) if row else None


async def compared(connection: Connection, run: int, more: int) -> None:
    await connection.execute("update reconciliation set compared = compared + $2 where id = $1", run, more)


async def end(connection: Connection, run: int, differing: int, repaired: int, stopped: str | None) -> None:
    await connection.execute(
        "update reconciliation set ended_at = clock_timestamp(), differing = $2, repaired = $3, stopped = $4"
        " where id = $1",
        *(run, differing, repaired, stopped),
    )


async def get(connection: Connection, channel: str, identifier: int) -> Run | None:
    row = await connection.fetchrow(
        f"select {_COLUMNS} from reconciliation where channel = $1 and id = $2", channel, identifier
    )
    return Run(**row) if row else None


async def newest(connection: Connection, channel: str) -> list[Run]:
    found: list[Any] = await connection.fetch(
        f"select {_COLUMNS} from reconciliation where channel = $1 order by id desc limit {SHOWN_MAX}", channel
    )
    return [Run(**row) for row in found]


_KEPT = f"interval '{KEPT}'"
_ASK = f"""
with waiting as (
  update reconciliation set repairs = repairs or $3
   where channel = $1 and started_at is null returning {_COLUMNS}),
made as (
  insert into reconciliation (channel, asked_by, repairs)
  select $1, $2, $3 where not exists (select 1 from waiting) returning {_COLUMNS})
select * from waiting union all select * from made limit 1
"""
_SCHEDULE = """
insert into reconciliation (channel, asked_by, repairs)
select $1, $2, true
 where not exists (
   select 1 from reconciliation
    where channel = $1 and (started_at is null or started_at > now() - make_interval(secs => $3::float8)))
"""
_BEGIN = f"""
update reconciliation set started_at = clock_timestamp(), compared = 0
 where id = (select id from reconciliation where channel = $1 and ended_at is null order by id limit 1)
returning {_COLUMNS}
"""
