"""Orders of a channel as people see them, and what they decide about what was oversold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import orjson

from followers.database.database import Database
from followers.marketplaces.orders.booking import Booked
from followers.marketplaces.orders.forms import booked_of, order_of
from followers.marketplaces.terms import Order

Which = Literal["all", "waiting", "unmapped", "oversold"]
LISTINGS_MAX = 20
"""Of the window: those of most units at risk."""
SPAN_S_MIN, SPAN_S_MAX = 1.0, 86_400.0
"""Of what is at risk. Many channels give the time of an order in whole seconds; after a day somebody has seen it."""


@dataclass(frozen=True, slots=True)
class OrderShown:
    """``entry`` counts orders as they became known. ``mapped``: by remote id, as it was booked. ``oversold``: units by
    sku that are still missing. ``reason``: why it waits, if it was tried. ``is_ours``: placed since the channel is
    there; all others are not booked.
    """

    entry: int
    order: Order
    mapped: Mapping[str, tuple[str, str | None]]
    unmapped: Sequence[str]
    booked: Booked
    oversold: Mapping[str, int]
    waits: bool
    reason: str | None
    is_ours: bool


@dataclass(frozen=True, slots=True)
class Oversold:
    """``resolved_by``: also of one that is still open, who asked to book it again."""

    order: str
    number: str
    sku: str
    units: int
    at: datetime
    resolved_at: datetime | None
    resolved_by: str | None
    why: str | None


@dataclass(frozen=True, slots=True)
class Unmapped:
    """Sold there, and of no sku here: ``units`` in ``orders`` that wait for a mapping of ``remote``."""

    remote: str
    title: str
    orders: int
    units: int


@dataclass(frozen=True, slots=True)
class Window:
    """How long a unit of this channel's may be sold twice. All of the last hour, and of what is still on its way.

    ``way_in_s``: the longest from a sale there to its booking here; None: nothing was sold. ``way_out_s``: the longest
    from a fall of what is available here until a number that knows it stands there; None: nothing fell. ``polled_s``:
    since the last poll of which all is booked. ``selling``: by remote id.
    """

    way_in_s: float | None
    way_out_s: float | None
    polled_s: float | None
    selling: Mapping[str, "Selling"]


@dataclass(frozen=True, slots=True)
class Selling:
    """A listing's units that were sold in the last hour, and ``at_risk`` the most of them within any span as long as
    both ways together: whoever sold the last unit, no more of this listing's orders find nothing here. They were not
    booked yet when it was sold, or came before 0 stood there.
    """

    sold: int
    at_risk: int


class OrderPages:
    """``owner``: whose channels; None: everybody's. Raises DatabaseAway."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def has(self, channel: str, owner: str | None) -> bool:
        async with self._database.transaction() as connection:
            return await connection.fetchval(_HAS, channel, owner) is not None

    async def orders(
        self, channel: str, which: Which, identifier: str | None, before: int, limit: int
    ) -> list[OrderShown]:
        """The newest first, those behind the entry ``before``."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(_ORDERS, channel, which, identifier, before, limit)
        return [_order(row) for row in rows]

    async def oversold(self, channel: str, *, resolved: bool, limit: int) -> list[Oversold]:
        """The oldest first; with ``resolved`` the newest of all."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(_ALL_OVERSOLD if resolved else _OPEN, channel, limit)
        return [Oversold(*row.values()) for row in rows]

    async def unmapped(self, channel: str, limit: int) -> list[Unmapped]:
        """Those of most units first."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(_UNMAPPED, channel, limit)
        return [Unmapped(*row.values()) for row in rows]

    async def book_again(self, channel: str, order: str, sku: str, by: str, why: str) -> bool:
        """What is missing is booked if it is there now. False: nothing of ``sku`` is oversold."""
        async with self._database.transaction() as connection:
            return await connection.fetchval(_BOOK_AGAIN, channel, order, sku, by, why) is not None

    async def give_up(self, channel: str, order: str, sku: str, by: str, why: str) -> bool:
        """What is missing is not booked any more, though it comes. False: nothing of ``sku`` is oversold."""
        async with self._database.transaction() as connection:
            return await connection.fetchval(_GIVE_UP, channel, order, sku, by, why) is not None

    async def window(self, channel: str) -> Window:
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(_WAYS, channel)
            span_s = min(max(SPAN_S_MIN, (row["way_in_s"] or 0.0) + (row["way_out_s"] or 0.0)), SPAN_S_MAX)
            sold = await connection.fetch(_AT_RISK, channel, span_s, LISTINGS_MAX)
        selling = {one["remote"]: Selling(one["sold"], one["at_risk"]) for one in sold}
        return Window(row["way_in_s"], row["way_out_s"], row["polled_s"], selling)


def _order(row: Any) -> OrderShown:
    return OrderShown(
        row["entry"],
        order_of(orjson.loads(row["told"])),
        {remote: (sku, location) for remote, (sku, location) in orjson.loads(row["mapped"]).items()},
        row["unmapped"],
        booked_of(orjson.loads(row["booked"])),
        orjson.loads(row["oversold"]),
        row["waits"],
        row["last_error"],
        row["is_ours"],
    )


_HAS = "select 1 from channel where id = $1 and ($2::text is null or owner = $2)"
_ORDERS = """
select entry, told, mapped, unmapped, booked, due_at is not null as waits, last_error, is_ours,
       coalesce((select jsonb_object_agg(s.sku, s.units) from oversold s
                  where s.channel = o.channel and s.order_id = o.id and s.resolved_at is null), '{}') as oversold
  from channel_order o
 where channel = $1 and entry < $4 and ($3::text is null or id = $3)
   and case $2 when 'waiting' then due_at is not null
               when 'unmapped' then unmapped <> '{}'
               when 'oversold' then exists (select 1 from oversold s where s.channel = o.channel
                                               and s.order_id = o.id and s.resolved_at is null)
               else true end
 order by entry desc limit $5
