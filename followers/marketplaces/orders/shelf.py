"""Orders of channels in the database. Every write is under the fence of the channel's lease: raises LeaseLost."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Any

import orjson

from followers.channel_types import OVERSOLD, UNMAPPED
from followers.database.database import Connection, Database
from followers.database.notices import tell
from followers.marketplaces.leased import LeasedChannel
from followers.marketplaces.orders.booking import Booked, Decision
from followers.marketplaces.orders.forms import (
    Booking,
    booked_json,
    booked_of,
    booking_json,
    booking_of,
    order_json,
    order_of,
)
from followers.marketplaces.orders.knowing import judge, moved
from followers.marketplaces.terms import Order

BY_CHANNEL = "the channel"
"""Who has resolved what is oversold no more: the order takes less now, or stock came."""


@dataclass(frozen=True, slots=True)
class KeptOrder:
    """``mapped``: where a line's units are taken from, by remote id: a sku, and a location or None for the channel's.
    Once said it stays, so that an edit of an old order means what the order meant.
    """

    order: Order
    version: int
    mapped: Mapping[str, tuple[str, str | None]]
    booked: Booked
    waived: Mapping[str, int]
    booking: Booking | None
    revision: int
    no_hold: bool
    attempt: int
    unmapped: tuple[str, ...]


class Shelf:
    """Raises DatabaseAway."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def fenced(self, leased: LeasedChannel) -> AbstractAsyncContextManager[Connection]:
        """A transaction that commits only while the lease is ours. Raises LeaseLost."""
        return leased.writing(self._database)

    async def learn(
        self, connection: Connection, leased: LeasedChannel, orders: Iterable[Order], *, fetched: bool
    ) -> list[str]:
        """Newer words take the place of what was known, in the caller's transaction. Returns ids of orders that are
        to be fetched before anything is known of them.
        """
        unclear = []
        listings: set[str] = set()
        for order in sorted(orders, key=lambda one: one.id):
            row = await connection.fetchrow(_KNOWN, leased.id, order.id)
            known = order_of(orjson.loads(row["told"])) if row else None
            verdict = judge(known, order, fetched=fetched)
            if verdict == "unclear":
                unclear.append(order.id)
            elif verdict == "newer":
                await connection.execute(
                    _LEARN,
                    leased.id,
                    order.id,
                    order.number or order.id,
                    order.state,
                    order.placed_at,
                    order.updated_at,
                    _text(order_json(order)),
                )
                listings |= moved(known, order)
        if listings:
            await connection.execute(_ORDERED, leased.id, list(listings))
        return unclear

    async def due(self, leased: LeasedChannel, limit: int, leave_out: Sequence[str] = ()) -> list[str]:
        """Ids of orders to be looked at, who bought first in front. What was mapped since is due by that."""
        async with self.fenced(leased) as connection:
            await connection.execute(_MAPPED_SINCE, leased.id)
            rows = await connection.fetch(_DUE, leased.id, list(leave_out), limit)
        return [row["id"] for row in rows]

    async def order(self, leased: LeasedChannel, identifier: str) -> KeptOrder | None:
        """With the mapping of lines that had none. None: there is no such order."""
        async with self.fenced(leased) as connection:
            row = await connection.fetchrow(_ORDER, leased.id, identifier)
            if row is None:
                return None
            kept = _kept(row)
            new = [line.remote for line in kept.order.lines if line.remote not in kept.mapped]
            found = await connection.fetch(_MAPPING, leased.id, new) if new else []
        mapped = {one["remote"]: (one["sku"], one["location"]) for one in found}
        return replace(kept, mapped={**kept.mapped, **mapped})

    async def begin(self, leased: LeasedChannel, kept: KeptOrder, booking: Booking) -> None:
        """Before it is sent: whoever comes after a crash finds it, and sends the same."""
        async with self.fenced(leased) as connection:
            await connection.execute(
                _BEGIN,
                leased.id,
                kept.order.id,
                _text(booking_json(booking)),
                kept.revision + 1,
                _text(dict(kept.mapped)),
            )

    async def done(self, leased: LeasedChannel, identifier: str, booked: Booked) -> None:
        """The step was done: what is booked now."""
        async with self.fenced(leased) as connection:
            await connection.execute(_DONE, leased.id, identifier, _text(booked_json(booked)), booked.hold is not None)

    async def refused(
        self,
        leased: LeasedChannel,
        identifier: str,
        reason: str,
        *,
        booked: Booked | None,
        no_hold: bool,
        wait_s: float,
    ) -> None:
        """The step was not done and never will be under its key: another one is decided on after ``wait_s``."""
        said = None if booked is None else _text(booked_json(booked))
        async with self.fenced(leased) as connection:
            await connection.execute(
                _REFUSED, leased.id, identifier, said, booked is not None and booked.hold is None, no_hold,
                wait_s, reason[:500],
            )  # fmt: skip

    async def settle(self, leased: LeasedChannel, kept: KeptOrder, unmapped: Sequence[str], decision: Decision) -> bool:
        """Nothing is left to be done for the order as it was read: what is short is oversold, what is not mapped waits.

        False: the channel has said something newer meanwhile.
        """
        async with self.fenced(leased) as connection:
            settled = await connection.fetchval(
                _SETTLE,
                leased.id,
                kept.order.id,
                kept.version,
                _text(dict(kept.mapped)),
                list(unmapped),
                _text(dict(decision.waived)),
            )
            if settled is None:
                return False
            await self._oversold(connection, leased, kept, decision.short)
            await connection.execute(_LOOK_AGAIN, leased.id, _listings(kept))
            if new := [remote for remote in unmapped if remote not in kept.unmapped]:
                await tell(connection, UNMAPPED, leased.id, {**_named(kept), "listings": new})
        return True

    async def postpone(self, leased: LeasedChannel, identifier: str, reason: str, wait_s: float) -> None:
        """What became of the step is not known, or none could be decided on: the same is tried again."""
        async with self.fenced(leased) as connection:
            await connection.execute(_POSTPONE, leased.id, identifier, wait_s, reason[:500])

    async def renewed(self, leased: LeasedChannel, identifier: str, booked: Booked) -> None:
        """Its hold was given more time; or is over, and then the order is looked at."""
        said, is_held = _text(booked_json(booked)), booked.hold is not None
        async with self.fenced(leased) as connection:
            await connection.execute(_RENEWED, leased.id, identifier, said, is_held)

    async def renewable(self, leased: LeasedChannel, older_than_s: float, limit: int) -> list[str]:
        """Ids of orders whose hold was given so long ago."""
        async with self.fenced(leased) as connection:
            rows = await connection.fetch(_RENEWABLE, leased.id, older_than_s, limit)
        return [row["id"] for row in rows]

    @staticmethod
    async def _oversold(
        connection: Connection, leased: LeasedChannel, kept: KeptOrder, short: Mapping[str, int]
    ) -> None:
        """Each is told once: when it comes to be, or grows."""
        rows = await connection.fetch(_OPEN_OVERSOLD, leased.id, kept.order.id)
        known = {row["sku"]: row["units"] for row in rows}
        for sku in known:
            if sku not in short:
                await connection.execute(_NO_MORE, leased.id, kept.order.id, sku, BY_CHANNEL)
        for sku, units in short.items():
            if units == known.get(sku):
                continue
            await connection.execute(_OVERSOLD, leased.id, kept.order.id, sku, units)
            if units > known.get(sku, 0):
                await tell(connection, OVERSOLD, leased.id, {**_named(kept), "sku": sku, "units": units}, sku=sku)


