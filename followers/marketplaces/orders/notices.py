"""Notices of channels: verified, stored, answered at once; applied later, by whoever holds the channel.

InboxFull       too many wait: the sender is to try again later
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from followers.database.database import Connection, Database
from followers.marketplaces.leased import LeasedChannel
from followers.marketplaces.orders.forms import order_json, order_of
from followers.marketplaces.orders.shelf import Shelf
from followers.marketplaces.terms import Notice, Order, Received, without_nul

WAITING_MAX = 10_000
WAITING_BYTES_MAX = 64 * 2**20
"""Of one channel. What is turned away is sent again, or found by a poll."""
KEPT_DAYS = 14
"""That an applied notice is known by its id, so that the same one is not taken twice; none is sent for so long."""
TRIED_DAYS = 3
"""That a notice is tried whose orders the channel does not give."""
ID_CHARACTERS_MAX = 200


class InboxFull(Exception):
    """It is answered with 503."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A notice that waits. ``levels``: what it says stands at the channel, by remote id."""

    id: str
    orders: Sequence[Order]
    changed_orders: Sequence[str]
    levels: dict[str, int | None]
    attempt: int


class Notices:
    """Raises DatabaseAway."""

    def __init__(self, database: Database, shelf: Shelf) -> None:
        self._database = database
        self._shelf = shelf

    async def store(self, channel: str, notice: Notice, received: Received) -> bool:
        """False: it was stored before. Raises InboxFull. On disk when it returns."""
        said = {
            "orders": [order_json(order) for order in received.orders],
            "changed": list(received.changed_orders),
            "levels": {level.remote: level.quantity for level in received.levels},
        }
        async with self._database.transaction() as connection:
            waiting = await connection.fetchrow(_WAITING, channel, WAITING_MAX)
            if waiting["notices"] >= WAITING_MAX or waiting["bytes"] + len(notice.body) > WAITING_BYTES_MAX:
                raise InboxFull(f"{waiting['notices']} notices of {waiting['bytes']} bytes wait")
            stored = await connection.fetchval(
                _STORE,
                channel,
                received.id.replace("\0", "")[:ID_CHARACTERS_MAX],
                without_nul(orjson.dumps(dict(notice.headers))).decode(),
                notice.body,
                without_nul(orjson.dumps(said)).decode(),
            )
        return stored is not None

    async def waiting(self, leased: LeasedChannel, limit: int) -> list[Stored]:
        """In the order in which they came."""
        async with self._shelf.fenced(leased) as connection:
            return [_stored(row) for row in await connection.fetch(_DUE, leased.id, limit)]

    @staticmethod
    async def applied(connection: Connection, leased: LeasedChannel, ids: Sequence[str]) -> None:
        """In the transaction of what they changed. Names and addresses of buyers are kept no longer."""
        await connection.execute(_APPLIED, leased.id, list(ids))

    async def postpone(self, leased: LeasedChannel, identifier: str, reason: str, wait_s: float) -> bool:
        """False: it was tried for so long that it keeps its place no more. What it told of is found by polls."""
        async with self._shelf.fenced(leased) as connection:
            given = leased.id, identifier, reason[:500]
            if await connection.fetchval(_POSTPONE, *given, wait_s, TRIED_DAYS):
                return True
            await connection.execute(_GIVE_UP, *given)
            return False

    async def forget_old(self, leased: LeasedChannel) -> None:
        async with self._shelf.fenced(leased) as connection:
            await connection.execute(_FORGET, leased.id, KEPT_DAYS)

    async def differs(self, connection: Connection, leased: LeasedChannel, levels: dict[str, int | None]) -> bool:
        """Whether something else stands there than what we last knew to be there: no echo of our own."""
        rows = await connection.fetch(_SENT, leased.id, list(levels))
        return any(levels[row["remote"]] != row["sent_quantity"] for row in rows)


def _stored(row: Any) -> Stored:
    said = orjson.loads(row["said"])
    orders = [order_of(order) for order in said["orders"]]
    return Stored(row["id"], orders, said["changed"], said["levels"], row["attempt"])


_WAITING = """
select count(*) as notices, coalesce(sum(length(body)), 0) as bytes
  from (select body from channel_notice where channel = $1 and applied_at is null limit $2) waiting
"""
_STORE = """
insert into channel_notice (channel, id, headers, body, said) values ($1, $2, $3::jsonb, $4, $5::jsonb)
on conflict do nothing returning 1
"""
_DUE = """
select id, said, attempt from channel_notice
 where channel = $1 and applied_at is null and due_at <= clock_timestamp()
 order by received_at, id limit $2
"""
_APPLIED = """
update channel_notice set applied_at = clock_timestamp(), headers = '{}', body = '', said = '{}', last_error = null
 where channel = $1 and id = any($2::text[])
"""
_POSTPONE = """
update channel_notice
   set attempt = attempt + 1, last_error = $3, due_at = clock_timestamp() + make_interval(secs => $4::float8)
 where channel = $1 and id = $2 and received_at > clock_timestamp() - make_interval(days => $5) returning true
"""
_GIVE_UP = """
update channel_notice set applied_at = clock_timestamp(), headers = '{}', body = '', said = '{}', last_error = $3
 where channel = $1 and id = $2
"""
_FORGET = """
delete from channel_notice
 where channel = $1 and applied_at < clock_timestamp() - make_interval(days => $2)
"""
_SENT = "select remote, sent_quantity from outgoing where channel = $1 and remote = any($2::text[])"
