"""Transfers through the client against a real ledger: what is returned, and what is raised with which numbers."""

from collections.abc import AsyncIterator

import pytest

from stockwire import AsyncClient, Invalid, NotFound, OutOfStock, TransferState
from tests.conftest import StartLedger


@pytest.fixture
async def client(start_ledger: StartLedger, admin_key: str) -> AsyncIterator[AsyncClient]:
    """A client of a fresh ledger: 5 A and 5 B in berlin."""
    ledger = await start_ledger()
    async with AsyncClient(ledger.url, admin_key) as client:
        for location in ("berlin", "hamburg", "paris"):
            await client.locations.put(location, location)
        for sku in ("A", "B"):
            await client.items.put(sku, sku)
            await client.stock.receive(sku, "berlin", 5)
        yield client


async def test_a_truck_arrives_in_parts_and_short(client: AsyncClient) -> None:
    transfers = client.transfers
    truck = await transfers.send("berlin", "hamburg", {"A": 3, "B": 2}, reference="truck-7", key="truck-7")
    assert (truck.state, truck.source, truck.target, truck.reference, truck.open) == (
        *("in_transit", "berlin", "hamburg", "truck-7", True),
    )
    again = await transfers.send("berlin", "hamburg", {"A": 3, "B": 2}, reference="truck-7", key="truck-7")
    assert again == truck
    assert again.result is not None
    assert again.result.replayed
    assert await transfers.get(truck.id) == truck
    part = await transfers.receive(truck.id, {"A": 1, "B": None})
    assert [(line.sku, line.in_transit, line.received) for line in part.lines] == [("A", 2, 1), ("B", 0, 2)]
    await transfers.return_(truck.id, {"A": 1}, to="paris", reason="wrong city")
    short = await transfers.close(truck.id, reason="stolen")
    assert (short.state, short.open) == ("received", False)
    assert [(line.received, line.returned, line.lost) for line in short.lines] == [(1, 1, 1), (2, 0, 0)]
    places = ("berlin", "hamburg", "paris", "transit:hamburg")
    assert [(await client.stock.get("A", place)).on_hand for place in places] == [2, 1, 1, 0]
    assert [one.id async for one in transfers.list(source="berlin", target="hamburg", state="received")] == [truck.id]
    assert [one async for one in transfers.list(reference="truck-7", older_than_s=1_000)] == []


async def test_what_is_refused_says_why(client: AsyncClient) -> None:
    with pytest.raises(OutOfStock) as short:
        await client.transfers.send("berlin", "hamburg", {"A": 6})
    assert (short.value.available, short.value.requested) == (5, 6)
    truck = await client.transfers.send("berlin", "hamburg", {"A": 3})
    with pytest.raises(TransferState) as refused:
        await client.transfers.receive(truck.id, {"A": 4}, close=True)
    error = refused.value
    assert (error.transfer, error.state, error.asked, error.sku) == (truck.id, "in_transit", "receive", "A")
    assert (error.quantity, error.possible) == (4, 3)
    with pytest.raises(NotFound):
        await client.transfers.get("0b1e6f1c-3c1f-5d0a-9d0e-2f6f3a1c9b77")


async def test_what_can_never_be_is_not_sent(client: AsyncClient) -> None:
    for units in ({}, {"A": 0}, {"A": None}, {"A": 2**31}, {"": 1}, [("A", 1)]):
        with pytest.raises(Invalid):
            await client.transfers.send("berlin", "hamburg", units)  # type: ignore[arg-type]  # the point
    with pytest.raises(Invalid):
        await client.transfers.receive("no-id")
