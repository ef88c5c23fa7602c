"""Bookings that are cut off, refused or overtaken: each order is booked once, and what cannot be booked says why."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest

from followers.database.database import Database
from followers.marketplaces.leased import LeasedChannel, LeaseLost
from followers.marketplaces.orders.booker import Booker
from followers.marketplaces.orders.forms import Booking
from followers.marketplaces.orders.shelf import KeptOrder, Shelf
from followers.marketplaces.orders.till import Till
from stockwire import AsyncClient, HoldLimits
from tests.followers.marketplaces.orders.rig import Rig
from tests.followers.marketplaces.orders.stall import Stall
from tests.harness.waiting import PATIENCE_S


async def test_who_lost_the_lease_writes_nothing(rig: Rig) -> None:
    await rig.stock(5)
    async with rig.database.transaction() as connection:
        await connection.execute("update channel_lease set fence = 2 where channel = $1", rig.leased.id)
    rig.stall.say("1", "paid", r1=1)
    with pytest.raises(ExceptionGroup) as ended:
        async with rig.desk():
            await asyncio.sleep(PATIENCE_S)
    assert ended.group_contains(LeaseLost)
    assert await rig.rows("select 1 from channel_order where channel = $1") == []


class Died(BaseException):
    """As if by kill -9."""


class Mortal(Shelf):
    """Dies before or after its write of that number."""

    def __init__(self, database: Database, dies_at: int, *, before: bool) -> None:
        super().__init__(database)
        self.left = dies_at
        self._before = before

    async def _at(self, write: Callable[[], Awaitable[Any]]) -> Any:
        self.left -= 1
        if self.left == 0 and self._before:
            raise Died
        written = await write()
        if self.left == 0:
            raise Died
        return written

    async def begin(self, leased: LeasedChannel, kept: KeptOrder, booking: Booking) -> None:
        await self._at(lambda: super(Mortal, self).begin(leased, kept, booking))

    async def done(self, *arguments: Any) -> None:
        await self._at(lambda: super(Mortal, self).done(*arguments))

    async def settle(self, *arguments: Any) -> bool:
        return bool(await self._at(lambda: super(Mortal, self).settle(*arguments)))


async def test_who_dies_at_any_point_of_a_booking_books_each_order_once(rig: Rig) -> None:
    """Before and after each write: the one before a step is sent, the one after it, the last. An order of 2 that is
    held, then paid for as one of 3, has eight.
    """
    await rig.stock(100)
    units = 0
    for number, (at, before) in enumerate([(at, before) for at in range(1, 9) for before in (True, False)]):
        identifier, mortal = str(number), Mortal(rig.database, at, before=before)
        with pytest.raises(Died):
            await _hold_then_sell(rig, Booker(mortal, Till(rig.client)), identifier)
        kept = await rig.shelf.order(rig.leased, identifier)
        assert kept is not None
        await rig.booker.book(rig.leased, identifier)
        units += 3 if kept.order.state == "paid" else 2
        assert await rig.available() == 100 - units
    for row in await rig.rows("select booked, booking, due_at from channel_order where channel = $1"):
        assert (row["booking"], row["due_at"]) == (None, None)
        assert sum(quantity for _, _, quantity in orjson.loads(row["booked"])["sold"]) in (0, 3)


async def _hold_then_sell(rig: Rig, booker: Booker, identifier: str) -> None:
    for word in (rig.stall.say(identifier, "unpaid", r1=2), rig.stall.say(identifier, "paid", r1=3)):
        await rig.learn(word)
        await booker.book(rig.leased, identifier)


async def test_a_lease_that_is_lost_in_the_middle_of_a_booking_leaves_it_to_the_next(rig: Rig) -> None:
    await rig.stock(5)
    await rig.learn(rig.stall.say("1", "paid", r1=2))
    late = Mortal(rig.database, 1, before=False)
    with pytest.raises(Died):
        await Booker(late, Till(rig.client)).book(rig.leased, "1")
    async with rig.database.transaction() as connection:
        await connection.execute("update channel_lease set fence = 2 where channel = $1", rig.leased.id)
    taken = replace(rig.leased, lease=replace(rig.leased.lease, fence=2))
    await rig.booker.book(taken, "1")
    with pytest.raises(LeaseLost):
        await rig.booker.book(rig.leased, "1")
    assert await rig.available() == 3


async def test_a_hold_gets_its_time_again_and_one_that_is_over_is_held_anew(rig: Rig) -> None:
    await rig.stock(5)
    await rig.learn(rig.stall.say("1", "unpaid", r1=2))
    await rig.booker.book(rig.leased, "1")
    (held,) = [one async for one in rig.client.reservations.list(location="berlin", sku=rig.sku)]
    await _age_hold(rig)
    await rig.booker.renew(rig.leased)
    longer = await rig.client.reservations.get(held.id)
    assert longer.expires_at is not None
    assert held.expires_at is not None
    assert longer.expires_at > held.expires_at
    await rig.client.reservations.cancel(held.id)  # by somebody else
    await _age_hold(rig)
    await rig.booker.renew(rig.leased)
    assert await rig.available() == 5
    (due,) = await rig.shelf.due(rig.leased, 10)
    await rig.booker.book(rig.leased, due)
    assert await rig.available() == 3


async def test_where_no_more_may_be_held_an_unpaid_order_is_sold_and_put_back_when_it_is_cancelled(rig: Rig) -> None:
    await rig.client.items.put(rig.sku, "limited", hold_limits=HoldLimits(ttl_s=60))
    await rig.stock(5)
    await rig.learn(rig.stall.say("1", "unpaid", r1=2))
    await rig.booker.book(rig.leased, "1")
    assert await rig.on_hand() == 3
    await rig.learn(rig.stall.say("1", "cancelled"))
    await rig.booker.book(rig.leased, "1")
    assert await rig.events() == ["sale", "return"]


async def test_an_order_that_the_ledger_does_not_take_waits_with_its_reason_and_others_go_on(rig: Rig) -> None:
    await rig.stock(5)
    await rig.stock(5, "hamburg")
    await rig.map("h", location="hamburg")
    await rig.learn(rig.stall.say("1", "paid", r1=1))
    await rig.learn(rig.stall.say("2", "paid", h=1))
    key = await rig.system.key("narrow", "stock:read:*", "stock:write:hamburg")
    async with AsyncClient(rig.client.url, key) as narrow:
        for identifier in ("1", "2"):
            await Booker(rig.shelf, Till(narrow)).book(rig.leased, identifier)
    assert (await rig.available(), await rig.available("hamburg")) == (5, 4)
    (stuck,) = await rig.rows("select id, last_error from channel_order where channel = $1 and due_at is not null")
    assert stuck["id"] == "1"
    assert "stock:write:berlin" in stuck["last_error"]
    await rig.booker.book(rig.leased, "1")
    assert await rig.available() == 4


async def _age_hold(rig: Rig) -> None:
    async with rig.database.transaction() as connection:
        await connection.execute(
            "update channel_order set hold_renewed_at = hold_renewed_at - interval '4 days' where channel = $1",
            rig.leased.id,
        )


async def _tried(stall: Stall, times: int = 1) -> bool:
    return stall.asked >= times
