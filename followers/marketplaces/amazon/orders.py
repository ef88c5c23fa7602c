"""Orders as Amazon writes them, and as ours are: of what the seller fulfils itself. Pure.

What Amazon fulfils is sold from its own stock, and is nothing to us.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from followers.marketplaces.terms import Order, OrderLine, OrderState

STATES: Mapping[str, OrderState] = {
    "PENDING_AVAILABILITY": "unpaid",
    "PENDING": "unpaid",
    "CANCELLED": "cancelled",
    "UNFULFILLABLE": "cancelled",
    # of notices
    "PendingAvailability": "unpaid",
    "Pending": "unpaid",
    "Canceled": "cancelled",
    "Unfulfillable": "cancelled",
}
"""All others are paid: https://developer-docs.amazon.com/sp-api/reference/searchorders"""
ALMOST_A_SECOND = timedelta(microseconds=999_999)


def of_search(order: Mapping[str, Any]) -> Order | None:
    """Of the Orders API, with its ``FULFILLMENT``; None: Amazon fulfils it. Raises KeyError, ValueError or TypeError
    for what is none."""
    fulfillment = order["fulfillment"]
    if fulfillment.get("fulfilledBy") == "AMAZON":
        return None
    lines = ((one["product"].get("sellerSku") or "", one["quantityOrdered"]) for one in order["orderItems"])
    return Order(
        id=order["orderId"],
        number=order["orderId"],
        state=STATES.get(fulfillment["fulfillmentStatus"], "paid"),
        lines=_summed(lines),
        placed_at=_time(order["createdTime"]),
        updated_at=_updated(order["lastUpdatedTime"]),
    )


def of_notice(change: Mapping[str, Any], event_time: str) -> Order | None:
    """Of an ORDER_CHANGE at the level of the order, which holds all of its items. As ``of_search``."""
    summary = change["Summary"]
    if summary["FulfillmentType"] != "MFN":
        return None
    changed_at = change["OrderChangeTrigger"]["TimeOfOrderChange"] or event_time
    return Order(
        id=change["AmazonOrderId"],
        number=change["AmazonOrderId"],
        state=STATES.get(summary["OrderStatus"], "paid"),
        lines=_summed((one["SellerSKU"], one["Quantity"]) for one in summary["OrderItems"]),
        placed_at=_time(summary["PurchaseDate"] or event_time),
        updated_at=_time(changed_at),
    )


def _summed(lines: Iterable[tuple[str, int]]) -> list[OrderLine]:
    """One sku may stand in several items."""
    units: Counter[str] = Counter()
    for sku, quantity in lines:
        units[sku] += quantity
    return [OrderLine(sku, quantity) for sku, quantity in units.items() if quantity > 0]


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text} has no offset")
    return at


def _updated(text: str) -> datetime:
    """The search tells whole seconds where notices tell thousandths: of a second that is not told it is the end, or a
    notice of what came before within it would be taken for newer."""
    at = _time(text)
    return at if at.microsecond else at + ALMOST_A_SECOND
