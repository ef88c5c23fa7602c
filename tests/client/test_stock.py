"""The client's whole vocabulary against a real ledger: what it returns, and what it raises with which numbers."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from stockwire import (
    AsyncClient,
    BelowReserved,
    Forbidden,
    IdempotencyMismatch,
    Invalid,
    Item,
    Location,
    NotFound,
    OutOfStock,
    PutResult,
    Unauthorized,
    Unavailable,
    VersionConflict,
    receipt,
    sale,
    write_off,
)
from tests.conftest import StartLedger
from tests.harness.servers import free_port
from tests.harness.system import System


@pytest.fixture
async def client(start_ledger: StartLedger, admin_key: str) -> AsyncIterator[AsyncClient]:
    """A client of a fresh ledger that knows the items A and B and the location berlin."""
    ledger = await start_ledger()
    async with AsyncClient(ledger.url, admin_key) as client:
        await client.items.put("A", "Apple")
        await client.items.put("B", "Banana")
        await client.locations.put("berlin", "Berlin")
        yield client


async def test_every_movement_goes_its_way(client: AsyncClient) -> None:
    stock = client.stock
    assert (await stock.get("A", "berlin")).version == 0
    received = await stock.receive("A", "berlin", 10, reference="delivery-1")
    assert (received.level.on_hand, received.level.version, received.replayed) == (10, 1, False)
    assert (await stock.sell("A", "berlin", 3)).level.on_hand == 7
    assert (await stock.return_("A", "berlin")).level.on_hand == 8
    assert (await stock.write_off("A", "berlin", 2, reason="broken")).level.on_hand == 6
    assert (await stock.adjust("A", "berlin", -1)).level.on_hand == 5
    assert (await stock.count("A", "berlin", 9, if_version=5)).level.on_hand == 9
    level = await stock.get("A", "berlin")
    assert (level.on_hand, level.available, level.version, level.kind) == (9, 9, 6, "count")
    assert level.committed_at is not None
    assert level.committed_at.tzinfo is not None


async def test_history_is_every_event_of_the_level_page_after_page(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stockwire.request.PAGE_SIZE", 3)
    occurred_at = datetime(2026, 11, 1, 12, tzinfo=UTC)
    await client.stock.receive("A", "berlin", 10, occurred_at=occurred_at)
    await asyncio.gather(*(client.stock.sell("A", "berlin", reference=f"order-{n}") for n in range(7)))
    events = [event async for event in client.stock.history("A", "berlin")]
    assert [event.version for event in events] == list(range(1, 9))
    assert events[0].occurred_at == occurred_at
    assert sum(event.on_hand_delta for event in events) == 3
    assert {event.reference for event in events[1:]} == {f"order-{n}" for n in range(7)}
    newest = [event async for event in client.stock.history("A", "berlin", after_version=3)]
    assert newest == events[3:]


async def test_a_count_says_why_and_listings_go_on_behind_a_name(client: AsyncClient) -> None:
    await client.stock.count("A", "berlin", 4, if_version=None, reference="sheet-7", reason="yearly count")
    (event,) = [event async for event in client.stock.history("A", "berlin")]
    assert (event.kind, event.reference, event.reason) == ("count", "sheet-7", "yearly count")
    assert [item.sku async for item in client.items.list(after="A")] == ["B"]
    assert [place.location async for place in client.locations.list(after="berlin")] == []


async def test_an_operation_is_all_or_nothing(client: AsyncClient) -> None:
    result = await client.operation([receipt("A", "berlin", 5), receipt("B", "berlin", 1), sale("A", "berlin", 2)])
    assert {level.sku: level.on_hand for level in result.levels} == {"A": 3, "B": 1}
    with pytest.raises(OutOfStock) as refused:
        await client.operation([sale("A", "berlin", 1), write_off("B", "berlin", 2)])
    error = refused.value
    assert (error.sku, error.location, error.requested, error.available) == ("B", "berlin", 2, 1)
    assert [level.on_hand for level in await client.levels_of([("berlin", "A"), ("berlin", "B")])] == [3, 1]


async def test_refusals_carry_the_numbers_to_decide_on(client: AsyncClient) -> None:
    await client.stock.receive("A", "berlin", 1)
    with pytest.raises(OutOfStock) as sold_out:
        await client.stock.sell("A", "berlin", 2)
    assert (sold_out.value.requested, sold_out.value.available) == (2, 1)
    with pytest.raises(VersionConflict) as moved:
        await client.stock.sell("A", "berlin", if_version=7)
    assert (moved.value.expected_version, moved.value.current.version, moved.value.current.on_hand) == (7, 1, 1)
    with pytest.raises(VersionConflict):
        await client.stock.count("A", "berlin", 5, if_version=0)
    assert (await client.stock.count("A", "berlin", 5, if_version=None)).level.on_hand == 5
    assert issubclass(BelowReserved, Exception)  # reservations are not there yet, so nothing can be below one


async def test_the_same_key_has_one_effect_refusals_included(client: AsyncClient) -> None:
    await client.stock.receive("A", "berlin", 1)
    first = await client.stock.sell("A", "berlin", key="order-1")
    again = await client.stock.sell("A", "berlin", key="order-1")
    assert (first.operation, first.levels, first.events) == (again.operation, again.levels, again.events)
    assert (first.replayed, again.replayed) == (False, True)
    with pytest.raises(OutOfStock) as refused:
        await client.stock.sell("A", "berlin", key="order-2")
    assert refused.value.key == "order-2"
    await client.stock.receive("A", "berlin", 5)
    with pytest.raises(OutOfStock):
        await client.stock.sell("A", "berlin", key="order-2")
    with pytest.raises(IdempotencyMismatch):
        await client.stock.sell("A", "berlin", 2, key="order-1")
    assert (await client.stock.get("A", "berlin")).on_hand == 5


async def test_what_does_not_exist_is_named(client: AsyncClient) -> None:
    with pytest.raises(NotFound) as missing:
        await client.stock.sell("Z", "berlin")
    assert (missing.value.field, missing.value.value) == ("sku", "Z")
    with pytest.raises(NotFound):
        await client.stock.get("Z", "berlin")
    with pytest.raises(NotFound):
        await client.items.get("Z")
    assert [level.version for level in await client.levels_of([("nowhere", "Z")])] == [0]


async def test_the_ledger_refuses_what_the_client_cannot_see(client: AsyncClient) -> None:
    with pytest.raises(Invalid) as invalid:
        await client.stock.sell("A", "berlin", reason="x" * 257)
    assert "reason" in invalid.value.field
    assert not isinstance(invalid.value, IdempotencyMismatch)


async def test_keys_without_a_right_are_told_which(client: AsyncClient, system: System) -> None:
    async with AsyncClient(client.url, await system.key("till", "stock:read:berlin")) as till:
        assert (await till.stock.get("A", "berlin")).on_hand == 0
        with pytest.raises(Forbidden) as forbidden:
            await till.stock.sell("A", "berlin")
        assert forbidden.value.scope == "stock:write:berlin"
    async with AsyncClient(client.url, "sw_aaaaaaaaaaaa_nonsense") as stranger:
        with pytest.raises(Unauthorized):
            await stranger.stock.get("A", "berlin")


async def test_items_and_locations_keep_what_they_are_given(client: AsyncClient) -> None:
    item = await client.items.put(
        "é?#%", "Odd", price=Decimal("2.50"), currency="GBP", attributes={"colour": "white", "n": 1}
    )
    assert await client.items.get("é?#%") == item
    assert item.price is not None
    assert (item.price, item.currency, dict(item.attributes)) == (Decimal("2.5"), "GBP", {"colour": "white", "n": 1})
    assert [item.sku async for item in client.items.list()] == ["A", "B", "é?#%"]
    assert (await client.locations.put("berlin", "Berlin Mitte")).name == "Berlin Mitte"
    assert [location.location async for location in client.locations.list()] == ["berlin"]
    assert (await client.stock.receive("é?#%", "berlin", 1)).level.on_hand == 1
    assert (await client.stock.get("é?#%", "berlin")).on_hand == 1


async def test_lists_of_any_length_are_put_and_told_apart(client: AsyncClient) -> None:
    many = [Item(f"S{number}", f"No. {number}", Decimal("1.20"), "GBP", {"n": number}) for number in range(1_200)]
    created = await client.items.put_many(many)
    assert created == PutResult(tuple(item.sku for item in many), (), 0)
    assert await client.items.get("S7") == many[7]
    again = await client.items.put_many([*many[:-1], Item(many[-1].sku, "Another name"), Item("NEW", "New")])
    assert again == PutResult(("NEW",), (many[-1].sku,), 1_199)
    kept = await client.items.put_many((Item(item.sku, "x") for item in many), keep_existing=True)
    assert kept == PutResult((), (), 1_200)
    with pytest.raises(Invalid) as wrong:
        await client.items.put_many([*many, Item("DEAR", "Dear", Decimal(10**10), "GBP")])
    assert wrong.value.field == "items[1200].price"
    places = [Location("berlin", "Berlin"), Location("web", "Web")]
    assert await client.locations.put_many(places) == PutResult(("web",), (), 1)


async def test_levels_go_on_from_page_to_page(client: AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stockwire.request.PAGE_SIZE", 2)
    skus = [f"S{number}" for number in range(7)]
    await asyncio.gather(*(client.items.put(sku, sku) for sku in skus))
    await client.operation([receipt(sku, "berlin", 1) for sku in skus])
    assert [level.sku async for level in client.levels("berlin")] == skus
    assert [level.sku async for level in client.levels()] == skus


async def test_nobody_there_is_unavailable_after_the_retries() -> None:
    async with AsyncClient(f"http://127.0.0.1:{free_port()}", "sw_key", max_retries=2, retry_for_s=5) as client:
        with pytest.raises(Unavailable) as away:
            await client.stock.sell("A", "berlin", key="order-1")
        assert away.value.key == "order-1"
