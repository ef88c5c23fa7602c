"""What waits to be sent, as it is stored: levels that are behind, notices, and what became of each attempt.

All statements are fenced: for an endpoint whose lease is lost nothing is written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from followers.database.database import Connection, Database
from followers.database.leases import FENCED
from followers.webhooks.endpoints import ATTEMPTS_MAX, COLUMNS, DISABLED, Endpoint, endpoint_of
from followers.webhooks.leased import Held, Leased, Level, fences
from followers.webhooks.planning import DISABLED as TOLD_DISABLED


@dataclass(frozen=True, slots=True)
class Behind:
    """A level of an endpoint: it has had everything up to ``sent_version``. ``attempt``: how many have failed."""

    location: str
    sku: str
    epoch: str
    shard: int
    sent_version: int
    newest_version: int
    attempt: int

    @property
    def level(self) -> Level:
        return self.location, self.sku


@dataclass(frozen=True, slots=True)
class Notice:
    """A message that no event stands behind."""

    id: str
    type: str
    data: Any
    created_at: datetime
    attempt: int


@dataclass(frozen=True, slots=True)
class Replayed:
    """What is left of a replay's span: from ``next_seq`` to ``until_seq``."""

    id: str
    epoch: str
    shard: int
    next_seq: int
    until_seq: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Due:
    """Of one endpoint. ``next_in_s``: until more is due; None: nothing waits."""

    levels: tuple[Behind, ...]
    notices: tuple[Notice, ...]
    next_in_s: float | None


@dataclass(frozen=True, slots=True)
class Reached:
    """What became of a level that was in flight: ``version`` is what its endpoint has had of it now, of ``epoch``.

    ``wait_s``: None if nothing failed; then the next attempt, number ``attempt``, is due after so long.
    """

    level: Level
    epoch: str
    version: int
    attempt: int = 0
    wait_s: float | None = None
    status: int | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt, for the endpoint's owner."""

    message: str
    type: str
    location: str | None
    sku: str | None
    version: int | None
    at_s: float
    status: int | None
    failure: str | None
    excerpt: str
    elapsed_ms: int


@dataclass(slots=True)
class Report:
    """What became of one shipment. ``notice``: its id, where it was one."""

    leased: Leased
    reached: list[Reached] = field(default_factory=list)
    notice: str | None = None
    notice_attempt: int = 0
    notice_wait_s: float | None = None
    tried: list[Tried] = field(default_factory=list)


class Outbox:
    """All methods raise DatabaseAway."""

    def __init__(self, database: Database, held: Held) -> None:
        self._database = database
        self._held = held

    async def stored(
        self, identifiers: Sequence[str]
    ) -> list[tuple[Endpoint, bytes, datetime | None, datetime | None]]:
        """Endpoints as they are now, with sealed keys, and since when and until when they have failed."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                f"select {COLUMNS}, e.sealed, s.failing_since, s.failed_at"
                " from endpoint e join standing s on s.endpoint = e.id where e.id = any($1::text[])",
                list(identifiers),
            )
        return [(endpoint_of(row), row["sealed"], row["failing_since"], row["failed_at"]) for row in rows]

    async def due(self, asked: Mapping[str, int], epoch: str) -> dict[str, Due]:
        """``asked``: how many at most, by endpoint. Levels of ``epoch`` alone."""
        identifiers, limits = list(asked), list(asked.values())
        async with self._database.transaction() as connection:
            levels = await connection.fetch(_DUE, identifiers, limits, epoch)
            notices = await connection.fetch(_NOTICES_DUE, identifiers, limits)
            following = await connection.fetch(_NEXT, identifiers, epoch)
        found: dict[str, tuple[list[Behind], list[Notice]]] = {one: ([], []) for one in identifiers}
        for row in levels:
            found[row[0]][0].append(Behind(*row[1:]))
        for row in notices:
            found[row[0]][1].append(Notice(row["id"], row["type"], orjson.loads(row["data"]), *row[4:]))
        next_in_s = {row["endpoint"]: row["next_in_s"] for row in following}
        return {one: Due(tuple(found[one][0]), tuple(found[one][1]), next_in_s.get(one)) for one in identifiers}

    async def record(self, reports: Sequence[Report]) -> None:
        """Of endpoints that are held; each level at most once."""
        reports = [report for report in reports if self._held.has(report.leased)]
        touched = {report.leased.endpoint.id: report.leased for report in reports}
        fenced = fences(touched.values())
        async with self._database.transaction() as connection:
            await _record_levels(connection, fenced, reports)
            await _record_notices(connection, fenced, reports)
            # Of one that its failures end nothing is said: it may have been enabled meanwhile, which forgets them.
            going_on = [one for one in touched.values() if one.ended is None]
            await connection.execute(
                _STANDING,
                *fences(going_on),
                [_moment(one.failing_since_s) for one in going_on],
                [_moment(one.failed_s) for one in going_on],
            )
            tried = [(report.leased.endpoint.id, *_row_of(one)) for report in reports for one in report.tried]
            if tried:
                await connection.execute(_TRIED, *fenced, *map(list, zip(*tried, strict=True)))

    async def replays(self, identifiers: Sequence[str]) -> dict[str, Replayed]:
        """One for each endpoint that has any due."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(_REPLAYS, list(identifiers))
        return {row[0]: Replayed(*row[1:]) for row in rows}

    async def replayed(self, leased: Leased, asked: Replayed, next_seq: int, attempt: int, wait_s: float) -> None:
        fenced = fences([leased])
        async with self._database.transaction() as connection:
            span = asked.id, asked.shard, asked.until_seq
            if next_seq > asked.until_seq:
                await connection.execute(_REPLAY_DONE, *fenced, *span)
            else:
                await connection.execute(_REPLAY_GOES_ON, *fenced, *span, next_seq, attempt, wait_s)

    async def disable(self, leased: Leased, reason: str) -> None:
        """And tells its owner's other endpoints."""
        endpoint = leased.endpoint
        told = {"endpoint": endpoint.id, "url": endpoint.url, "reason": reason}
        async with self._database.transaction() as connection:
            await connection.execute(
                _DISABLE,
                *fences([leased]),
                DISABLED,
                reason,
                TOLD_DISABLED,
                orjson.dumps(told).decode(),
            )

    async def prune(self, held: Sequence[Leased]) -> None:
        """Keeps the newest ATTEMPTS_MAX of each."""
        async with self._database.transaction() as connection:
            await connection.execute(_PRUNE, *fences(held), ATTEMPTS_MAX)


