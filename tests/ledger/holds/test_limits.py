"""Limits against hoarding: which of them refuses what, in which numbers, and what is counted."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ledger.commit.decide import Decision, decide
from ledger.commit.held import Held, Holder, ItemLimits, Tally
from ledger.commit.hold import Hold, HoldLine
from ledger.commit.operation import Operation
from ledger.commit.plan import Plan
from ledger.commit.stock import LevelKey, Stock
from ledger.errors import InsufficientStock, ReservationLimit
from ledger.holds.decide import Cancel, Commit, Expire, Extend, Resize
from ledger.holds.reserve import Reserve, Wanted
from ledger.limits import HoldLimits

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
A, B, ELSEWHERE = LevelKey(0, "berlin", "A"), LevelKey(0, "berlin", "B"), LevelKey(1, "hamburg", "A")
STOCKS = {A: Stock(100, 10, 5), B: Stock(100, 0, 5), ELSEWHERE: Stock(100, 0, 5)}
HOLDER = Holder("shop", "ada")
Items = Mapping[str, ItemLimits]


def operation(plan: Plan, key: str) -> Operation:
    return Operation(key, "shop", key, b"", (), plan)


def reserve(units: int, *places: LevelKey, key: str = "new", **said: Any) -> Operation:
    split = said.pop("split", False)
    said = {"ttl_s": 900, "customer": "ada", **said}
    return operation(Reserve(key, "shop", (Wanted(places or (A,), units, split),), **said), key)


def hold(pending: int = 0, committed: int = 0, left_s: int = 600, customer: str | None = "ada") -> Hold:
    lines = {A: HoldLine(pending=pending, committed=committed)}
    return Hold("old", "shop", lines, customer, None, 3, NOW, NOW + timedelta(seconds=left_s))


def decided(
    batch: Iterable[Operation],
    limits: HoldLimits,
    items: Items | None = None,
    old: Hold | None = None,
    customer: Held | None = None,
    owner: Held | None = None,
) -> Decision:
    """``customer``, ``owner``: what is counted for ada and the shop."""
    tally = Tally(limits, items or {}, {"ada": customer or Held()}, {"shop": owner or Held()})
    return decide(list(batch), STOCKS, holds={} if old is None else {old.id: old}, moment=NOW, tally=tally)


def refused(decision: Decision) -> list[Any]:
    """Of each operation the limit that refused it, with its numbers; None for one that was done."""
    limits = (verdict if isinstance(verdict, Exception) else None for verdict in decision.verdicts)
    return [None if limit is None else _numbers(limit) for limit in limits]


def _numbers(error: Exception) -> Any:
    assert isinstance(error, ReservationLimit), error
    return tuple(error.numbers.values())


@pytest.mark.parametrize(
    ("limits", "items", "held", "numbers"),
    [
        ({"customer_units": 5}, None, {"customer": Held(units=3)}, ("customer_units", 5, 3, 3, "ada")),
        ({"customer_units": 6}, None, {"customer": Held(units=3)}, None),
        ({"customer_reservations": 2}, None, {"customer": Held(holds=2)}, ("customer_reservations", 2, 2, 1, "ada")),
        ({"owner_units": 5}, None, {"owner": Held(units=3)}, ("owner_units", 5, 3, 3, "shop")),
        ({"owner_reservations": 7}, None, {"owner": Held(holds=7)}, ("owner_reservations", 7, 7, 1, "shop")),
        ({"share_percent": 12}, None, {}, ("share_percent", 12, 10, 3, "A", "berlin")),
        ({"share_percent": 13}, None, {}, None),
        (
            {},
            ItemLimits(customer_units=3),
            {"customer": Held(of_sku={"A": 1})},
            ("customer_units", 3, 1, 3, "A", "ada"),
        ),
        ({}, ItemLimits(customer_units=3), {"customer": Held(units=9, of_sku={"B": 9})}, None),
        ({}, ItemLimits(ttl_s=899), {}, ("ttl_s", 899, 0, 900, "A")),
        ({"share_percent": 50}, ItemLimits(share_percent=12), {}, ("share_percent", 12, 10, 3, "A", "berlin")),
        ({"share_percent": 12}, ItemLimits(share_percent=50), {}, None),
    ],
)
def test_a_refusal_says_which_limit_with_numbers(
    limits: dict[str, int], items: ItemLimits | None, held: dict[str, Any], numbers: Any
) -> None:
    of_items = {} if items is None else {"A": items}
    assert refused(decided([reserve(3)], HoldLimits(**limits), of_items, **held)) == [numbers]


def test_what_the_same_batch_has_reserved_counts() -> None:
    batch = [reserve(2, key=str(n)) for n in range(3)]
    assert refused(decided(batch, HoldLimits(customer_units=5))) == [None, None, ("customer_units", 5, 4, 2, "ada")]
    limits = HoldLimits(owner_reservations=2)
    assert refused(decided(batch, limits)) == [None, None, ("owner_reservations", 2, 2, 1, "shop")]
    of_item = {"A": ItemLimits(customer_units=5)}
    assert refused(decided(batch, HoldLimits(), of_item))[2] == ("customer_units", 5, 4, 2, "A", "ada")
    assert refused(decided(batch, HoldLimits(share_percent=14)))[2] == ("share_percent", 14, 14, 2, "A", "berlin")


def test_what_the_same_batch_lets_go_of_may_be_held_again() -> None:
    batch = [operation(Cancel("old", [A]), "cancel"), reserve(5)]
    limits = HoldLimits(customer_units=5, customer_reservations=1)
    assert refused(decided(batch, limits, old=hold(5), customer=Held(5, 1))) == [None, None]


def test_what_is_overdue_is_let_go_of_without_being_counted_twice() -> None:
    """It was not counted any more: letting go of it makes no room beside that."""
    batch = [operation(Expire("old", [A]), "expire"), reserve(5), reserve(1, key="more")]
    limits = HoldLimits(customer_units=5)
    assert refused(decided(batch, limits, old=hold(5, left_s=-1))) == [None, None, ("customer_units", 5, 5, 1, "ada")]


def test_who_has_paid_is_not_refused_and_counts() -> None:
    batch = [operation(Commit("old", [A]), "commit"), reserve(1)]
    limits = HoldLimits(customer_units=5, share_percent=1)
    decision = decided(batch, limits, {"A": ItemLimits(share_percent=100)}, old=hold(5, left_s=-1))
    assert refused(decision) == [None, ("customer_units", 5, 5, 1, "ada")]


def test_a_basket_that_grows_is_held_to_the_limits_and_one_that_shrinks_is_not() -> None:
    def change(limits: HoldLimits, **parts: int) -> list[Any]:
        levels = {"A": A, "B": B}
        asked = {levels[sku]: units for sku, units in parts.items()}
        resize = operation(Resize("old", [A, B], asked, holder=HOLDER), "change")
        return refused(decided([resize], limits, old=hold(8), customer=Held(8, 1, {"A": 8})))

    limits = HoldLimits(customer_units=6)
    assert change(limits, A=7) == [None]
    assert change(limits, A=3, B=5) == [None], "as many in all"
    assert change(limits, A=7, B=2) == [("customer_units", 6, 8, 1, "ada")]
    assert change(HoldLimits(share_percent=1), B=2) == [("share_percent", 1, 0, 2, "B", "berlin")]


def test_units_come_to_no_hold_that_keeps_them_for_longer_than_they_may() -> None:
    items = {"B": ItemLimits(ttl_s=300)}
    more = operation(Resize("old", [A, B], {B: 1}, holder=HOLDER), "more")
    assert refused(decided([more], HoldLimits(), items, old=hold(1))) == [("ttl_s", 300, 0, 600, "B")]
    assert refused(decided([more], HoldLimits(), items, old=hold(1, left_s=300))) == [None]
    sooner = operation(Resize("old", [A, B], {B: 1}, 300, HOLDER), "sooner")
    assert refused(decided([sooner], HoldLimits(), items, old=hold(1))) == [None]


def test_nothing_is_extended_beyond_what_its_items_allow() -> None:
    items = {"A": ItemLimits(ttl_s=300)}
    extend = operation(Extend("old", [A], ttl_s=301, holder=HOLDER), "extend")
    assert refused(decided([extend], HoldLimits(), items, old=hold(1))) == [("ttl_s", 300, 0, 301, "A")]
    shorter = operation(Extend("old", [A], ttl_s=300, holder=HOLDER), "shorter")
    assert refused(decided([shorter], HoldLimits(), items, old=hold(1))) == [None]


def test_who_does_not_say_how_long_gets_what_the_items_allow() -> None:
    decision = decided([reserve(1, or_less=True)], HoldLimits(), {"A": ItemLimits(ttl_s=300)})
    assert [hold.ttl_s for hold, _ in decision.holds] == [300]


def test_a_hold_without_a_customer_is_counted_by_itself() -> None:
    limits, items = HoldLimits(customer_units=3), {"A": ItemLimits(customer_units=3)}
    batch = [reserve(3, key="1", customer=None), reserve(3, key="2", customer=None), reserve(4, customer=None)]
    assert refused(decided(batch, limits, items)) == [None, None, ("customer_units", 3, 0, 4, "A", None)]
    more = operation(Resize("old", [A], {A: 4}, holder=Holder("shop", None)), "more")
    numbers = [("customer_units", 3, 3, 1, None)]
    assert refused(decided([more], limits, old=hold(3, customer=None))) == numbers


def test_a_share_that_is_held_is_taken_elsewhere_if_there_is_a_choice() -> None:
    limits = HoldLimits(share_percent=12)
    decision = decided([reserve(3, A, ELSEWHERE)], limits)
    assert [event["location"] for event in decision.events] == ["hamburg"]
    decision = decided([reserve(14, A, ELSEWHERE, split=True)], limits)
    assert {event["location"]: event["reserved_delta"] for event in decision.events} == {"berlin": 2, "hamburg": 12}
    assert refused(decided([reserve(15, A, ELSEWHERE, split=True)], limits))[0][0] == "share_percent"


def test_what_is_not_there_is_said_to_be_missing_and_not_limited() -> None:
    (verdict,) = decided([reserve(95)], HoldLimits(share_percent=50)).verdicts
    assert isinstance(verdict, InsufficientStock)


def test_the_last_unit_can_be_held_whatever_share_may_be() -> None:
    tally = Tally(HoldLimits(share_percent=1), {})
    decision = decide([reserve(1)], {A: Stock(1, 0, 1)}, moment=NOW, tally=tally)
    assert refused(decision) == [None]


def test_a_limit_that_refuses_stores_nothing() -> None:
    decision = decided([reserve(3)], HoldLimits(customer_units=2))
    assert (decision.stored, decision.events) == ([], [])
