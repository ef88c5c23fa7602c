"""What somebody's program looks like to mypy and to pyright. Checked by both in `make lint`; never run."""

from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import assert_type

from stockwire import (
    AsyncClient,
    AtLeast,
    AtMost,
    Availability,
    AvailabilityChanged,
    Client,
    Event,
    Freshness,
    HoldLimit,
    Item,
    Level,
    LevelChanged,
    OperationResult,
    OutOfStock,
    PutResult,
    Reconnecting,
    Reservation,
    ReservationExpired,
    Snapshot,
    StreamEvent,
    Subscription,
    Threshold,
    ThresholdCrossed,
    View,
    held,
    held_from,
    sale,
)


def till() -> None:
    with Client("http://127.0.0.1:8080", "sw_key", timeout_s=5) as client:
        assert_type(client, Client)
        assert_type(client.stock.get("A", "berlin"), Level)
        assert_type(client.stock.sell("A", "berlin", 2, reference="order-1", if_version=None), OperationResult)
        assert_type(client.operation([sale("A", "berlin", reason="gift")]).level.available, int)
        assert_type(client.stock.history("A", "berlin"), Iterator[Event])
        assert_type(client.items.put("A", "Apple", price=Decimal("2.50"), currency="GBP"), Item)
        assert_type(client.items.put_many([Item("A", "Apple")], keep_existing=True), PutResult)
        assert_type(client.levels_of([("berlin", "A")]), list[Level])
        with client.subscribe("berlin", ["A"], token=lambda: "token") as subscription:
            assert_type(subscription.ready(), View)
            assert_type(subscription.view["berlin", "A"], Level)
            assert_type(subscription.next_event(timeout_s=0.5), StreamEvent | None)
            subscription.listen(print)
            for event in subscription:
                assert_type(kind_of(event), str)


def basket(client: Client) -> Reservation:
    held_now = client.reservations.reserve(
        [held("A", "berlin", 2), held_from("B", ["berlin", "web"], split=True)], ttl_s=60
    )
    assert_type(held_now.lines[0].pending, int)
    assert_type(held_now.result, OperationResult | None)
    try:
        return client.reservations.commit(held_now.id, fulfil=True, key="paid-1")
    except ReservationExpired as late:
        assert_type(late.available, int | None)
    except HoldLimit as limit:
        assert_type(limit.allowed, int)
    assert_type(client.reservations.list(location="berlin", state="open"), Iterator[Reservation])
    return client.reservations.cancel(held_now.id, [held("A", "berlin", None)])


def storefront(client: Client) -> None:
    with client.subscribe_public("web", ["A"]) as public:
        assert_type(public, Subscription[Availability, AvailabilityChanged])
        assert_type(public.view["web", "A"].quantity, str)
        for seen in public:
            assert_type(availability_of(seen), str)
    with client.subscribe_threshold("web", when=AtLeast(1), public=True) as back:
        assert_type(back.ready(), View[Threshold])
        for event in back:
            if isinstance(event, ThresholdCrossed):
                assert_type(event.threshold.raised, bool)


async def screen() -> None:
    async with AsyncClient() as client:
        assert_type(await client.stock.get("A", "berlin"), Level)
        assert_type(await client.stock.count("A", "berlin", 3, if_version=7), OperationResult)
        assert_type(client.levels("berlin"), AsyncIterator[Level])
        assert_type(await client.reservations.get("0b1e6f1c-3c1f-5d0a-9d0e-2f6f3a1c9b77"), Reservation)
        assert_type(client.reservations.list(customer="c-1"), AsyncIterator[Reservation])
        async with client.subscribe("berlin") as subscription:
            assert_type(await subscription.ready(), View)
            assert_type(await subscription.next_event(0.5), StreamEvent | None)
            async for event in subscription:
                assert_type(kind_of(event), str)
        async with client.subscribe_threshold("berlin", when=AtMost(5, until=8)) as low:
            assert_type((await low.ready())["berlin", "A"].available, int | None)
            low.listen(heard)


def kind_of(event: StreamEvent) -> str:
    """Exhaustive: a checker would find a missing case."""
    match event:
        case Snapshot(levels, recovered):
            return f"{len(levels)} {recovered}"
        case LevelChanged(level):
            return level.sku
        case Freshness(fresh, lag_ms):
            return f"{fresh} {lag_ms}"
        case Reconnecting(attempt, after_s, reason):
            return f"{attempt} {after_s} {reason}"


def availability_of(event: StreamEvent[Availability, AvailabilityChanged]) -> str:
    match event:
        case Snapshot(levels):
            return levels[0].availability
        case AvailabilityChanged(seen):
            return seen.quantity
        case Freshness() | Reconnecting():
            return ""


def heard(event: StreamEvent[Threshold, ThresholdCrossed]) -> None:
    if isinstance(event, Snapshot):
        assert_type(event.levels, tuple[Threshold, ...])


def wanted(error: OutOfStock) -> int:
    return error.requested - error.available
