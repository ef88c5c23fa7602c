"""Reservations through the client against a real ledger: what is returned, and what is raised with which numbers."""

from collections.abc import AsyncIterator

import pytest

from stockwire import (
    AsyncClient,
    BelowReserved,
    HoldLimit,
    HoldLimits,
    IdempotencyMismatch,
    Invalid,
    Item,
    NotFound,
    OutOfStock,
    ReservationExpired,
    ReservationState,
    held,
    held_from,
)
from tests.conftest import StartLedger
from tests.harness.waiting import wait_until


@pytest.fixture
async def client(start_ledger: StartLedger, admin_key: str) -> AsyncIterator[AsyncClient]:
    """A client of a fresh ledger: 5 A and 5 B in berlin, 2 A in hamburg."""
    ledger = await start_ledger()
    async with AsyncClient(ledger.url, admin_key) as client:
        for sku in ("A", "B"):
            await client.items.put(sku, sku)
        for location in ("berlin", "hamburg"):
            await client.locations.put(location, location)
        for sku, location, units in (("A", "berlin", 5), ("B", "berlin", 5), ("A", "hamburg", 2)):
            await client.stock.receive(sku, location, units)
        yield client


async def test_a_basket_goes_its_way_in_whole_and_in_parts(client: AsyncClient) -> None:
    holds = client.reservations
    made = await holds.reserve(
        [held("A", "berlin", 3), held("B", "berlin")], ttl_s=600, customer="c-1", reference="order-1"
    )
    assert (made.state, made.version, made.customer, made.reference, made.open) == (
        "pending",
        1,
        "c-1",
        "order-1",
        True,
    )
    assert made.result is not None
    assert [(event.kind, event.reserved_delta, event.available) for event in made.result.events] == [
        ("hold", 3, 2),
        ("hold", 1, 4),
    ]
    edited = await holds.change(made.id, [held("A", "berlin", 2), held("B", "berlin", 0)])
    assert [(line.sku, line.pending) for line in edited.lines if line.reserved] == [("A", 2)]
    paid = await holds.commit(made.id)
    assert (paid.state, paid.expires_at) == ("committed", None)
    left = await holds.fulfil(made.id, [held("A", "berlin", 1)])
    assert [(line.committed, line.fulfilled) for line in left.lines if line.sku == "A"] == [(1, 1)]
    ended = await holds.cancel(made.id)
    assert (ended.state, ended.open) == ("fulfilled", False)
    assert await holds.get(made.id) == ended
    level = await client.stock.get("A", "berlin")
    assert (level.on_hand, level.reserved) == (4, 0)


async def test_a_key_has_one_effect_and_a_repeated_end_is_good_under_any(client: AsyncClient) -> None:
    basket = [held("A", "berlin", 2)]
    first = await client.reservations.reserve(basket, key="basket-1")
    again = await client.reservations.reserve(basket, key="basket-1")
    assert first == again
    assert first.result is not None
    assert again.result is not None
    assert (first.result.replayed, again.result.replayed, again.result.key) == (False, True, "basket-1")
    with pytest.raises(IdempotencyMismatch):
        await client.reservations.reserve([held("A", "berlin", 3)], key="basket-1")
    assert [(await client.reservations.cancel(first.id)).state for _ in range(2)] == ["cancelled"] * 2
    with pytest.raises(ReservationState) as contradicted:
        await client.reservations.commit(first.id, key="pay-1")
    error = contradicted.value
    assert (error.reservation, error.state, error.asked, error.key) == (first.id, "cancelled", "commit", "pay-1")
    assert (await client.stock.get("A", "berlin")).reserved == 0


async def test_refusals_carry_the_numbers_to_decide_on(client: AsyncClient) -> None:
    made = await client.reservations.reserve([held("A", "berlin", 4)])
    with pytest.raises(OutOfStock) as too_many:
        await client.reservations.reserve([held("B", "berlin"), held("A", "berlin", 2)])
    assert (too_many.value.sku, too_many.value.requested, too_many.value.available) == ("A", 2, 1)
    assert too_many.value.locations == {}
    with pytest.raises(OutOfStock) as nowhere:
        await client.reservations.reserve([held_from("A", ["berlin", "hamburg"], 4, split=True)])
    assert (nowhere.value.available, nowhere.value.locations) == (3, {"berlin": 1, "hamburg": 2})
    with pytest.raises(BelowReserved) as counted:
        await client.stock.count("A", "berlin", 3, if_version=None)
    assert (counted.value.on_hand, counted.value.reserved) == (3, 4)
    with pytest.raises(ReservationState) as more:
        await client.reservations.cancel(made.id, [held("A", "berlin", 9)])
    assert (more.value.sku, more.value.quantity, more.value.possible) == ("A", 9, 4)
    with pytest.raises(NotFound) as missing:
        await client.reservations.get("0b1e6f1c-3c1f-5d0a-9d0e-2f6f3a1c9b77")
    assert missing.value.field == "reservation"
    with pytest.raises(Invalid) as year:
        await client.reservations.extend(made.id, 366 * 86_400)
    assert year.value.field == "ttl_s"
    assert (await client.stock.get("B", "berlin")).reserved == 0


