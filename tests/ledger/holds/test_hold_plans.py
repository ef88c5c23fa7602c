"""What plans make of holds that are asked about twice, or together; and how much of them goes into one batch."""

from datetime import UTC, datetime, timedelta

import pytest

from ledger.commit.decide import decide
from ledger.commit.decider import within_a_batch
from ledger.commit.hold import Hold, HoldLine
from ledger.commit.operation import Operation
from ledger.commit.plan import Plan
from ledger.commit.queue import BATCH_LINES_MAX
from ledger.commit.stock import LevelKey, Stock
from ledger.errors import (
    REFUSALS,
    InsufficientStock,
    Refusal,
    ReservationExpired,
    ReservationState,
    TransferState,
    refusal_as_stored,
    refusal_from_stored,
)
from ledger.holds.decide import Cancel, Commit, Expire, Extend, NothingToDo, Resize
from ledger.holds.reserve import Reserve, Wanted
from ledger.holds.transfer import RECEIVED, End
from tests.ledger.transfer_requests import place

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
A, B = LevelKey(0, "berlin", "A"), LevelKey(0, "berlin", "B")


def operation(plan: Plan, key: str = "key") -> Operation:
    return Operation(key, "shop", key, b"", (), plan)


def hold(a: HoldLine, b: HoldLine) -> Hold:
    return Hold("old", "shop", {A: a, B: b}, None, None, 3, NOW, NOW + timedelta(seconds=600))


def verdicts(old: Hold, *plans: Plan) -> list[object]:
    stocks = {key: Stock(100, line.reserved, 5) for key, line in old.lines.items()}
    return list(decide([operation(plan) for plan in plans], stocks, holds={old.id: old}, moment=NOW).verdicts)


def test_who_edits_a_basket_that_was_just_given_more_time_takes_none_of_it_away() -> None:
    old, levels = hold(HoldLine(pending=1), HoldLine(pending=1)), [A, B]
    extend, resize = Extend("old", levels, ttl_s=3_600), Resize("old", levels, {A: 2})
    decision = decide(
        [operation(extend, "1"), operation(resize, "2")],
        {A: Stock(9, 1, 5), B: Stock(9, 1, 5)},
        holds={"old": old},
        moment=NOW,
    )
    after = decision.holds_after["old"]
    assert after is not None
    assert after.ttl_s == 3_600


def test_a_line_that_was_paid_for_and_has_left_may_be_named_again_and_is_not_cancelled() -> None:
    old = hold(HoldLine(fulfilled=2), HoldLine(committed=1))
    assert verdicts(old, Commit("old", [A, B], {A: None})) == [0]
    assert isinstance(verdicts(old, Cancel("old", [A, B], {A: None}))[0], ReservationState)


def test_a_reservation_that_its_key_has_made_before_is_not_made_again() -> None:
    old = hold(HoldLine(pending=1), HoldLine(pending=1))
    again = Reserve("old", "shop", (Wanted((A,), 1), Wanted((B,), 1)), 900)
    assert isinstance(verdicts(old, again)[0], NothingToDo)


def test_a_delivery_that_names_a_line_of_which_nothing_is_on_its_way_is_refused() -> None:
    lines = {LevelKey(0, "transit", "A"): HoldLine(expired=1), LevelKey(0, "transit", "B"): HoldLine(committed=1)}
    old = Hold("old", "shop", lines, version=2, source="paris", target="berlin")
    target = place("berlin")
    levels = [*lines, target.level("A"), target.level("B")]
    stocks = {key: Stock(9, 1 if key in lines else 0, 5) for key in levels}
    end = End("old", levels, RECEIVED, target, {"A": None, "B": None})
    (verdict,) = decide([operation(end)], stocks, holds={"old": old}).verdicts
    assert isinstance(verdict, TransferState)
    assert verdict.numbers["sku"] == "A"


def test_releases_before_a_refusal_are_no_more_than_a_batch_has_lines() -> None:
    levels = [LevelKey(0, "berlin", f"s{number}") for number in range(600)]
    releases = [operation(Expire(f"h{number}", levels), f"h{number}") for number in range(5)]
    assert len(within_a_batch(releases)) == BATCH_LINES_MAX // 600
    assert within_a_batch(releases[:1]) == releases[:1]


@pytest.mark.parametrize(
    "refusal",
    [
        ReservationState("id", "cancelled", "commit", "nothing of it is pending", sku="A", possible=0),
        ReservationExpired("id", "2026-06-01T12:00:00Z"),
        TransferState("id", "received", "return", "nothing of it is in transit"),
        InsufficientStock("A", "berlin", 1, 2, {"berlin": 1, "paris": 0}),
        InsufficientStock("A", "berlin", 1, 2),
    ],
)
def test_a_refusal_that_0_1_0_does_not_know_does_not_end_it_where_its_key_is_used_again(refusal: Refusal) -> None:
    """It makes the refusal of its type and numbers before it finds out that another request had the key."""
    stored = refusal_as_stored(refusal)
    assert stored["type"] in ("insufficient-stock", "version-conflict", "below-reserved")
    assert stored["numbers"].keys() == {"sku", "location", "available", "requested"}
    read = refusal_from_stored(stored)
    assert (type(read), read.numbers) == (REFUSALS[refusal.type], refusal.numbers)
