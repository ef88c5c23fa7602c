"""Which word about an order counts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from followers.marketplaces.orders.knowing import Verdict, judge, sound
from followers.marketplaces.terms import Order, OrderLine, OrderState

MOMENT = datetime(2026, 11, 30, 12, tzinfo=UTC)


def order(later_s: float, state: OrderState = "paid", *quantities: int) -> Order:
    return Order(
        "1", state, [OrderLine("r", units) for units in quantities], MOMENT, MOMENT + timedelta(seconds=later_s)
    )


@pytest.mark.parametrize(
    ("known", "told", "fetched", "verdict"),
    [
        (None, order(0), False, "newer"),
        (order(0), order(0), False, "known"),
        (order(1), order(0), False, "known"),
        (order(0), order(1), False, "newer"),
        # a cancel before its order: the order is older
        (order(1, "cancelled"), order(0, "paid", 2), False, "known"),
        # the channel's clock counts whole seconds, and two things happened in one
        (order(0, "paid", 2), order(0, "cancelled"), False, "unclear"),
        (order(0, "paid", 2), order(0, "cancelled"), True, "newer"),
        (order(0, "paid", 2), order(0, "paid", 3), False, "unclear"),
        # the same units in other lines
        (order(0, "paid", 2), order(0, "paid", 1, 1), False, "known"),
        # what was fetched is old all the same if we know better
        (order(1), order(0), True, "known"),
    ],
)
def test_the_newer_word_counts(known: Order | None, told: Order, fetched: bool, verdict: Verdict) -> None:
    assert judge(known, told, fetched=fetched) == verdict


@pytest.mark.parametrize(
    "odd",
    [
        {"id": ""},
        {"id": 7},
        {"number": None},
        {"number": "no\0"},
        {"lines": [OrderLine("r", 1.5)]},  # type: ignore[arg-type]  # what an answer may hold
        {"lines": [OrderLine("r", 2**31)]},
        {"lines": [OrderLine("r\0", 1)]},
        {"placed_at": datetime(1, 1, 1, tzinfo=UTC)},
        {"updated_at": datetime(2026, 11, 30)},
    ],
)
def test_what_cannot_be_stored_or_booked_is_no_order(odd: dict[str, Any]) -> None:
    assert sound(order(0, "paid", 2))
    assert not sound(replace(order(0, "paid", 2), **odd))
