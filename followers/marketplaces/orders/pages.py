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
"""Of the window: those that sell fastest."""


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
    """Between a sale there and our knowing of it. ``delay_s``: the longest of the last hour; None: nothing was sold.
    ``polled_s``: since the last poll of which all is booked. ``at_risk``: by remote id the most units that were sold
    within any ``delay_s`` of the last hour: so many may be sold twice.
    """

    delay_s: float | None
    polled_s: float | None
    at_risk: Mapping[str, int]


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
            row = await connection.fetchrow(_DELAY, channel)
            sold = await connection.fetch(_AT_RISK, channel, max(1.0, row["delay_s"] or 0.0), LISTINGS_MAX)
        return Window(row["delay_s"], row["polled_s"], {one["remote"]: one["units"] for one in sold})


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
_DELAY = """
select extract(epoch from (
         select max(first_told_at - placed_at) from channel_order
          where channel = $1 and is_ours and placed_at > now() - interval '1 hour'))::float8 as delay_s,
       extract(epoch from (
         select clock_timestamp() - polled_at from channel_poll where channel = $1))::float8 as polled_s
"""
_AT_RISK = """
with sold as (
  select line ->> 0 as remote, (line ->> 1)::bigint as units, o.placed_at
    from channel_order o, jsonb_array_elements(o.told -> 'lines') line
   where o.channel = $1 and o.is_ours and o.placed_at > now() - interval '1 hour'),
spans as (
  select remote, sum(units) over (partition by remote order by placed_at
                                  range between make_interval(secs => $2::float8) preceding and current row) as units
    from sold)
select remote, max(units)::bigint as units from spans group by remote order by units desc, remote limit $3
"""
