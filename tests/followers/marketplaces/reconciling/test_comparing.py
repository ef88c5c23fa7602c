"""What counts as drift: each class, its likely cause and what is proposed; and what is no drift at all."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from followers.marketplaces.reconciling.comparing import (
    Difference,
    DriftClass,
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


SKUS = {"r1": "TEA-1", "r2": "TEA-2", "r3": "TEA-1"}


@pytest.mark.parametrize(
    ("booked", "wanted"),
    [
        ({"TEA-1": 2}, order("paid", ("r1", 2))),
        ({"TEA-1": 3}, order("unpaid", ("r1", 2), ("r3", 1))),
        ({"TEA-1": 0}, order("cancelled", ("r1", 2))),
        (None, order("cancelled")),
        ({}, order("cancelled", ("r1", 1))),
    ],
    ids=["booked", "two listings of one sku", "put back", "cancelled and never known", "cancelled before it came"],
)
def test_an_order_is_booked(booked: dict[str, int] | None, wanted: Order) -> None:
    assert compare_order(booked, wanted, SKUS) is None


@pytest.mark.parametrize(
    ("booked", "wanted", "numbers", "repair", "cause"),
    [
        (None, order("paid", ("r1", 2)), (0, 2), Repair.BOOK, "order #1001 is not known here"),
        ({"TEA-1": 2}, order("paid", ("r1", 3)), (2, 3), Repair.BOOK, "was changed"),
        ({"TEA-1": 2}, order("paid", ("r2", 2)), (2, 2), Repair.BOOK, "was changed"),
        ({"TEA-1": 2}, order("cancelled", ("r1", 2)), (2, 0), Repair.BOOK, "is cancelled there"),
        ({"TEA-1": 2}, order("paid", ("r1", 2), ("r8", 1)), (2, 3), None, "1 units of listings that are mapped to"),
    ],
    ids=["unknown", "more", "another sku", "cancelled there", "unmapped line"],
)
def test_an_order_is_not_booked(
    booked: dict[str, int] | None, wanted: Order, numbers: tuple[int, int], repair: Repair | None, cause: str
) -> None:
    difference = compare_order(booked, wanted, SKUS)
    assert difference is not None
    assert difference.kind is DriftClass.ORDER_NOT_BOOKED
    assert ((difference.ours, difference.theirs), difference.repair) == (numbers, repair)
    assert cause in difference.cause
