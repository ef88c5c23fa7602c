"""Holds on the commit path: what they do to levels, what is stored, and what is let go of before anybody is refused."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from ledger.commit.operation import Outcome
from ledger.errors import InsufficientStock, ReservationExpired, ReservationState
from ledger.holds.decide import Cancel, Commit, Extend, Fulfil, Resize
from ledger.holds.reserve import Reserve, Wanted
from ledger.holds.sweeper import Sweeper
from server.problems import NotFound
from tests.ledger.commit_path import CommitPath, commit_path, line, operation
from tests.ledger.hold_requests import OWNER, asking, at, overdue, reserving


@pytest.fixture
async def path(database_url: str) -> AsyncIterator[CommitPath]:
    async with commit_path(database_url) as path:
        await path.add_catalog(["A", "B"], ["berlin", "hamburg", "paris"])
        await path.writers.submit(operation(line("A", "berlin", 10), line("A", "hamburg", 5), line("B", "berlin", 3)))
        yield path


async def reserved(path: CommitPath, *wanted: Wanted, ttl_s: int = 900) -> str:
    outcome = await path.writers.submit(reserving(*wanted, ttl_s=ttl_s))
    return outcome.operation


async def units(path: CommitPath, sku: str = "A", location: str = "berlin") -> tuple[int, int, int]:
    """On hand, reserved, version."""
    async with path.engine.connect() as connection:
        found = await connection.execute(
            text("select on_hand, reserved, version from stock_level where sku = :sku and location = :location"),
            {"sku": sku, "location": location},
        )
        return tuple(found.one())


def states(outcome: Outcome) -> list[dict[str, Any]]:
    assert outcome.hold is not None
    return [{state: n for state, n in line.items() if n and isinstance(n, int)} for line in outcome.hold["lines"]]


def kinds(outcome: Outcome) -> list[tuple[str, int, int]]:
    return [(event["kind"], event["on_hand_delta"], event["reserved_delta"]) for event in outcome.events]


async def test_a_hold_reserves_is_paid_for_and_leaves(path: CommitPath) -> None:
    made = await path.writers.submit(reserving(Wanted((at("A"),), 4), Wanted((at("B"),), 1)))
    assert kinds(made) == [("hold", 0, 4), ("hold", 0, 1)]
    assert made.hold is not None
    assert (made.hold["state"], made.hold["version"], made.hold["customer"]) == ("pending", 1, "customer-7")
    assert made.hold["expires_at"] > made.hold["created_at"]
    assert await units(path) == (10, 4, 2)
    levels = [at("A"), at("B")]
    paid = await path.writers.submit(asking(Commit(made.operation, levels)))
    assert kinds(paid) == [("commit", 0, 0), ("commit", 0, 0)]
    assert paid.hold is not None
    assert (paid.hold["state"], paid.hold["expires_at"]) == ("committed", None)
    left = await path.writers.submit(asking(Fulfil(made.operation, levels, {at("A"): 3})))
    assert kinds(left) == [("fulfil", -3, -3)]
    assert states(left) == [{"quantity": 4, "committed": 1, "fulfilled": 3}, {"quantity": 1, "committed": 1}]
    ended = await path.writers.submit(asking(Fulfil(made.operation, levels)))
    assert ended.hold is not None
    assert ended.hold["state"] == "fulfilled"
    assert (await units(path), await units(path, "B")) == ((6, 0, 5), (2, 0, 4))
    assert await path.audit() == []


async def test_all_of_it_or_none(path: CommitPath) -> None:
    with pytest.raises(InsufficientStock) as refused:
        await path.writers.submit(reserving(Wanted((at("A"),), 4), Wanted((at("B"),), 4)))
    assert refused.value.numbers == {"sku": "B", "location": "berlin", "available": 3, "requested": 4}
    assert await units(path) == (10, 0, 1)


async def test_the_same_key_gets_the_same_answer(path: CommitPath) -> None:
    for plan_of in (
        lambda own: Reserve(own, OWNER, (Wanted((at("A"),), 4),), 900),
        Commit(await reserved(path, Wanted((at("A"),), 1)), [at("A")]),
    ):
        key = secrets.token_hex(8)
        first = await path.writers.submit(asking(plan_of, key))
        again = await path.writers.submit(asking(plan_of, key))
        assert again.replayed
        assert (again.events, again.hold) == (first.events, first.hold)


async def test_a_repeated_end_is_the_same_and_one_that_contradicts_is_refused(path: CommitPath) -> None:
    hold, levels = await reserved(path, Wanted((at("A"),), 4)), [at("A")]
    first = await path.writers.submit(asking(Cancel(hold, levels)))
    again = await path.writers.submit(asking(Cancel(hold, levels)))
    assert (again.hold, again.events) == (first.hold, ())
    for plan, asked in (
        (Commit(hold, levels), "commit"),
        (Fulfil(hold, levels), "fulfil"),
        (Extend(hold, levels, ttl_s=9), "extend"),
    ):
        with pytest.raises(ReservationState) as refused:
            await path.writers.submit(asking(plan))
        assert (refused.value.numbers["state"], refused.value.numbers["asked"]) == ("cancelled", asked)
    assert await units(path) == (10, 0, 3)


async def test_a_line_of_which_nothing_is_left_is_not_paid_for_beside_others(path: CommitPath) -> None:
    """The shop would send goods that are back on the shelf."""
    levels = [at("A"), at("B")]
    hold = await reserved(path, Wanted((at("A"),), 4), Wanted((at("B"),), 1))
    await path.writers.submit(asking(Cancel(hold, levels, {at("B"): None})))
    await path.writers.submit(asking(Commit(hold, levels)))
    with pytest.raises(ReservationState) as refused:
        await path.writers.submit(asking(Commit(hold, levels, {at("B"): None})))
    assert "B at berlin" in refused.value.numbers["reason"]


async def test_a_hold_that_nobody_made_is_not_found(path: CommitPath) -> None:
    with pytest.raises(NotFound):
        await path.writers.submit(asking(Commit(str(UUID(int=1)), [at("A")])))


async def test_overdue_holds_are_let_go_of_before_anybody_is_refused(path: CommitPath) -> None:
    first, second = [await reserved(path, Wanted((at("A"),), 5), Wanted((at("A", "hamburg"),), 1)) for _ in range(2)]
    with pytest.raises(InsufficientStock):
        await path.writers.submit(operation(line("A", "berlin", -1)))
    await overdue(path, first)
    sold = await path.writers.submit(operation(line("A", "berlin", -5)))
    assert kinds(sold) == [("sale", -5, 0)]
    assert await units(path) == (5, 5, 5)
    assert await units(path, "A", "hamburg") == (5, 2, 3), "its line elsewhere waits for the sweeper"
    await overdue(path, first, second)
    sweeper = Sweeper(path.engine, path.writers)
    assert await sweeper.sweep() == 2
    assert await sweeper.sweep() == 0
    assert ((await units(path))[1], (await units(path, "A", "hamburg"))[1]) == (0, 0)
    assert await path.audit() == []


async def test_hundreds_of_overdue_holds_go_before_a_sale_in_bounded_batches(path: CommitPath) -> None:
    await path.writers.submit(operation(line("A", "berlin", 1_000)))
    made = await asyncio.gather(*(reserved(path, Wanted((at("A"),), 2)) for _ in range(500)))
    await overdue(path, *made)
    sold = await path.writers.submit(operation(line("A", "berlin", -1_010)))
    assert kinds(sold) == [("sale", -1_010, 0)]
    assert (await units(path))[:2] == (0, 0)
    assert await path.audit() == []


async def test_paid_too_late_it_is_taken_again_if_it_is_there(path: CommitPath) -> None:
    hold = await reserved(path, Wanted((at("A"),), 6))
    await overdue(path, hold)
    await Sweeper(path.engine, path.writers).sweep()
    paid = await path.writers.submit(asking(Commit(hold, [at("A")], {at("A"): 4})))
    assert kinds(paid) == [("commit", 0, 4)]
    await path.writers.submit(operation(line("A", "berlin", -5)))
    with pytest.raises(ReservationExpired) as refused:
        await path.writers.submit(asking(Commit(hold, [at("A")])))
    assert {**refused.value.numbers, "expires_at": ""} == {
        "reservation": str(hold),
        "expires_at": "",
        "sku": "A",
        "location": "berlin",
        "available": 1,
        "requested": 2,
    }
    left = await path.writers.submit(asking(Commit(hold, [at("A")], {at("A"): 1}, fulfil=True)))
    assert kinds(left) == [("fulfil", -1, 0)]
    assert await path.audit() == []


async def test_who_is_late_cannot_extend(path: CommitPath) -> None:
    hold, levels = await reserved(path, Wanted((at("A"),), 6)), [at("A")]
    extended = await path.writers.submit(asking(Extend(hold, levels, ttl_s=3_600)))
    assert kinds(extended) == [("hold", 0, 0)]
    await overdue(path, hold)
    with pytest.raises(ReservationExpired):
        await path.writers.submit(asking(Extend(hold, levels, ttl_s=3_600)))
    await path.writers.submit(asking(Commit(hold, levels)))
    with pytest.raises(ReservationState, match="is committed"):
        await path.writers.submit(asking(Extend(hold, levels, ttl_s=3_600)))


async def test_a_basket_is_changed_as_one_step(path: CommitPath) -> None:
    hold = await reserved(path, Wanted((at("A"),), 6))
    levels = [at("A"), at("B")]
    changed = await path.writers.submit(asking(Resize(hold, levels, {at("A"): 8, at("B"): 2})))
    assert sorted(kinds(changed)) == [("hold", 0, 2), ("hold", 0, 2)]
    with pytest.raises(InsufficientStock):
        await path.writers.submit(asking(Resize(hold, levels, {at("A"): 1, at("B"): 4})))
    assert ((await units(path))[1], (await units(path, "B"))[1]) == (8, 2), "what it held is not lost"
    smaller = await path.writers.submit(asking(Resize(hold, levels, {at("A"): 0})))
    assert kinds(smaller) == [("release", 0, -8)]
    assert await path.audit() == []


HAMBURG_FIRST = (at("A", "hamburg"), at("A"))


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        (Wanted(HAMBURG_FIRST, 5), {"hamburg": 5}),
        (Wanted(HAMBURG_FIRST, 6), {"berlin": 6}),
        (Wanted(HAMBURG_FIRST, 12, split=True), {"hamburg": 5, "berlin": 7}),
    ],
)
async def test_units_are_taken_where_they_are(path: CommitPath, wanted: Wanted, taken: dict[str, int]) -> None:
    outcome = await path.writers.submit(reserving(wanted))
    assert outcome.hold is not None
    assert {line["location"]: line["quantity"] for line in outcome.hold["lines"]} == taken
    assert await path.audit() == []


@pytest.mark.parametrize(
    ("wanted", "most"), [(Wanted(HAMBURG_FIRST, 11), 10), (Wanted(HAMBURG_FIRST, 16, split=True), 15)]
)
async def test_who_is_refused_is_told_what_is_where(path: CommitPath, wanted: Wanted, most: int) -> None:
    with pytest.raises(InsufficientStock) as refused:
        await path.writers.submit(reserving(wanted))
    assert refused.value.numbers["locations"] == {"hamburg": 5, "berlin": 10}
    assert refused.value.numbers["available"] == most
