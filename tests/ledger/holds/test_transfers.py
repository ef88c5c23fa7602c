"""Transfers on the commit path: two legs and one operation, across shards too, and how units on their way end."""

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from ledger.commit.operation import Outcome
from ledger.commit.stock import LevelKey
from ledger.database.locations import transit_name
from ledger.errors import InsufficientStock, TransferState
from ledger.holds.reserve import Reserve, Wanted
from ledger.holds.transfer import NOWHERE, RECEIVED, RETURNED, End
from server.problems import NotFound
from tests.ledger.commit_path import SHARDS, CommitPath, commit_path, line, operation
from tests.ledger.hold_requests import OWNER, asking, overdue
from tests.ledger.transfer_requests import add_transit, ending, place, sent
from wire.shards import shard_of

LOCATIONS = ("berlin", "hamburg", "paris")


@pytest.fixture
async def path(database_url: str) -> AsyncIterator[CommitPath]:
    async with commit_path(database_url) as path:
        await path.add_catalog(["A", "B"], LOCATIONS)
        await add_transit(path, *LOCATIONS)
        await path.writers.submit(operation(line("A", "berlin", 10), line("B", "berlin", 3), line("A", "hamburg", 5)))
        yield path


async def stocks(path: CommitPath, sku: str = "A") -> dict[str, tuple[int, int]]:
    """On hand and reserved, by location."""
    async with path.engine.connect() as connection:
        found = await connection.execute(
            text("select location, on_hand, reserved from stock_level where sku = :sku and version > 0"), {"sku": sku}
        )
        return {row.location: (row.on_hand, row.reserved) for row in found}


def units(outcome: Outcome) -> dict[str, dict[str, int]]:
    assert outcome.hold is not None
    return {row["sku"]: {name: n for name, n in row.items() if n and name != "sku"} for row in outcome.hold["lines"]}


def legs(outcome: Outcome) -> set[tuple[str, str, int, int]]:
    names = ("location", "kind", "on_hand_delta", "reserved_delta")
    return {tuple(event[name] for name in names) for event in outcome.events}


async def test_units_leave_are_on_their_way_and_arrive(path: CommitPath) -> None:
    assert len({shard_of(name, SHARDS) for name in ("berlin", "hamburg", transit_name("hamburg"))}) > 1
    transfer = await sent(path, {"A": 4, "B": 1})
    assert transfer.hold is not None
    assert (transfer.hold["state"], transfer.hold["from"], transfer.hold["to"]) == ("in_transit", "berlin", "hamburg")
    assert await stocks(path) == {"berlin": (6, 0), "hamburg": (5, 0), "transit:hamburg": (4, 4)}
    assert ("berlin", "transfer", -4, 0) in legs(transfer)
    assert ("transit:hamburg", "transit", 4, 4) in legs(transfer)
    part = await path.writers.submit(ending(transfer, RECEIVED, "hamburg", parts={"A": 3}))
    assert legs(part) == {("transit:hamburg", "transit", -3, -3), ("hamburg", "transfer", 3, 0)}
    assert units(part) == {"A": {"quantity": 4, "in_transit": 1, "received": 3}, "B": {"quantity": 1, "in_transit": 1}}
    rest = await path.writers.submit(ending(transfer, RECEIVED, "hamburg"))
    assert rest.hold is not None
    assert (rest.hold["state"], rest.hold["version"]) == ("received", 3)
    assert await stocks(path) == {"berlin": (6, 0), "hamburg": (9, 0), "transit:hamburg": (0, 0)}
    assert await path.audit() == []


async def test_nothing_leaves_if_a_line_is_short(path: CommitPath) -> None:
    with pytest.raises(InsufficientStock) as refused:
        await sent(path, {"A": 4, "B": 4})
    assert refused.value.numbers == {"sku": "B", "location": "berlin", "available": 3, "requested": 4}
    assert (await stocks(path))["berlin"] == (10, 0)
    assert (await path.audit()) == []


async def test_what_is_on_its_way_is_nobody_elses(path: CommitPath) -> None:
    await sent(path, {"A": 4})
    transit = LevelKey(place("transit:hamburg").shard, "transit:hamburg", "A")
    with pytest.raises(InsufficientStock):
        await path.writers.submit(operation(line("A", "transit:hamburg", -1)))
    with pytest.raises(InsufficientStock):
        await path.writers.submit(asking(lambda own: Reserve(own, OWNER, (Wanted((transit,), 1),), 60)))


async def test_a_transfer_that_arrives_short_is_closed(path: CommitPath) -> None:
    transfer = await sent(path, {"A": 4, "B": 1})
    short = ending(transfer, RECEIVED, "hamburg", parts={"A": 3}, close=True, reason="box torn")
    arrived = await path.writers.submit(short)
    assert units(arrived) == {"A": {"quantity": 4, "received": 3, "lost": 1}, "B": {"quantity": 1, "lost": 1}}
    assert legs(arrived) == {
        ("transit:hamburg", "mixed", -4, -4),
        ("hamburg", "transfer", 3, 0),
        ("transit:hamburg", "lost", -1, -1),
    }
    assert {event["reason"] for event in arrived.events} == {"box torn"}
    assert await path.audit() == []


