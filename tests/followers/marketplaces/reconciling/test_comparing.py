"""What counts as drift: each class, its likely cause and what is proposed; and what is no drift at all."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from followers.marketplaces.reconciling.comparing import (
    Difference,
    DriftClass,
    KnownOrder,
    Repair,
    Standing,
    compare,
    compare_order,
)
from followers.marketplaces.terms import Listing, Order, OrderLine

TEA = Standing(sku="TEA-1", available=10, offered=8, sent=8, dead="", at_rest=True, stamp="1")
THERE = Listing("r1", 8, sku="TEA-1")
KNOWN = frozenset({"TEA-1", "TEA-2"})
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def found(ours: Standing | None, theirs: Listing | None) -> Difference:
    difference = compare(ours, theirs, KNOWN)
    assert difference is not None
    return difference


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (TEA, THERE),
        (TEA, replace(THERE, sku="the tea")),
        (TEA, replace(THERE, quantity=None)),
        (replace(TEA, at_rest=False), replace(THERE, quantity=3)),
        (None, Listing("r9", 0, sku="TEA-2")),
        (None, Listing("r9", None, sku="TEA-2")),
    ],
    ids=["equal", "called otherwise there", "not counted there", "under way", "sells nothing", "unmapped, not counted"],
)
def test_there_is_nothing_to_say(ours: Standing | None, theirs: Listing) -> None:
    assert compare(ours, theirs, KNOWN) is None


@pytest.mark.parametrize(
    ("ours", "theirs", "kind", "numbers", "repair", "cause"),
    [
        (TEA, replace(THERE, quantity=5), DriftClass.QUANTITY, (8, 5), Repair.PUSH, "3 fewer than we set"),
        (TEA, replace(THERE, quantity=11), DriftClass.QUANTITY, (8, 11), Repair.PUSH, "3 more than we set"),
        (TEA, replace(THERE, quantity=10), DriftClass.BUFFER_NOT_KEPT, (8, 10), Repair.PUSH, "2 more than we set"),
        (replace(TEA, sent=6), replace(THERE, quantity=6), DriftClass.QUANTITY, (8, 6), Repair.PUSH, "was not sent"),
        (replace(TEA, sent=None), replace(THERE, quantity=6), DriftClass.QUANTITY, (8, 6), Repair.PUSH, "no number"),
        (
            *(replace(TEA, sent=6, dead="no such offer", at_rest=False), replace(THERE, quantity=6)),
            *(DriftClass.QUANTITY, (8, 6), Repair.PUSH, "refuses our number: no such offer"),
        ),
        (TEA, None, DriftClass.MISSING_THERE, (8, None), Repair.UNMAP, "removed there"),
        (None, Listing("r9", 4, sku="TEA-2"), DriftClass.UNKNOWN_HERE, (None, 4), Repair.MAP, "same name, TEA-2"),
        (None, Listing("r9", 4, sku="tea-2"), DriftClass.UNKNOWN_HERE, (None, 4), None, "no sku of its name"),
        (TEA, replace(THERE, sku="TEA-2"), DriftClass.MAPPING_BROKEN, (8, 8), Repair.MAP, "another sku of ours"),
        (replace(TEA, available=None, offered=0), THERE, DriftClass.MAPPING_BROKEN, (0, 8), None, "never had any"),
    ],
    ids=[
        *("fewer", "more than there are", "the buffer", "an older number of ours", "never sent", "refused"),
        *("missing", "unknown, one of ours", "unknown, differs in case", "another sku of ours", "sku unknown"),
    ],
)
def test_each_class_has_both_numbers_a_cause_and_a_proposal(
    ours: Standing | None,
    theirs: Listing | None,
    kind: DriftClass,
    numbers: tuple[int | None, int | None],
    repair: Repair | None,
    cause: str,
) -> None:
    difference = found(ours, theirs)
    assert (difference.kind, (difference.ours, difference.theirs), difference.repair) == (kind, numbers, repair)
    assert cause in difference.cause


def test_what_would_be_mapped_is_named() -> None:
    assert found(None, Listing("r9", 4, sku="TEA-2")).sku == "TEA-2"
    assert found(TEA, replace(THERE, sku="TEA-2")).sku == "TEA-2"


def order(state: str, *lines: tuple[str, int]) -> Order:
    return Order("1", state, [OrderLine(*line) for line in lines], NOW, NOW, number="#1001")  # type: ignore[arg-type]


PAID = order("paid", ("r1", 2))


def known(told: Order = PAID, *unmapped: str, pending: bool = False, failed: str = "") -> KnownOrder:
    return KnownOrder(told, pending, failed, unmapped)


@pytest.mark.parametrize(
    ("ours", "there"),
    [
        (known(), PAID),
        (known(pending=True), PAID),
        (known(replace(PAID, updated_at=NOW + timedelta(seconds=1))), PAID),
        (None, order("cancelled", ("r1", 2))),
        (None, order("unpaid")),
    ],
    ids=["booked", "being booked", "newer here", "cancelled before anybody knew", "takes nothing"],
)
def test_an_order_is_booked(ours: KnownOrder | None, there: Order) -> None:
    assert compare_order(ours, there) is None


@pytest.mark.parametrize(
    ("ours", "there", "numbers", "repair", "cause"),
    [
        (None, PAID, (0, 2), Repair.BOOK, "order #1001 is not known here"),
        (known(order("paid", ("r1", 3))), PAID, (3, 2), Repair.BOOK, "was changed there"),
        (known(), order("cancelled", ("r1", 2)), (2, 0), Repair.BOOK, "it is cancelled now"),
        (known(PAID, "r8", "r9"), PAID, (2, 2), None, "mapped to nothing: r8, r9"),
        (known(pending=True, failed="no such sku"), PAID, (2, 2), Repair.BOOK, "could not be booked: no such sku"),
    ],
    ids=["unknown", "other lines", "cancelled there", "unmapped lines", "refused by the ledger"],
)
def test_an_order_is_not_booked(
    ours: KnownOrder | None, there: Order, numbers: tuple[int, int], repair: Repair | None, cause: str
) -> None:
    difference = compare_order(ours, there)
    assert difference is not None
    assert difference.kind is DriftClass.ORDER_NOT_BOOKED
    assert ((difference.ours, difference.theirs), difference.repair) == (numbers, repair)
    assert cause in difference.cause
