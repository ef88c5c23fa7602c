"""What each listing was last sent, and what became of it: one row each, the newest target, never a queue.

Whatever is changed here is changed in a transaction under the channel's fence: ``LeasedChannel.writing``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from followers.database.database import Connection, Database
from followers.marketplaces.pushing import way_out
from followers.marketplaces.pushing.planning import Candidate, State

POLLED_S = 600
"""For so long a poll of orders says what may be raised: a channel that was away meanwhile may have sold since. Longer
than from one poll to the next."""
ROUND_MAX = 10_000
"""Rows that are looked at in one round."""
WAIT_S_MAX = 2 * 86_400.0
"""However long a channel says: the quota of a day, and a day more. Some numbers are no time at all."""
READ_BACK_S = 5.0
"""After a process died between sending and recording, its listing is read back so soon."""


@dataclass(frozen=True, slots=True)
class Row:
    """``location``: None: all of the channel's. ``changes``: how often it was made due, ``changed_at`` by what was
    committed when; what is read of the ledger after the row knows all of them. ``sent_today``: how often it was sent on
    the channel's day ``sent_on``. ``read_at``: when the row was read, by the database's clock."""

    remote: str
    sku: str
    location: str | None
    state: State
    sent: int | None
    wanted: int | None
    attempt: int
    polled: bool
    settled: bool
    moved: bool
    changes: int
    changed_at: datetime
    key: str | None
    sent_on: date | None
    sent_today: int
    read_at: datetime

    def candidate(self, target: int) -> Candidate:
        return Candidate(self.remote, target, self.state, self.sent, self.wanted, self.polled, self.settled, self.moved)


@dataclass(frozen=True, slots=True)
class Sending:
    """``available``: what ``quantity`` was computed from; ``changes``, ``changed_at``: of the row before that was
    read."""

    remote: str
    quantity: int
    available: int
    key: str
    changes: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Begun:
    """``sent_today``, ``day_left_s``: as ``Target`` has them."""

    sent_today: int
    day_left_s: float


@dataclass(frozen=True, slots=True)
class Dead:
    remote: str
    quantity: int | None
    reason: str


def bounded_s(seconds: float) -> float:
    """What a channel says of a wait, 0 if that is no number."""
    return min(max(0.0, seconds), WAIT_S_MAX)


class Outgoing:
    """Of one database. All raise DatabaseAway."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, channel: str) -> list[Row]:
        """To be sent, or looked at: those that wait or are in doubt too, if something has changed since they were sent:
        a zero waits for nothing."""
        async with self._database.transaction() as connection:
            return [
                Row(**row)
                for row in await connection.fetch(
                    f"{_SELECT} and (o.state = 'due' and o.due_at <= now()"
                    " or o.state in ('due', 'accepted', 'unknown') and o.changes <> o.sent_changes)"
                    " order by o.due_at, o.remote limit $2",
                    *(channel, ROUND_MAX),
                )
            ]

    async def to_read(self, channel: str, limit: int) -> list[Row]:
        """To be read back: their outcome is not known, and it is time."""
        async with self._database.transaction() as connection:
            return [
                Row(**row)
                for row in await connection.fetch(
                    f"{_SELECT} and o.state in ('accepted', 'unknown') and o.due_at <= now()"
                    " order by o.due_at, o.remote limit $2",
                    *(channel, limit),
                )
            ]

    async def next_in_s(self, channel: str) -> float | None:
        """When the next of them is due; None: nothing is."""
        async with self._database.transaction() as connection:
            found = await connection.fetchval(
                "select extract(epoch from min(due_at) - now())::float8 from outgoing"
                " where channel = $1 and state in ('due', 'accepted', 'unknown')",
                channel,
            )
        return None if found is None else float(found)


async def begin(
    connection: Connection, channel: str, sendings: Sequence[Sending], days: timezone
) -> Mapping[str, Begun]:
    """Before they are sent: if nothing is recorded after it, they are in doubt. Returns those that are still there.

    A fall that came after the row was read may be in what was computed or not: it counts as one that is not, of no
    earlier than the row's ``changed_at``. What the channel had accepted before is on its way by itself. ``days``: the
    channel's, by which it is counted how often they were sent.
    """
    rows = await connection.fetch(
        "update outgoing o set state = 'unknown', wanted_quantity = s.quantity, available = s.available, key = s.key,"
        " sent_changes = s.changes, sent_at = clock_timestamp(), due_at = clock_timestamp() + $7,"
        " sent_fell_at = case when o.state = 'accepted' then o.fell_at else least(o.sent_fell_at, o.fell_at) end,"
        " fell_at = case when o.changes <> s.changes and o.fell_at is not null"
        " then greatest(o.fell_at, s.changed_at) end,"
        " sent_on = there.now::date,"
        " sent_today = 1 + case when o.sent_on = there.now::date then o.sent_today else 0 end"
        " from unnest($2::text[], $3::int[], $4::int[], $5::text[], $6::bigint[], $9::timestamptz[])"
        " as s(remote, quantity, available, key, changes, changed_at),"
        " (select clock_timestamp() at time zone 'UTC' + $8::interval as now) there"
        " where o.channel = $1 and o.remote = s.remote returning o.remote, o.sent_today - 1 as sent_before,"
        " extract(epoch from there.now::date + 1 - there.now)::float8 as left_s",
        channel,
        [one.remote for one in sendings],
        [one.quantity for one in sendings],
        [one.available for one in sendings],
        [one.key for one in sendings],
        [one.changes for one in sendings],
        timedelta(seconds=READ_BACK_S),
        days.utcoffset(None),
        [one.changed_at for one in sendings],
    )
    return {row["remote"]: Begun(row["sent_before"], row["left_s"]) for row in rows}


