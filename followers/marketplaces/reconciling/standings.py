"""How the listings of one page stand here: what we mean them to offer, and a stamp of all that could explain another
number there."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from followers.database.database import Connection, Database
from followers.log.ledger import Ledger
from followers.marketplaces.channels import Channel
from followers.marketplaces.orders.forms import order_of
from followers.marketplaces.pushing.offers import Offer, Offers
from followers.marketplaces.reconciling.comparing import KnownOrder, Standing
from followers.marketplaces.terms import Listing


@dataclass(frozen=True, slots=True)
class Page:
    """``standings``: of mapped listings, by remote id. ``known_skus``: of all names that either side uses on the page,
    those that have ever had stock at the channel's locations."""

    standings: Mapping[str, Standing]
    known_skus: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Mapped:
    """``ordered``: an order that is told and not booked yet takes from it what our number still has."""

    remote: str
    sku: str
    location: str | None
    state: str
    sent_quantity: int | None
    sent_at: Any
    last_reason: str | None
    ordered: bool


class Standings:
    """Raises DatabaseAway, LedgerAway."""

    def __init__(self, database: Database, ledger: Ledger) -> None:
        self._database = database
        self._ledger = ledger
        self._offers = Offers(ledger)

    async def page(self, channel: Channel, listings: Iterable[Listing], missing: Iterable[str] = ()) -> Page:
        """``missing``: mapped listings of which the channel has said nothing."""
        there = {listing.remote: listing for listing in listings}
        async with self._database.transaction() as connection:
            rows = await connection.fetch(_MAPPED, channel.id, [*there, *missing])
        mapped = [_Mapped(**row) for row in rows]
        offers = await self._offers.of(channel, mapped)
        known = {one.sku for one in mapped if any(offers[one.remote].versions)}
        names = {listing.sku for listing in there.values() if listing.sku} - {one.sku for one in mapped}
        known |= await self._known(channel, names)
        return Page({one.remote: _standing(one, channel, offers[one.remote]) for one in mapped}, frozenset(known))

    async def _known(self, channel: Channel, skus: Iterable[str]) -> set[str]:
        keys = [(location, sku) for sku in sorted(skus) for location in channel.locations]
        levels = await self._ledger.some_levels(keys)
        return {sku for (_, sku), level in zip(keys, levels, strict=True) if level["version"]}


def _standing(mapped: _Mapped, channel: Channel, offer: Offer) -> Standing:
    rules = f"{channel.share} {channel.buffer} {channel.safety} {channel.cap}"
    return Standing(
        sku=mapped.sku,
        available=offer.available if any(offer.versions) else None,
        offered=offer.quantity,
        sent=mapped.sent_quantity,
        dead=mapped.last_reason or "" if mapped.state == "dead" else "",
        at_rest=mapped.state == "rest" and not mapped.ordered,
        stamp=f"{offer.versions}/{mapped.sent_at}/{rules}",
    )


async def known_orders(connection: Connection, channel: str, identifiers: Sequence[str]) -> dict[str, KnownOrder]:
    """Of those that are ours; the others were placed before the channel was."""
    rows = await connection.fetch(_ORDERS, channel, list(identifiers))
    return {
        row["id"]: KnownOrder(
            order_of(orjson.loads(row["told"])), row["pending"], row["last_error"] or "", row["unmapped"]
        )
        for row in rows
    }


_MAPPED = """
select m.remote, m.sku, m.location, coalesce(o.state, 'due') as state, o.sent_quantity, o.sent_at, o.last_reason,
       exists (select 1 from channel_order c
                where c.channel = m.channel and c.due_at is not null
                  and c.told -> 'lines' @> jsonb_build_array(jsonb_build_array(m.remote))) as ordered
  from mapping m left join outgoing o on o.channel = m.channel and o.remote = m.remote
 where m.channel = $1 and m.remote = any($2::text[])
"""
_ORDERS = """
select id, told, due_at is not null as pending, last_error, unmapped
  from channel_order where channel = $1 and id = any($2::text[])
"""
