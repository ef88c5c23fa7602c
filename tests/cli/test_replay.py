"""The replay sells real invoices for ever, and a stop, a repeat or an empty shelf does it no harm."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from cli.replay import IN_FLIGHT, PARCEL_LINES, Replay, operation_key, parcels, restock
from cli.sample_shop import CARDS, SampleShop, read_sample
from stockwire import AsyncClient, Level, Line, OperationResult
from stockwire.importing.plan import Booking, Plan
from tests.harness.system import System
from tests.harness.waiting import wait_until

LOCATION = "shop"


def line(sku: str, quantity: int) -> Line:
    kind = "receipt" if quantity > 0 else "sale"
    return Line(sku, LOCATION, quantity, kind)


def bookings_of(*invoices: tuple[str, tuple[Line, ...]]) -> list[Booking]:
    return [Booking(name, name, lines, len(lines)) for name, lines in invoices]


@pytest.fixture(scope="module")
def sample() -> Plan:
    return read_sample()


def test_every_line_of_the_sample_is_played_once_a_round(sample: Plan) -> None:
    played = parcels(sample.bookings)
    assert sum(len(parcel.lines) for parcel in played) == sum(len(booking.lines) for booking in sample.bookings)
    assert max(len(parcel.lines) for parcel in played) == PARCEL_LINES
    assert len({parcel.name for parcel in played}) == len(played)
    assert all(one.occurred_at is None for parcel in played for one in parcel.lines)


def test_the_page_shows_what_sells_most_with_names_and_prices(sample: Plan) -> None:
    cards = SampleShop(sample).cards()
    assert len({card.sku for card in cards}) == CARDS
    assert all(card.name and card.price.startswith("£") for card in cards)


async def client_of(system: System) -> AsyncClient:
    await system.start_ledger()
    client = AsyncClient(system.ledger_url, await system.admin_key())
    await client.locations.put(LOCATION, "Shop")
    for sku in ("A", "B"):
        await client.items.put(sku, sku)
    return client


@contextlib.asynccontextmanager
async def running(replay: Replay) -> AsyncIterator[None]:
    task = asyncio.create_task(replay.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_it_restocks_loops_and_goes_on_where_it_stopped(tmp_path: Path, system: System) -> None:
    file = tmp_path / "replay.json"
    basket = tuple(line(sku, -3) for sku in "AB" * 4)
    bookings, needs = bookings_of(("1", basket), ("2", (line("A", -20),))), {"A": 32, "B": 12}
    async with await client_of(system) as client:
        async with running(Replay(client, file, bookings, needs, speed=500)):
            await wait_until(lambda: reached(file, 3), what="a third round", swallow=Exception)
        stopped = place(file)
        async with running(Replay(client, file, bookings, needs, speed=500)):
            await wait_until(lambda: reached(file, stopped["round"] + 2), what="two more rounds", swallow=Exception)
        assert place(file)["run"] == stopped["run"]
        history = [event async for event in client.stock.history("A", LOCATION)]
        sold = -sum(event.on_hand_delta for event in history if event.kind == "sale")
        assert sold >= 4 * 32
        assert any(event.reason == "restock" for event in history)
        assert min(event.available for event in history) >= 0


async def reached(file: Path, number: int) -> bool:
    return place(file)["round"] >= number


def place(file: Path) -> dict[str, int]:
    read: dict[str, int] = json.loads(file.read_text())
    return read


async def test_what_was_under_way_when_it_was_killed_has_one_effect(tmp_path: Path, system: System) -> None:
    """A position that is behind, as after a SIGKILL, sends parcels again: their keys make them the same operations."""
    file = tmp_path / "replay.json"
    invoices = [(str(n), (replace(line("A", -1), reference=str(n)),)) for n in range(50)]
    bookings = bookings_of(*invoices)
    async with await client_of(system) as client:
        await client.stock.receive("A", LOCATION, 1000)

        async def sold() -> list[str | None]:
            return [event.reference async for event in client.stock.history("A", LOCATION) if event.kind == "sale"]

        async def sold_at_least(count: int) -> bool:
            return len(await sold()) >= count

        for least in (20, len(invoices)):
            file.write_text(json.dumps({"run": "r", "round": 1, "parcel": 0}))
            async with running(Replay(client, file, bookings, {"A": 1000}, speed=200)):
                await wait_until(partial(sold_at_least, least), what=f"{least} sold")
        # While the last of a round are under way, the next round may begin
        first_round = (await sold())[: len(invoices) - IN_FLIGHT]
        assert len(set(first_round)) == len(first_round)


def test_a_key_is_that_of_its_lines() -> None:
    assert operation_key("r:1:0", [line("A", -1)]) == operation_key("r:1:0", [line("A", -1)])
    keys = {
        operation_key("r:1:0", lines) for lines in ([line("A", -1)], [line("A", -2)], [line("A", -1), line("B", 1)])
    }
    assert len(keys) == 3


async def test_other_parcels_at_a_kept_place_are_other_operations(tmp_path: Path, system: System) -> None:
    """As after an update that brings another sample: the invoices have the same numbers and other lines."""
    file = tmp_path / "replay.json"
    async with await client_of(system) as client:
        await client.stock.receive("A", LOCATION, 1000)
        for quantity in (1, 2):
            bookings = bookings_of(("1", (line("A", -quantity),)))
            file.write_text(json.dumps({"run": "r", "round": 1, "parcel": 0}))
            async with running(Replay(client, file, bookings, {"A": 1000}, speed=200)):
                await wait_until(lambda: reached(file, 3), what="two rounds")


def test_restocking_brings_what_a_round_needs() -> None:
    def restocked(available: int) -> list[int]:
        level = Level("A", LOCATION, 1, available, 0, available, "sale", None, 0, 1)
        result = OperationResult("", (), (level,), replayed=False, key="")
        return [receipt.quantity for receipt in restock(result, {"A": 300})]

    assert restocked(31) == []
    assert restocked(29) == [300]


def test_a_position_file_that_makes_no_sense_is_begun_again(tmp_path: Path) -> None:
    file = tmp_path / "replay.json"
    bookings = bookings_of(("1", (line("A", -1),)))
    for text in ("", "{", "[]", '{"run":1}', '{"run":"x","round":0,"parcel":9}'):
        file.write_text(text)
        Replay(AsyncClient("http://127.0.0.1:1", "k"), file, bookings, {}, speed=1)