async def test_units_come_from_where_they_are_in_the_order_named(client: AsyncClient) -> None:
    either = await client.reservations.reserve([held_from("A", ["hamburg", "berlin"], 3)])
    assert [(line.location, line.pending) for line in either.lines] == [("berlin", 3)]
    both = await client.reservations.reserve([held_from("A", ["hamburg", "berlin"], 3, split=True)])
    assert [(line.location, line.pending) for line in both.lines] == [("hamburg", 2), ("berlin", 1)]


async def test_what_has_expired_says_what_is_left_of_it(client: AsyncClient) -> None:
    made = await client.reservations.reserve([held("A", "berlin", 4)], ttl_s=1)

    async def over() -> bool:
        return (await client.reservations.get(made.id)).state == "expired"

    await wait_until(over)
    await client.stock.sell("A", "berlin", 3)
    with pytest.raises(ReservationExpired) as late:
        await client.reservations.commit(made.id)
    error = late.value
    assert (error.reservation, error.expires_at) == (made.id, made.expires_at)
    assert (error.sku, error.location, error.available, error.requested) == ("A", "berlin", 2, 4)
    with pytest.raises(ReservationExpired) as too_late:
        await client.reservations.extend(made.id, 60)
    assert too_late.value.sku is None
    part = await client.reservations.commit(made.id, [held("A", "berlin", 2)])
    assert [(line.committed, line.expired) for line in part.lines] == [(2, 2)]


async def test_a_limit_of_an_item_is_kept_told_and_taken_away(client: AsyncClient) -> None:
    limited = await client.items.put("A", "A", hold_limits=HoldLimits(customer_units=2, ttl_s=300))
    assert limited.hold_limits == HoldLimits(2, 300, None)
    assert (await client.items.put("A", "A")).hold_limits == limited.hold_limits, "not named is as it was"
    first = await client.reservations.reserve([held("A", "berlin", 2)], customer="c-1")
    with pytest.raises(HoldLimit) as more:
        await client.reservations.reserve([held("A", "berlin")], customer="c-1", key="more")
    error = more.value
    assert (error.limit, error.allowed, error.held, error.requested) == ("customer_units", 2, 2, 1)
    assert (error.customer, error.owner, error.sku, error.key) == ("c-1", None, "A", "more")
    with pytest.raises(HoldLimit) as longer:
        await client.reservations.extend(first.id, 301)
    assert (longer.value.limit, longer.value.allowed, longer.value.requested) == ("ttl_s", 300, 301)
    await client.reservations.cancel(first.id)
    again = await client.reservations.reserve([held("A", "berlin")], customer="c-1", key="more")
    assert again.result is not None
    assert not again.result.replayed, "a limit is not remembered"
    await client.items.put_many([Item("A", "A", hold_limits=HoldLimits())])
    assert (await client.items.get("A")).hold_limits is None


async def test_lists_go_from_page_to_page_and_name_what_they_hold(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stockwire.request.PAGE_SIZE", 2)
    made = [await client.reservations.reserve([held("A", "berlin")], customer="c-1") for _ in range(5)]
    other = await client.reservations.reserve([held("A", "hamburg")], reference="order-9")
    await client.reservations.cancel(made[0].id)
    assert [one.id async for one in client.reservations.list(location="berlin")] == [one.id for one in made]
    listed = [one.id async for one in client.reservations.list(location="berlin", sku="A", state="pending")]
    assert listed == [one.id for one in made[1:]]
    assert [one.id async for one in client.reservations.list(reference="order-9")] == [other.id]
    assert len([one async for one in client.reservations.list(customer="c-1", older_than_s=0)]) == 5
    assert [one async for one in client.reservations.list(older_than_s=3_600)] == []
    with pytest.raises(Invalid) as unknown:
        _ = [one async for one in client.reservations.list(state="packed")]
    assert unknown.value.field == "state"
