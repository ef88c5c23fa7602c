"""What is booked of an order: whatever is told, how often and in which order, the end is the same."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followers.marketplaces.orders.booking import Booked, Demand, Hold, Step, Units, decide, summed
from followers.marketplaces.orders.knowing import judge
from followers.marketplaces.terms import Order, OrderLine, OrderState

A, B = ("A", "berlin"), ("A", "hamburg")
X = ("X", "berlin")
MOMENT = datetime(2026, 11, 30, 12, tzinfo=UTC)
PLACES = ("berlin", "hamburg")
STEPS_MAX = 5
"""Cancel, commit and move are the most that an order needs."""


def demand(units: int, sku: str = "A", places: tuple[str, ...] = PLACES) -> Demand:
    return Demand(sku, places, units)


def held(units: Units, left: Units | None = None) -> Booked:
    return Booked(hold=Hold("h", units, left or {}))


@pytest.mark.parametrize(
    ("state", "demands", "booked", "available", "step", "short"),
    [
        # paid: sales, from the first place that has all
        ("paid", [demand(2)], Booked(), {A: 5, B: 5}, Step("move", ((A, -2),)), {}),
        ("paid", [demand(2)], Booked(), {A: 1, B: 5}, Step("move", ((B, -2),)), {}),
        ("paid", [demand(3)], Booked(), {A: 1, B: 2}, Step("move", ((A, -1), (B, -2))), {}),
        ("paid", [demand(2), demand(1, "X")], Booked(), {A: 2, X: 1}, Step("move", ((A, -2), (X, -1))), {}),
        # two listings of one sku do not take the same unit twice
        ("paid", [demand(2), demand(2)], Booked(), {A: 3, B: 1}, Step("move", ((A, -3), (B, -1))), {}),
        ("paid", [demand(1, places=("hamburg",)), demand(1)], Booked(), {B: 1}, Step("move", ((B, -1),)), {"A": 1}),
        # booked before: nothing
        ("paid", [demand(2)], Booked({A: 2}), {A: 5}, None, {}),
        # edits: differences
        ("paid", [demand(3)], Booked({A: 2}), {A: 5}, Step("move", ((A, -1),)), {}),
        ("paid", [demand(1)], Booked({A: 1, B: 1}), {A: 5}, Step("move", ((B, 1),)), {}),
        ("paid", [demand(1, "X")], Booked({A: 1}), {X: 1}, Step("move", ((A, 1), (X, -1))), {}),
        ("paid", [], Booked({A: 2}), {}, Step("move", ((A, 2),)), {}),
        # the mapping names another place by now: units stay where they were booked
        ("paid", [demand(2, places=("hamburg",))], Booked({A: 2}), {B: 9}, None, {}),
        # cancelled
        ("cancelled", [demand(2)], Booked({A: 2}), {A: 5}, Step("move", ((A, 2),)), {}),
        ("cancelled", [], Booked(), {}, None, {}),
        ("cancelled", [demand(2)], held({A: 2}), {}, Step("cancel", ((A, 2),), "h"), {}),
        # not enough: what is there is booked, the rest is short
        ("paid", [demand(3)], Booked(), {A: 2}, Step("move", ((A, -2),)), {"A": 1}),
        ("paid", [demand(3)], Booked(), {}, None, {"A": 3}),
        ("paid", [demand(3)], Booked({A: 2}), {}, None, {"A": 1}),
        ("paid", [demand(3)], Booked({A: 2}), {A: 4}, Step("move", ((A, -1),)), {}),
        ("unpaid", [demand(3)], Booked(), {A: 1, B: 1}, Step("reserve", ((A, 1), (B, 1))), {"A": 1}),
        # a level may be below 0 after a count: that is not ours to sell
        ("paid", [demand(1)], Booked(), {A: -4}, None, {"A": 1}),
        # unpaid: holds
        ("unpaid", [demand(2)], Booked(), {A: 5}, Step("reserve", ((A, 2),)), {}),
        ("unpaid", [demand(2)], held({A: 2}), {A: 5}, None, {}),
        ("unpaid", [demand(3)], held({A: 2}), {A: 5}, Step("change", ((A, 3),), "h"), {}),
        ("unpaid", [demand(1)], held({A: 2}), {A: 5}, Step("change", ((A, 1),), "h"), {}),
        ("unpaid", [demand(1, "X")], held({A: 2}), {X: 1}, Step("change", ((A, 0), (X, 1)), "h"), {}),
        ("unpaid", [], held({A: 2}), {}, Step("cancel", ((A, 2),), "h"), {}),
        # paid: what is held leaves, differences follow
        ("paid", [demand(2)], held({A: 2}), {}, Step("commit", (), "h"), {}),
        ("paid", [demand(3)], held({A: 2}), {A: 1}, Step("commit", (), "h"), {}),
        ("paid", [demand(1)], held({A: 2}), {}, Step("cancel", ((A, 1),), "h"), {}),
        # somebody let a part of it leave by hand
        ("paid", [demand(2)], held({A: 1}, {A: 1}), {}, Step("commit", (), "h"), {}),
        ("unpaid", [demand(1)], held({A: 1}, {A: 1}), {}, Step("cancel", ((A, 1),), "h"), {}),
        # paid, then said to be unpaid: sold stays sold, differences are sales
        ("unpaid", [demand(3)], Booked({A: 2}), {A: 1}, Step("move", ((A, -1),)), {}),
    ],
)
def test_the_next_step(
    state: OrderState,
    demands: Sequence[Demand],
    booked: Booked,
    available: Units,
    step: Step | None,
    short: Mapping[str, int],
) -> None:
    decision = decide(state, demands, booked, available)
    assert (decision.step, decision.short) == (step, short)


@pytest.mark.parametrize(
    ("wanted", "sold", "there", "waived", "takes", "left"),
    [
        (3, 2, 5, 1, 0, {"A": 1}),
        (4, 2, 5, 1, 1, {"A": 1}),
        (2, 2, 5, 1, 0, {}),
        (1, 2, 5, 1, -1, {}),
        (3, 0, 1, 1, 1, {"A": 1}),
    ],
)
def test_what_a_person_gave_up_is_not_booked_when_it_is_there_again(
    wanted: int, sold: int, there: int, waived: int, takes: int, left: Mapping[str, int]
) -> None:
    decision = decide("paid", [demand(wanted)], Booked({A: sold}), {A: there}, {"A": waived})
    assert decision.step == (Step("move", ((A, -takes),)) if takes else None)
    assert decision.waived == left


class Shop:
    """A ledger that does what a step says, or refuses all of it."""

    def __init__(self, stock: Units) -> None:
        self.available = dict(stock)

    def run(self, state: OrderState, demands: Sequence[Demand], booked: Booked) -> tuple[Booked, Mapping[str, int]]:
        for _ in range(STEPS_MAX):
            decision = decide(state, demands, booked, self.available)
            if decision.step is None:
                return booked, decision.short
            before = booked.all
            booked = self._done(booked, decision.step)
            self.available = summed(self.available, before, {level: -units for level, units in booked.all.items()})
            assert all(units > 0 for units in self.available.values()), "below what is there"
            assert all(units > 0 for units in booked.all.values()), "more put back than was booked"
        raise AssertionError(f"{state} {demands} {booked}: it never ends")

    @staticmethod
    def _done(booked: Booked, step: Step) -> Booked:
        if step.kind == "move":
            return booked.moved(step.lines)
        lines = dict(step.lines)
        if step.kind == "reserve":
            return booked.seen(Hold("h", lines))
        hold = booked.hold
        assert hold is not None
        if step.kind == "commit":
            return booked.seen(Hold("h", {}, summed(hold.left, hold.held)))
        held = (
            summed({**hold.held, **lines})
            if step.kind == "change"
            else summed(hold.held, {level: -units for level, units in lines.items()})
        )
        return booked.seen(Hold("h", held, hold.left))


def told(number: int, state: OrderState, units: Mapping[str, int], updated_s: int) -> Order:
    lines = [OrderLine(remote, quantity) for remote, quantity in units.items()]
    return Order(str(number), state, lines, MOMENT, MOMENT + timedelta(seconds=updated_s))


states: st.SearchStrategy[OrderState] = st.sampled_from(["unpaid", "paid", "cancelled"])
lines = st.dictionaries(st.sampled_from(["A", "X"]), st.integers(1, 4), max_size=2)


@given(st.lists(st.tuples(states, lines), min_size=1, max_size=6), st.integers(0, 2**32), st.booleans())
def test_any_order_and_repetition_of_notices_ends_in_the_same_bookings(
    versions: list[tuple[OrderState, dict[str, int]]], seed: int, paid_for_good: bool
) -> None:
    """``updated_at`` of neighbours may be the same moment: then the order is fetched, which says what it is now."""
    chance = random.Random(seed)
    words = [told(1, state, units, number // 2) for number, (state, units) in enumerate(versions)]
    if paid_for_good:
        words = [replace(word, state="paid") if word.state == "unpaid" else word for word in words]
    newest = words[-1]
    notices = [*words, *chance.choices(words, k=len(words))]
    chance.shuffle(notices)

    shop, known, booked = Shop({A: 100, X: 100}), None, Booked()
    short: Mapping[str, int] = {}
    for notice in [*notices, newest]:
        verdict = judge(known, notice, fetched=False)
        if verdict == "unclear":
            notice, verdict = newest, judge(known, newest, fetched=True)
        if verdict == "newer":
            known = notice
            booked, short = shop.run(known.state, _demands(known), booked)
    # A poll at the end, as there is one after whatever was lost.
    if judge(known, newest, fetched=True) == "newer":
        known = newest
        booked, short = shop.run(newest.state, _demands(newest), booked)

    straight, _ = Shop({A: 100, X: 100}).run(newest.state, _demands(newest), Booked())
    assert booked.all == straight.all
    assert short == {}


@given(st.lists(st.tuples(states, lines), min_size=1, max_size=5), st.integers(0, 6), st.integers(0, 6))
def test_what_is_booked_and_what_is_short_are_what_the_order_takes(
    versions: list[tuple[OrderState, dict[str, int]]], berlin: int, hamburg: int
) -> None:
    shop, booked = Shop({level: units for level, units in {A: berlin, B: hamburg}.items() if units}), Booked()
    for state, units in versions:
        order = told(1, state, units, 0)
        booked, short = shop.run(state, _demands(order), booked)
        wanted = 0 if state == "cancelled" else units.get("A", 0)
        assert sum(units for (sku, _), units in booked.all.items() if sku == "A") + short.get("A", 0) == wanted
        assert sum(shop.available.values()) + sum(booked.all.values()) == berlin + hamburg, "a unit came or went"


def _demands(order: Order) -> list[Demand]:
    return [demand(line.quantity, line.remote) for line in order.lines]