async def _record_levels(
    connection: Connection, fenced: tuple[list[str], list[int]], reports: Sequence[Report]
) -> None:
    rows = sorted(
        (
            report.leased.endpoint.id,
            *one.level,
            one.epoch,
            one.version,
            one.attempt,
            one.wait_s,
            one.status,
            one.failure,
        )
        for report in reports
        for one in report.reached
    )
    if rows:
        columns = list(map(list, zip(*rows, strict=True)))
        await connection.execute(_LOCK, *fenced, *columns[:3])
        await connection.execute(_DONE, *fenced, *columns[:5])
        await connection.execute(_REACHED, *fenced, *columns)


async def _record_notices(
    connection: Connection, fenced: tuple[list[str], list[int]], reports: Sequence[Report]
) -> None:
    rows = [
        (report.leased.endpoint.id, report.notice, report.notice_attempt, report.notice_wait_s)
        for report in reports
        if report.notice is not None
    ]
    if rows:
        await connection.execute(_NOTICED, *fenced, *map(list, zip(*rows, strict=True)))


def _row_of(tried: Tried) -> tuple[Any, ...]:
    return (
        *(tried.message, tried.type, tried.location, tried.sku, tried.version, _moment(tried.at_s)),
        *(tried.status, tried.failure, tried.excerpt, tried.elapsed_ms),
    )


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