"""
_OVERSOLD = """
select s.order_id, o.number, s.sku, s.units, s.at, s.resolved_at, s.resolved_by, s.why
  from oversold s join channel_order o on o.channel = s.channel and o.id = s.order_id
 where s.channel = $1
"""
_OPEN = f"{_OVERSOLD} and s.resolved_at is null order by s.at, s.order_id, s.sku limit $2"
_ALL_OVERSOLD = f"{_OVERSOLD} order by s.at desc, s.order_id, s.sku limit $2"
_UNMAPPED = """
select one.remote, coalesce(max(l.title), ''), count(distinct o.id), sum((line ->> 1)::bigint)::bigint as units
  from channel_order o
 cross join lateral unnest(o.unmapped) one(remote)
  join lateral jsonb_array_elements(o.told -> 'lines') line on line ->> 0 = one.remote
  left join listing l on l.channel = o.channel and l.remote = one.remote
 where o.channel = $1 and o.unmapped <> '{}'
 group by one.remote order by units desc, one.remote limit $2
"""
_BOOK_AGAIN = """
with found as (
  update oversold set resolved_by = $4, why = $5
   where channel = $1 and order_id = $2 and sku = $3 and resolved_at is null
  returning channel, order_id)
update channel_order o set due_at = clock_timestamp(), attempt = 0, told_version = told_version + 1
  from found f where o.channel = f.channel and o.id = f.order_id
returning 1
"""
_GIVE_UP = """
with found as (
  update oversold set resolved_at = clock_timestamp(), resolved_by = $4, why = $5
   where channel = $1 and order_id = $2 and sku = $3 and resolved_at is null
  returning channel, order_id, sku, units)
update channel_order o
   set due_at = clock_timestamp(), attempt = 0, told_version = told_version + 1,
       waived = jsonb_set(waived, array[f.sku], to_jsonb(coalesce((waived ->> f.sku)::bigint, 0) + f.units))
  from found f where o.channel = f.channel and o.id = f.order_id
returning 1
"""
_WAYS = """
select extract(epoch from (
         select greatest(max(coalesce(settled_at, clock_timestamp()) - placed_at), interval '0') from channel_order
          where channel = $1 and is_ours and (settled_at is null or settled_at > now() - interval '1 hour')
         having count(*) > 0))::float8 as way_in_s,
       greatest(
         (select max(longest_s) from way_out where channel = $1 and minute > now() - interval '61 minutes'),
         (select extract(epoch from clock_timestamp() - min(least(fell_at, sent_fell_at))) from outgoing
           where channel = $1 and state in ('due', 'accepted', 'unknown')))::float8 as way_out_s,
       extract(epoch from (
         select clock_timestamp() - polled_at from channel_poll where channel = $1))::float8 as polled_s
"""
_AT_RISK = """
with sold as (
  select line ->> 0 as remote, (line ->> 1)::bigint as units, o.placed_at
    from channel_order o, jsonb_array_elements(o.told -> 'lines') line
   where o.channel = $1 and o.is_ours and o.placed_at > now() - interval '1 hour' - make_interval(secs => $2::float8)),
spans as (
  select remote, units, placed_at,
         sum(units) over (partition by remote order by placed_at
                          range between make_interval(secs => $2::float8) preceding and current row) as within
    from sold)
select remote, max(within)::bigint as at_risk,
       coalesce(sum(units) filter (where placed_at > now() - interval '1 hour'), 0)::bigint as sold
  from spans group by remote order by at_risk desc, remote limit $3
"""
