"""Orders of a channel, taken in beside a ledger: whatever comes of their notices, each is booked once and wholly."""

from dataclasses import replace

import pytest

from followers.marketplaces.orders.desk import AGAIN_S
from followers.marketplaces.terms import OrderState
from tests.followers.marketplaces.orders.rig import Rig
from tests.followers.marketplaces.orders.stall import Stall
from tests.harness.waiting import wait_until


async def test_a_notice_that_comes_twice_and_a_poll_that_finds_the_same_order_book_it_once(rig: Rig) -> None:
    await rig.stock(5)
    async with rig.desk() as desk:
        notice = rig.stall.notice(rig.stall.say("1", "paid", r1=2))
        assert [await rig.send(notice), await rig.send(notice)] == [True, False]
        assert await rig.send(rig.stall.notice(rig.stall.words[0]))
        desk.poll.set()
        await rig.settled()
    assert await rig.available() == 3
    assert await rig.events() == ["sale"]
    (event,) = [event async for event in rig.client.stock.history(rig.sku, "berlin", after_version=1)]
    assert (event.reference, event.reason) == ("no-1", f"channel {rig.leased.id}")


async def test_a_cancel_before_its_order_leaves_nothing_booked(rig: Rig) -> None:
    await rig.stock(5)
    order, cancel = rig.stall.say("1", "paid", r1=2), rig.stall.say("1", "cancelled")
    async with rig.desk():
        await rig.send(rig.stall.notice(cancel))
        await rig.settled()
        await rig.send(rig.stall.notice(order))
        await rig.settled()
    assert await rig.events() == []


async def test_an_unpaid_order_is_held_edited_and_leaves_when_it_is_paid(rig: Rig) -> None:
    await rig.stock(5)
    seen = []
    changes: list[tuple[OrderState, int]] = [("unpaid", 2), ("unpaid", 3), ("paid", 4), ("paid", 1), ("cancelled", 1)]
    async with rig.desk():
        for state, units in changes:
            await rig.send(rig.stall.notice(rig.stall.say("1", state, r1=units)))
            await rig.settled()
            seen.append((await rig.on_hand(), await rig.available()))
    assert seen == [(5, 3), (5, 2), (1, 1), (4, 4), (5, 5)]
    assert await rig.events() == ["hold", "hold", "fulfil", "sale", "return", "return"]


async def test_an_unpaid_order_that_is_cancelled_lets_go_of_its_units(rig: Rig) -> None:
    await rig.stock(5)
    async with rig.desk():
        await rig.send(rig.stall.notice(rig.stall.say("1", "unpaid", r1=2)))
        await rig.settled()
        await rig.send(rig.stall.notice(rig.stall.say("1", "cancelled")))
        await rig.settled()
    assert await rig.events() == ["hold", "release"]
    assert await rig.rows("select 1 from channel_order where channel = $1 and hold_renewed_at is not null") == []


async def test_units_come_from_the_mapped_place_or_from_the_channels_in_order(rig: Rig) -> None:
    await rig.stock(1)
    await rig.stock(9, "hamburg")
    await rig.map("h", location="hamburg")
    async with rig.desk():
        await rig.send(rig.stall.notice(rig.stall.say("1", "paid", h=1), rig.stall.say("2", "paid", r1=1)))
        await rig.settled()
        await rig.send(rig.stall.notice(rig.stall.say("3", "paid", r1=2)))
        await rig.settled()
    assert (await rig.available(), await rig.available("hamburg")) == (0, 6)


async def test_what_is_sold_there_and_not_here_is_oversold_until_it_is_there_or_given_up(rig: Rig) -> None:
    await rig.stock(2)
    oversold = "select sku, units, resolved_by from oversold where channel = $1 order by number"
    async with rig.desk():
        await rig.send(rig.stall.notice(rig.stall.say("1", "paid", r1=3)))
        await rig.settled()
        assert [tuple(row) for row in await rig.rows(oversold)] == [(rig.sku, 1, None)]
        assert await rig.available() == 0
        await rig.send(rig.stall.notice(rig.stall.say("1", "paid", r1=2)))
        await rig.settled()
        assert [tuple(row) for row in await rig.rows(oversold)] == [(rig.sku, 1, "the channel")]
    assert await rig.events() == ["sale"]


async def test_a_line_that_nobody_has_mapped_waits_beside_those_that_are_booked(rig: Rig) -> None:
    await rig.stock(5)
    unmapped = "select unmapped from channel_order where channel = $1"
    async with rig.desk():
        await rig.send(rig.stall.notice(rig.stall.say("1", "paid", r1=1, new=2)))
        await rig.settled()
        assert [row["unmapped"] for row in await rig.rows(unmapped)] == [["new"]]
        assert await rig.available() == 4
        await rig.map("new")

        async def booked() -> bool:
            return await rig.available() == 2

        await wait_until(booked)
        await rig.settled()
        assert [row["unmapped"] for row in await rig.rows(unmapped)] == [[]]


async def test_orders_of_before_the_channel_are_known_and_not_booked(rig: Rig) -> None:
    await rig.stock(5)
    async with rig.desk():
        await rig.send(rig.stall.notice(rig.stall.say("1", "paid", placed_ago_s=3600, r1=1)))
        await rig.settled()
        await rig.send(rig.stall.notice(rig.stall.say("1", "cancelled")))
        await rig.settled()
    assert await rig.events() == []