_DUE = """
select a.endpoint, b.location, b.sku, b.epoch, b.shard, b.sent_version, b.newest_version, b.attempt
  from unnest($1::text[], $2::int[]) as a(endpoint, n)
 cross join lateral (
       select * from behind b
        where b.endpoint = a.endpoint and b.due_at <= now() and b.epoch = $3 order by b.due_at limit a.n) b
"""
_NOTICES_DUE = """
select a.endpoint, n.id, n.type, n.data, n.created_at, n.attempt
  from unnest($1::text[], $2::int[]) as a(endpoint, n)
 cross join lateral (
       select * from notice n
        where n.endpoint = a.endpoint and n.due_at <= now() order by n.due_at limit a.n) n
"""
_NEXT = """
select a.endpoint, extract(epoch from least(
         (select min(b.due_at) from behind b where b.endpoint = a.endpoint and b.due_at > now() and b.epoch = $2),
         (select min(n.due_at) from notice n where n.endpoint = a.endpoint and n.due_at > now())) - now())::float8
       as next_in_s
  from unnest($1::text[]) as a(endpoint)
"""
_LOCK = f"""
with {FENCED}
select from behind b join fenced f on f.endpoint = b.endpoint
       join unnest($3::text[], $4::text[], $5::text[]) as r(endpoint, location, sku)
         on r.endpoint = b.endpoint and r.location = b.location and r.sku = b.sku
 order by b.endpoint, b.location, b.sku for update of b
"""
"""In one order, as those are marked that a page moves: nobody waits for whoever waits for them."""
_DONE = f"""
with {FENCED}
delete from behind b
 using fenced f,
       unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[])
         as r(endpoint, location, sku, epoch, version)
 where f.endpoint = b.endpoint and r.endpoint = b.endpoint and r.location = b.location and r.sku = b.sku
   and b.epoch = r.epoch and b.newest_version <= r.version
"""
"""What was sent of a history that was rewritten meanwhile says nothing of the level as it is now."""
_REACHED = f"""
with {FENCED}
update behind b
   set sent_version = greatest(b.sent_version, r.version), attempt = r.attempt, last_status = r.status,
       last_error = r.failure, due_at = now() + make_interval(secs => coalesce(r.wait_s, 0)),
       first_failed_at = case when r.wait_s is not null then coalesce(b.first_failed_at, now()) end
  from fenced f,
       unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::int[], $9::float8[], $10::int[],
              $11::text[])
         as r(endpoint, location, sku, epoch, version, attempt, wait_s, status, failure)
 where f.endpoint = b.endpoint and r.endpoint = b.endpoint and r.location = b.location and r.sku = b.sku
   and b.epoch = r.epoch
"""
_NOTICED = f"""
with {FENCED},
r as (select * from unnest($3::text[], $4::text[], $5::int[], $6::float8[]) as r(endpoint, id, attempt, wait_s)),
done as (
  delete from notice n using fenced f, r
   where n.endpoint = f.endpoint and r.endpoint = n.endpoint and r.id = n.id and r.wait_s is null)
update notice n set attempt = r.attempt, due_at = now() + make_interval(secs => r.wait_s)
  from fenced f, r
 where n.endpoint = f.endpoint and r.endpoint = n.endpoint and r.id = n.id and r.wait_s is not null
"""
_STANDING = f"""
with {FENCED}
update standing s set failing_since = r.failing_since, failed_at = r.failed_at
  from fenced f
  join unnest($1::text[], $3::timestamptz[], $4::timestamptz[]) as r(endpoint, failing_since, failed_at)
    on r.endpoint = f.endpoint
 where s.endpoint = f.endpoint
   and (s.failing_since, s.failed_at) is distinct from (r.failing_since, r.failed_at)
"""
_TRIED = f"""
with {FENCED}
insert into attempt (endpoint, message, type, location, sku, version, at, status, failure, excerpt, elapsed_ms)
select r.* from fenced f
  join unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::timestamptz[], $10::int[],
              $11::text[], $12::text[], $13::int[])
       as r(endpoint, message, type, location, sku, version, at, status, failure, excerpt, elapsed_ms)
    on r.endpoint = f.endpoint
"""
_DISABLE = f"""
with {FENCED},
ended as (
  update endpoint e set state = $3, reason = $4 from fenced f where e.id = f.endpoint and e.state = 'enabled'
  returning e.id, e.owner)
insert into notice (endpoint, id, type, data)
select o.id, 'notice_' || md5(ended.id || o.id || now()::text), $5, $6::jsonb
  from ended join endpoint o on o.owner = ended.owner and o.id <> ended.id
 where o.state <> $3 and $5 = any(o.types)
"""
_REPLAYS = """
select distinct on (endpoint) endpoint, id, epoch, shard, next_seq, until_seq, attempt
  from replay where endpoint = any($1::text[]) and due_at <= now() order by endpoint, id, shard, next_seq
"""
_REPLAY_DONE = f"""
with {FENCED}
delete from replay r using fenced f where r.endpoint = f.endpoint and r.id = $3 and r.shard = $4 and r.until_seq = $5
"""
_REPLAY_GOES_ON = f"""
with {FENCED}
update replay r set next_seq = $6, attempt = $7, due_at = now() + make_interval(secs => $8)
  from fenced f where r.endpoint = f.endpoint and r.id = $3 and r.shard = $4 and r.until_seq = $5
"""
_PRUNE = f"""
with {FENCED}
delete from attempt a
 using fenced e
 where a.endpoint = e.endpoint
   and a.number < (select min(number) from (
         select number from attempt k where k.endpoint = e.endpoint order by number desc limit $3) kept)
"""