async def applied(connection: Connection, channel: str, stands: Sequence[tuple[str, int]]) -> None:
    """``stands``: id and quantity. What has changed meanwhile is due. It stands there now also where it was to be read,
    as ``unexpected`` says, before a smaller number was sent: a poll that begins later is enough."""
    rows = await connection.fetch(
        "update outgoing o set sent_quantity = s.quantity, wanted_quantity = null, attempt = 0, last_reason = null,"
        " known_at = sent_at, state = case when changes <> sent_changes then 'due' else 'rest' end, due_at = now(),"
        " sent_fell_at = null,"
        " polled_after = case when polled_after = 'infinity' then clock_timestamp() else polled_after end"
        f" from unnest($2::text[], $3::int[]) as s(remote, quantity), ({_BEFORE}) as b"
        " where o.channel = $1 and o.remote = s.remote and b.remote = s.remote returning b.sent_fell_at",
        *(channel, [remote for remote, _ in stands], [quantity for _, quantity in stands]),
    )
    await way_out.note(connection, channel, (row["sent_fell_at"] for row in rows))


async def still_in_doubt(connection: Connection, channel: str, rows: Sequence[Row]) -> set[str]:
    """Those of them that nothing else has become of since they were looked at; nothing does before the end of the
    transaction."""
    found = await connection.fetch(
        "select o.remote from outgoing o join unnest($2::text[], $3::text[]) as r(remote, key) on r.remote = o.remote"
        " where o.channel = $1 and o.key is not distinct from r.key and o.state in ('accepted', 'unknown')"
        " order by o.remote for update of o",
        *(channel, [row.remote for row in rows], [row.key for row in rows]),
    )
    return {row["remote"] for row in found}


@dataclass(frozen=True, slots=True)
class Doubt:
    """``read_s``: in how many seconds it is read back. ``reason``: None leaves the last one."""

    remote: str
    read_s: float
    reason: str | None = None


async def in_doubt(connection: Connection, channel: str, state: str, doubts: Sequence[Doubt]) -> None:
    """``state``: accepted or unknown."""
    await connection.execute(
        "update outgoing o set state = $2, attempt = attempt + 1, last_reason = coalesce(d.reason, last_reason),"
        " due_at = clock_timestamp() + d.seconds * interval '1 second'"
        " from unnest($3::text[], $4::float8[], $5::text[]) as d(remote, seconds, reason)"
        " where o.channel = $1 and o.remote = d.remote",
        *(channel, state, [one.remote for one in doubts], [bounded_s(one.read_s) for one in doubts]),
        [one.reason for one in doubts],
    )


async def not_done(connection: Connection, channel: str, waits: Sequence[tuple[str, float]]) -> None:
    """Nothing was done of it: what stood there stands there. ``waits``: each with the seconds until it is due again. If
    it was to be read, as ``unexpected`` says, before a smaller number was sent, it is read then."""
    await connection.execute(
        "update outgoing o set state = case when polled_after = 'infinity' then 'unknown' else 'due' end,"
        " wanted_quantity = null, sent_today = greatest(0, sent_today - 1),"
        " due_at = clock_timestamp() + w.seconds * interval '1 second'"
        " from unnest($2::text[], $3::float8[]) as w(remote, seconds) where o.channel = $1 and o.remote = w.remote",
        *(channel, [remote for remote, _ in waits], [bounded_s(seconds) for _, seconds in waits]),
    )


async def unexpected(connection: Connection, channel: str, remotes: Sequence[str]) -> None:
    """Something else stands there than we thought: it is read, and waits for a poll that begins after that. The other
    way round a sale between poll and read would be in what we compare with and not in our books. A zero would not have
    compared, so what has fallen is on its way no more."""
    await connection.execute(
        "update outgoing set state = 'unknown', wanted_quantity = null, due_at = now(), sent_fell_at = null,"
        " polled_after = 'infinity' where channel = $1 and remote = any($2::text[])",
        *(channel, list(remotes)),
    )


