"""Drift as it is stored: one row for whatever differs now, and what became of those that did."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from followers.database.database import Connection
from followers.marketplaces.reconciling.comparing import Difference, DriftClass, Repair

SHOWN_MAX = 1_000
LIVE = ("suspect", "open", "accepted", "dismissed")
"""States of what differs now: seen once; seen twice under one stamp; somebody or a policy wants it mended; somebody
wants it left alone until it is another difference."""


@dataclass(frozen=True, slots=True)
class Seen:
    """``subject``: what differs, such as ``listing:<remote>``, ``order:<id>``. ``stamp``: see ``comparing``."""

    subject: str
    sku: str
    difference: Difference
    stamp: str


@dataclass(frozen=True, slots=True)
class Row:
    """``stood_s``: since it was first seen."""

    id: int
    subject: str
    sku: str
    kind: DriftClass
    ours: int | None
    theirs: int | None
    cause: str
    repair: Repair | None
    repair_sku: str
    stamp: str
    state: str
    reads: int
    first_seen: datetime
    last_seen: datetime
    stood_s: float
    decided_by: str | None
    why: str | None
    outcome: str | None


async def seen(connection: Connection, channel: str, found: Sequence[Seen]) -> None:
    """For the first time of this run. What was seen before with the same numbers under the same stamp counts twice."""
    rows = [
        (
            *(channel, one.subject, one.sku, one.difference.kind, one.difference.ours, one.difference.theirs),
            *(one.difference.cause, one.difference.repair, one.difference.sku, one.stamp),
        )
        for one in found
    ]
    await connection.executemany(_SEEN, rows)


async def agreed(connection: Connection, channel: str, subjects: Iterable[str]) -> None:
    """They do not differ, or no more."""
    await connection.execute(_AGREED, channel, list(subjects))


async def not_seen_since(connection: Connection, channel: str, moment: datetime) -> None:
    """The end of a whole run: what it has not met differs no more."""
    await connection.execute(_NOT_SEEN, channel, moment)


async def rows(
    connection: Connection, channel: str, states: Sequence[str], after: int = 0, limit: int = SHOWN_MAX
) -> list[Row]:
    found = await connection.fetch(_ROWS, channel, list(states), after, limit)
    return [row_of(one) for one in found]


async def count(connection: Connection, channel: str) -> int:
    """Of open drift."""
    return int(await connection.fetchval("select count(*) from drift where channel = $1 and state = 'open'", channel))


async def by_class(connection: Connection, channel: str) -> dict[str, int]:
    """Of open drift."""
    found = await connection.fetch(
        "select kind, count(*) as n from drift where channel = $1 and state = 'open' group by kind order by kind",
        channel,
    )
    return {row["kind"]: row["n"] for row in found}


async def accept(
    connection: Connection, channel: str, identifiers: Sequence[int], kind: str | None, by: str, why: str
) -> list[int]:
    """Those of ``identifiers``, and all of the class ``kind``, that are open and have a repair. Returns their ids."""
    found = await connection.fetch(_DECIDE, channel, list(identifiers), kind, "accepted", by, why)
    return [row["id"] for row in found]


async def dismiss(
    connection: Connection, channel: str, identifiers: Sequence[int], kind: str | None, by: str, why: str
) -> list[int]:
    """They are left alone until they are other differences."""
    found = await connection.fetch(_DECIDE, channel, list(identifiers), kind, "dismissed", by, why)
    return [row["id"] for row in found]


async def to_be_mended(connection: Connection, channel: str) -> list[Row]:
    found = await connection.fetch(_TO_BE_MENDED, channel)
    return [row_of(one) for one in found]


async def mended(connection: Connection, identifier: int, outcome: str) -> None:
    """It stays accepted until a run sees that it differs no more."""
    await connection.execute("update drift set outcome = $2 where id = $1", identifier, outcome)


async def counts(connection: Connection) -> dict[tuple[str, str], int]:
    """Of open drift, by channel and class."""
    found = await connection.fetch(
        "select channel, kind, count(*) as n from drift where state in ('open', 'accepted') group by channel, kind"
    )
    return {(row["channel"], row["kind"]): row["n"] for row in found}


def row_of(row: Any) -> Row:
    found = dict(row)
    found["kind"] = DriftClass(found["kind"])
    found["repair"] = Repair(found["repair"]) if found["repair"] else None
    return Row(**found)


COLUMNS = """id, subject, sku, kind, ours, theirs, cause, repair, repair_sku, stamp, state, reads, first_seen,
       last_seen, extract(epoch from clock_timestamp() - first_seen)::float8 as stood_s, decided_by, why, outcome"""
# Another number, class or stamp is another difference: it begins anew. What was decided of one stands while it
# does.
_SEEN = """
insert into drift as d (channel, subject, sku, kind, ours, theirs, cause, repair, repair_sku, stamp)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (channel, subject) where state in ('suspect', 'open', 'accepted', 'dismissed') do update
   set sku = excluded.sku, kind = excluded.kind, ours = excluded.ours, theirs = excluded.theirs,
       cause = excluded.cause, repair = excluded.repair, repair_sku = excluded.repair_sku, stamp = excluded.stamp,
       last_seen = clock_timestamp(),
       reads = case when {same} then d.reads + 1 else 1 end,
       first_seen = case when {same} then d.first_seen else clock_timestamp() end,
       state = case when {same} then case d.state when 'suspect' then 'open' else d.state end else 'suspect' end
""".format(
    same="(d.kind, d.ours, d.theirs, d.stamp)"
    " is not distinct from (excluded.kind, excluded.ours, excluded.theirs, excluded.stamp)"
)
_AGREED = """
update drift set state = case state when 'accepted' then 'repaired' else 'gone' end, last_seen = clock_timestamp()
 where channel = $1 and subject = any($2::text[]) and state in ('suspect', 'open', 'accepted', 'dismissed')
"""
_NOT_SEEN = """
update drift set state = case state when 'accepted' then 'repaired' else 'gone' end
 where channel = $1 and last_seen < $2 and state in ('suspect', 'open', 'accepted', 'dismissed')
"""
_ROWS = f"""
select {COLUMNS} from drift
 where channel = $1 and state = any($2::text[]) and id > $3 order by id limit $4
"""
_DECIDE = """
update drift set state = $4, decided_by = $5, why = $6, decided_at = clock_timestamp(), outcome = null
 where channel = $1 and state = 'open' and (id = any($2::bigint[]) or kind = $3)
   and (repair is not null or $4 = 'dismissed')
returning id
"""
_TO_BE_MENDED = f"""
select {COLUMNS} from drift where channel = $1 and state = 'accepted' and outcome is null order by id limit 200
"""