def _named(kept: KeptOrder) -> dict[str, Any]:
    return {"order": kept.order.id, "number": kept.order.number}


def _listings(kept: KeptOrder) -> list[str]:
    """All that it has taken."""
    return sorted({*(line.remote for line in kept.order.lines), *kept.mapped})


def _kept(row: Any) -> KeptOrder:
    return KeptOrder(
        order_of(orjson.loads(row["told"])),
        row["told_version"],
        {remote: (sku, location) for remote, (sku, location) in orjson.loads(row["mapped"]).items()},
        booked_of(orjson.loads(row["booked"])),
        orjson.loads(row["waived"]),
        booking_of(orjson.loads(row["booking"])) if row["booking"] else None,
        row["revision"],
        row["no_hold"],
        row["attempt"],
        tuple(row["unmapped"]),
    )


def _text(said: Any) -> str:
    return orjson.dumps(said).decode()


_FENCE = "select 1 from channel_lease where channel = $1 and fence = $2 for share"
_KNOWN = "select told from channel_order where channel = $1 and id = $2 for update"
_LEARN = """
insert into channel_order as o
  (channel, id, number, state, placed_at, updated_at, told, is_ours, due_at)
select $1, $2, $3, $4, $5, $6, $7::jsonb, $5 >= c.created_at, case when $5 >= c.created_at then clock_timestamp() end
  from channel c where c.id = $1
on conflict (channel, id) do update
  set number = excluded.number, state = excluded.state, updated_at = excluded.updated_at, told = excluded.told,
      told_at = clock_timestamp(), told_version = o.told_version + 1, attempt = 0,
      due_at = case when o.is_ours then clock_timestamp() end
"""
_ORDERED = """
with moved as (
  select remote from outgoing where channel = $1 and remote = any($2::text[]) order by remote for update)
update outgoing o set ordered_at = clock_timestamp() from moved m where o.channel = $1 and o.remote = m.remote
"""
_LOOK_AGAIN = """
with moved as (
  select remote from outgoing
   where channel = $1 and remote = any($2::text[]) and state = 'rest'
     and coalesce(ordered_at > known_at, ordered_at is not null)
   order by remote for update)
update outgoing o set state = 'due', due_at = now() from moved m where o.channel = $1 and o.remote = m.remote
"""
"""What is booked makes its listings due. What is not moves only what stands there: an order that nothing was left for,
when it is cancelled."""
_MAPPED_SINCE = """
update channel_order o set due_at = clock_timestamp()
 where o.channel = $1 and o.unmapped <> '{}' and o.due_at is null
   and exists (select 1 from mapping m where m.channel = o.channel and m.remote = any(o.unmapped))
"""
_DUE = """
select id from channel_order
 where channel = $1 and due_at <= clock_timestamp() and id <> all($2::text[])
 order by placed_at, id limit $3
"""
_ORDER = """
select told, told_version, mapped, booked, waived, booking, revision, no_hold, attempt, unmapped
  from channel_order where channel = $1 and id = $2
"""
_MAPPING = "select remote, sku, location from mapping where channel = $1 and remote = any($2::text[])"
_BEGIN = """
update channel_order set booking = $3::jsonb, revision = $4, mapped = $5::jsonb where channel = $1 and id = $2
"""
_DONE = """
update channel_order
   set booked = $3::jsonb, booking = null, attempt = 0, last_error = null,
       hold_renewed_at = case when $4 then clock_timestamp() end
 where channel = $1 and id = $2
"""
_REFUSED = """
update channel_order
   set booked = coalesce($3::jsonb, booked), booking = null, attempt = attempt + 1, last_error = $7,
       hold_renewed_at = case when not $4 then hold_renewed_at end, no_hold = no_hold or $5,
       due_at = clock_timestamp() + make_interval(secs => $6::float8)
 where channel = $1 and id = $2
"""
_SETTLE = """
update channel_order
   set due_at = null, attempt = 0, last_error = null, mapped = $4::jsonb, unmapped = $5, waived = $6::jsonb,
       settled_at = coalesce(settled_at, clock_timestamp())
 where channel = $1 and id = $2 and told_version = $3
returning 1
"""
_POSTPONE = """
update channel_order
   set attempt = attempt + 1, last_error = $4, due_at = clock_timestamp() + make_interval(secs => $3::float8)
 where channel = $1 and id = $2
"""
_RENEWED = """
update channel_order
   set booked = $3::jsonb, hold_renewed_at = case when $4 then clock_timestamp() end,
       due_at = case when $4 then due_at else clock_timestamp() end
 where channel = $1 and id = $2 and booking is null
"""
_RENEWABLE = """
select id from channel_order
 where channel = $1 and hold_renewed_at < clock_timestamp() - make_interval(secs => $2::float8)
 order by hold_renewed_at limit $3
"""
_OPEN_OVERSOLD = "select sku, units from oversold where channel = $1 and order_id = $2 and resolved_at is null"
_NO_MORE = """
update oversold
   set resolved_at = clock_timestamp(), resolved_by = coalesce(resolved_by, $4),
       why = coalesce(why, 'nothing of it is missing any more')
 where channel = $1 and order_id = $2 and sku = $3 and resolved_at is null
"""
_OVERSOLD = """
with known as (
  update oversold set units = $4 where channel = $1 and order_id = $2 and sku = $3 and resolved_at is null
  returning 1)
insert into oversold (channel, order_id, sku, number, units)
select $1, $2, $3, 1 + (select count(*) from oversold where channel = $1 and order_id = $2 and sku = $3), $4
 where not exists (select 1 from known)
"""