async def test_what_never_comes_is_lost(path: CommitPath) -> None:
    transfer = await sent(path, {"A": 4})
    closed = await path.writers.submit(ending(transfer, NOWHERE, reason="stolen"))
    assert closed.hold is not None
    assert (closed.hold["state"], legs(closed)) == ("lost", {("transit:hamburg", "lost", -4, -4)})
    with pytest.raises(TransferState) as refused:
        await path.writers.submit(ending(transfer, RECEIVED, "hamburg"))
    assert (refused.value.numbers["state"], refused.value.numbers["asked"]) == ("lost", "receive")
    assert await path.audit() == []


@pytest.mark.parametrize("to", ["berlin", "paris"])
async def test_units_go_back_or_to_another_location(path: CommitPath, to: str) -> None:
    transfer = await sent(path, {"A": 4})
    part = await path.writers.submit(ending(transfer, RETURNED, to, parts={"A": 1}))
    assert legs(part) == {("transit:hamburg", "transit", -1, -1), (to, "transfer", 1, 0)}
    back = await path.writers.submit(ending(transfer, RETURNED, to))
    assert back.hold is not None
    assert back.hold["state"] == "returned"
    assert sum(on_hand for on_hand, _ in (await stocks(path)).values()) == 15
    assert await path.audit() == []


async def test_more_than_is_in_transit_is_refused_with_numbers(path: CommitPath) -> None:
    transfer = await sent(path, {"A": 4})
    await path.writers.submit(ending(transfer, RECEIVED, "hamburg", parts={"A": 3}))
    with pytest.raises(TransferState) as refused:
        await path.writers.submit(ending(transfer, RECEIVED, "hamburg", parts={"A": 2}))
    numbers = {name: refused.value.numbers[name] for name in ("state", "sku", "quantity", "possible")}
    assert numbers == {"state": "in_transit", "sku": "A", "quantity": 2, "possible": 1}
    with pytest.raises(TransferState):
        await path.writers.submit(ending(transfer, RECEIVED, "hamburg", parts={"C": None}))


async def test_a_repeated_end_is_the_same(path: CommitPath) -> None:
    transfer = await sent(path, {"A": 4})
    asked = ending(transfer, RECEIVED, "hamburg")
    first = await path.writers.submit(asked)
    stored = await path.writers.submit(asked)
    assert (stored.replayed, stored.hold, stored.events) == (True, first.hold, first.events)
    again = await path.writers.submit(ending(transfer, RECEIVED, "hamburg"))
    assert (again.hold, again.events) == (first.hold, ())


async def test_a_transfer_that_nobody_sent_is_not_found(path: CommitPath) -> None:
    unknown = End(secrets.token_hex(16), [LevelKey(0, "hamburg", "A")], RECEIVED)
    with pytest.raises(NotFound):
        await path.writers.submit(asking(unknown))


async def test_overdue_holds_are_let_go_of_before_a_transfer_is_refused(path: CommitPath) -> None:
    held = asking(lambda own: Reserve(own, OWNER, (Wanted((place("berlin").level("B"),), 3),), 60))
    await path.writers.submit(held)
    await overdue(path, held.id)
    assert (await sent(path, {"B": 3})).hold is not None
    assert await path.audit() == []


async def test_transfers_in_both_directions_at_once_do_not_wait_for_each_other_in_a_circle(
    path: CommitPath, database_url: str
) -> None:
    """Two processes, two skus in either order, all levels on several shards."""
    await path.writers.submit(operation(line("A", "hamburg", 90), line("B", "hamburg", 97), line("A", "berlin", 90)))
    async with commit_path(database_url) as other:

        async def there_and_back(one: CommitPath, source: str, target: str) -> None:
            for _ in range(10):
                transfer = await sent(one, {"A": 2, "B": 1} if target == "berlin" else {"A": 1}, source, target)
                await one.writers.submit(ending(transfer, RECEIVED, target))

        ways = ("berlin", "hamburg"), ("hamburg", "berlin")
        await asyncio.gather(*(there_and_back(one, *way) for one in (path, other) for way in ways for _ in range(2)))
    found = await stocks(path)
    assert sum(on_hand for on_hand, _ in found.values()) == 10 + 5 + 90 + 90
    assert (found["berlin"][0], found["hamburg"][0]) == (100 - 40 + 80, 95 + 40 - 80)
    counters = (path.writers.counters, other.writers.counters)
    assert sum(one.lock_timeouts for one in counters) == 0
    assert await path.audit() == []


async def test_split_lines_that_race_on_two_locations_are_whole_or_refused(path: CommitPath, database_url: str) -> None:
    """Two processes take 15 units, 2 of each sku at a time, from whichever has them: 7 get two, nobody gets half."""
    places = [place("berlin").level("A"), place("hamburg").level("A")]

    async def held(one: CommitPath, order: list[LevelKey]) -> int:
        asked = asking(lambda own: Reserve(own, OWNER, (Wanted(tuple(order), 2, split=True),), 60))
        try:
            outcome = await one.writers.submit(asked)
        except InsufficientStock:
            return 0
        assert outcome.hold is not None
        taken = sum(row["quantity"] for row in outcome.hold["lines"])
        assert taken == 2
        return 1

    async with commit_path(database_url) as other:
        orders = (places, places[::-1])
        asking_ = (held(one, order) for _ in range(5) for one in (path, other) for order in orders)
        assert sum(await asyncio.gather(*asking_)) == 7
    found = await stocks(path)
    assert sum(on_hand - reserved for on_hand, reserved in found.values()) == 1
    assert await path.audit() == []