async def dead(connection: Connection, channel: str, letters: Sequence[Dead]) -> None:
    """A later change of what they shall offer makes them due again, or to be read first, as ``not_done`` does."""
    await connection.execute(
        "update outgoing o set state = case when changes = sent_changes then 'dead'"
        " when polled_after = 'infinity' then 'unknown' else 'due' end, due_at = now(),"
        " wanted_quantity = coalesce(d.quantity, wanted_quantity), sent_fell_at = null,"
        " last_reason = d.reason, sent_at = clock_timestamp()"
        " from unnest($2::text[], $3::int[], $4::text[]) as d(remote, quantity, reason)"
        " where o.channel = $1 and o.remote = d.remote",
        channel,
        [one.remote for one in letters],
        [one.quantity for one in letters],
        [one.reason for one in letters],
    )


async def at_rest(connection: Connection, channel: str, looked_at: Sequence[tuple[str, int]]) -> None:
    """They offer what they shall. ``looked_at``: with the row's ``changes``: if there are more by now, it stays due."""
    rows = await connection.fetch(
        "update outgoing o set state = 'rest', attempt = 0, fell_at = null, sent_fell_at = null"
        f" from unnest($2::text[], $3::bigint[]) as l(remote, changes), ({_BEFORE}) as b"
        " where o.channel = $1 and o.remote = l.remote and b.remote = l.remote"
        " and o.changes = l.changes and o.state = 'due' returning least(b.fell_at, b.sent_fell_at) as fell_at",
        *(channel, [remote for remote, _ in looked_at], [changes for _, changes in looked_at]),
    )
    await way_out.note(connection, channel, (row["fell_at"] for row in rows))


async def wait_for_orders(connection: Connection, channel: str, looked_at: Sequence[tuple[str, int]]) -> None:
    """Until then no fall is on its way to them: a zero would not wait. ``looked_at``: as ``at_rest``."""
    await connection.execute(
        "update outgoing o set fell_at = null, sent_fell_at = null"
        " from unnest($2::text[], $3::bigint[]) as l(remote, changes)"
        " where o.channel = $1 and o.remote = l.remote and o.changes = l.changes and o.state = 'due'"
        " and (o.fell_at is not null or o.sent_fell_at is not null)",
        *(channel, [remote for remote, _ in looked_at], [changes for _, changes in looked_at]),
    )


async def read_back(
    connection: Connection, channel: str, found: Sequence[tuple[str, int, bool]], asked_at: datetime
) -> None:
    """``found``: id, what stands there, and whether that was to be expected (what stood before, or what was wanted).
    ``asked_at``: before the channel was asked."""
    rows = await connection.fetch(
        "update outgoing o set sent_quantity = s.quantity, wanted_quantity = null, state = 'due', due_at = now(),"
        " known_at = $5,"
        " sent_fell_at = case when s.quantity <= o.wanted_quantity then null else o.sent_fell_at end,"
        " polled_after = case when s.expected and o.polled_after is distinct from 'infinity' then o.polled_after"
        " else clock_timestamp() end"
        f" from unnest($2::text[], $3::int[], $4::bool[]) as s(remote, quantity, expected), ({_BEFORE}) as b"
        " where o.channel = $1 and o.remote = s.remote and b.remote = s.remote"
        " and o.state in ('accepted', 'unknown')"
        " returning case when o.sent_fell_at is null then b.sent_fell_at end as fell_at",
        channel,
        [remote for remote, _, _ in found],
        [quantity for _, quantity, _ in found],
        [expected for _, _, expected in found],
        asked_at,
    )
    await way_out.note(connection, channel, (row["fell_at"] for row in rows))


_BEFORE = (
    "select remote, fell_at, sent_fell_at from outgoing where channel = $1 and remote = any($2::text[]) for update"
)
"""With what they had until now."""
_SELECT = f"""
select o.remote, m.sku, m.location, o.state, o.sent_quantity as sent, o.wanted_quantity as wanted,
       o.attempt, o.changes, o.changed_at, o.key, o.sent_on, o.sent_today,
       coalesce(p.polled_at > greatest(o.changed_at, o.ordered_at)
                and p.ended_at > now() - interval '{POLLED_S} s', false) as polled,
       o.polled_after is null or coalesce(p.polled_at > o.polled_after, false) as settled,
       coalesce(o.ordered_at > o.known_at, o.ordered_at is not null) as moved, clock_timestamp() as read_at
  from outgoing o join mapping m on m.channel = o.channel and m.remote = o.remote
  left join channel_poll p on p.channel = o.channel
 where o.channel = $1
"""
