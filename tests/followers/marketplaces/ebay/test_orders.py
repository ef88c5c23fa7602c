"""What eBay says of an order, in our words: what is paid, what is not yet, and what never left the shelf."""

from typing import Any

import msgspec
import pytest

from followers.marketplaces.ebay.orders import EbayOrder, order_of
from followers.marketplaces.terms import OrderLine


def line(sku: str, quantity: int, cost: str = "20.00", refunded: str | None = None, **more: object) -> dict[str, Any]:
    refunds = [] if refunded is None else [{"amount": {"value": refunded, "currency": "USD"}}]
    return {"sku": sku, "quantity": quantity, "lineItemCost": {"value": cost}, "refunds": refunds, **more}


def order(*lines: dict[str, Any], paid: str = "PAID", cancel: str = "NONE_REQUESTED", **more: object) -> EbayOrder:
    said = {
        "orderId": "12-34567-89012",
        "creationDate": "2026-11-30T09:00:00.000Z",
        "lastModifiedDate": "2026-11-30T09:30:00.500Z",
        "orderPaymentStatus": paid,
        "orderFulfillmentStatus": "NOT_STARTED",
        "cancelStatus": {"cancelState": cancel, "cancelRequests": []},
        "lineItems": lines,
        **more,
    }
    return msgspec.convert(said, EbayOrder)


@pytest.mark.parametrize(
    ("paid", "cancel", "payment", "state"),
    [
        ("PAID", "NONE_REQUESTED", "PAID", "paid"),
        ("PENDING", "NONE_REQUESTED", "PENDING", "unpaid"),
        ("FAILED", "NONE_REQUESTED", "FAILED", "unpaid"),
        ("FAILED", "NONE_REQUESTED", "PAID", "paid"),
        ("PAID", "IN_PROGRESS", "PAID", "paid"),
        ("FULLY_REFUNDED", "CANCELED", "PAID", "cancelled"),
        ("PENDING", "CANCELED", "PENDING", "cancelled"),
    ],
)
def test_a_state_is_that_of_payment_and_cancellation(paid: str, cancel: str, payment: str, state: str) -> None:
    summary = {"payments": [{"paymentStatus": payment}]}
    assert order_of(order(line("mug", 1), paid=paid, cancel=cancel, paymentSummary=summary)).state == state


def test_lines_of_one_sku_are_added_up_and_a_listing_without_a_sku_is_named_by_its_number() -> None:
    found = order_of(order(line("mug", 1), line("mug", 2), line("", 3, legacyItemId="110000000001")))
    assert list(found.lines) == [OrderLine("mug", 3), OrderLine("110000000001", 3)]
    assert (found.placed_at.isoformat(), found.updated_at.isoformat()) == (
        "2026-11-30T09:00:00+00:00",
        "2026-11-30T09:30:00.500000+00:00",
    )


@pytest.mark.parametrize(
    ("paid", "refunded", "shipped", "left"),
    [
        ("PARTIALLY_REFUNDED", "20.00", "NOT_STARTED", [("cap", 1)]),
        ("PARTIALLY_REFUNDED", "10.00", "NOT_STARTED", [("mug", 2), ("cap", 1)]),
        ("PARTIALLY_REFUNDED", "20.00", "FULFILLED", [("mug", 2), ("cap", 1)]),
        ("FULLY_REFUNDED", None, "NOT_STARTED", []),
        ("FULLY_REFUNDED", None, "FULFILLED", [("mug", 2), ("cap", 1)]),
    ],
)
def test_what_was_paid_back_whole_before_it_was_shipped_is_not_going_to_be(
    paid: str, refunded: str | None, shipped: str, left: list[tuple[str, int]]
) -> None:
    lines = [line(sku, units, lineItemFulfillmentStatus=shipped) for sku, units in (("mug", 2), ("cap", 1))]
    lines[0] = line("mug", 2, refunded=refunded, lineItemFulfillmentStatus=shipped)
    found = order_of(order(*lines, paid=paid))
    assert [(one.remote, one.quantity) for one in found.lines] == left
    assert found.state == "paid"