async def test_lost_notices_are_found_by_a_poll_over_all_its_pages(rig: Rig) -> None:
    await rig.stock(20)
    polled = "select polled_at, since from channel_poll where channel = $1 and polled_at is not null"
    for number in range(8):
        rig.stall.say(str(number), "paid", r1=1)
    rig.stall.say("3", "cancelled")
    async with rig.desk():

        async def there() -> bool:
            return bool(await rig.rows(polled))

        await wait_until(there)
        assert await rig.available() == 13, "a poll counts when its orders are booked"
        (row,) = await rig.rows(polled)
        assert row["since"] == rig.stall.words[-1].updated_at


async def test_a_notice_whose_order_never_comes_gives_its_place_up_after_days(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.stall.away = True
    await rig.send(rig.stall.notice(changed=["1"], identifier="lost"))
    waiting = "select attempt from channel_notice where channel = $1 and applied_at is null"

    async def tried() -> bool:
        return bool((await rig.rows(waiting))[0]["attempt"])

    async with rig.desk():
        await wait_until(tried)
        await rig.rows(
            "update channel_notice set received_at = now() - interval '3 days', due_at = now() where channel = $1"
            " returning 1"
        )
        await rig.settled()
    assert f"a notice is given up channel={rig.leased.id} notice='lost' reason='does not answer" in caplog.text


async def test_an_order_that_cannot_be_kept_is_left_to_a_person_and_holds_no_other_up(rig: Rig) -> None:
    await rig.stock(5)
    rig.stall.say("none", "paid", r1=0)
    rig.stall.say("1", "paid", r1=2)
    async with rig.desk() as desk:

        async def booked() -> bool:
            return await rig.available() == 3

        await wait_until(booked)
        assert desk.left_out == {"none"}
        rig.stall.say("none", "paid", r1=1)
        desk.poll.set()

        async def booked_too() -> bool:
            return await rig.available() == 2

        await wait_until(booked_too)
        assert desk.left_out == set(), "nobody is told to book it by hand"


async def test_after_an_outage_orders_are_polled_without_being_asked(rig: Rig) -> None:
    await rig.stock(5)
    rig.stall.away = True
    async with rig.desk():
        await wait_until(lambda: _tried(rig.stall))
        rig.stall.say("1", "paid", r1=1)
        rig.stall.away = False

        async def booked() -> bool:
            return await rig.available() == 4

        await wait_until(booked)


async def test_an_order_that_a_notice_only_names_is_fetched(rig: Rig) -> None:
    await rig.stock(5)
    async with rig.desk():
        rig.stall.say("1", "paid", r1=1)
        await rig.send(rig.stall.notice(changed=["1", "none of ours"]))
        await rig.settled()
    assert await rig.available() == 4


async def test_two_words_of_one_moment_are_settled_by_asking(rig: Rig) -> None:
    await rig.stock(5)
    first = rig.stall.say("1", "paid", r1=3)
    now = replace(first, lines=[replace(first.lines[0], quantity=1)])
    async with rig.desk():
        await rig.send(rig.stall.notice(first))
        await rig.settled()
        rig.stall.words.append(now)
        await rig.send(rig.stall.notice(now))
        await rig.settled()
        await rig.send(rig.stall.notice(first, identifier="late"))
        await rig.settled()
    assert await rig.available() == 4


async def test_our_own_echo_asks_for_no_poll_and_another_number_does(rig: Rig) -> None:
    async with rig.database.transaction() as connection:
        await connection.execute(
            "insert into outgoing (channel, remote, sent_quantity) values ($1, 'r1', 7)", rig.leased.id
        )
    async with rig.desk() as desk:
        await wait_until(lambda: _tried(rig.stall))
        asked = rig.stall.asked
        await rig.send(rig.stall.notice(r1=7))
        await rig.settled()
        assert rig.stall.asked == asked
        await rig.send(rig.stall.notice(r1=6))
        await wait_until(lambda: _tried(rig.stall, asked + 1))
        assert desk is not None


async def _tried(stall: Stall, times: int = 1) -> bool:
    return stall.asked >= times


async def test_polls_stay_apart_as_far_as_the_channel_needs_however_often_they_are_asked_for(rig: Rig) -> None:
    rig.stall.apart_s = 0.3
    async with rig.desk() as desk:

        async def polled() -> bool:
            desk.poll.set()
            return len(rig.stall.polled) >= 3

        await wait_until(polled)
    first, second, third = rig.stall.polled[:3]
    assert min(second - first, third - second) >= rig.stall.apart_s


async def test_a_quota_that_is_spent_is_waited_for_and_no_outage(rig: Rig) -> None:
    rig.stall.spent = True
    async with rig.desk():

        async def polled() -> bool:
            return len(rig.stall.polled) >= 2

        await wait_until(polled)
        rig.stall.spent = False
        assert rig.leased.breaker.wait_s() == 0
        before = len(rig.stall.polled)

        async def again() -> bool:
            return len(rig.stall.polled) > before

        await wait_until(again)
    assert rig.stall.polled[1] - rig.stall.polled[0] >= AGAIN_S
