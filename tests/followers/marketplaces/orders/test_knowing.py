"""Which word about an order counts."""

from datetime import UTC, datetime, timedelta

import pytest

from followers.marketplaces.orders.knowing import Verdict, judge
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
