"""Orders of a Vendure shop, as its admin API tells of them. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from followers.marketplaces.terms import Order, OrderLine

INSTANT = timedelta(milliseconds=1)
"""Vendure's times are given in milliseconds, and its ``after`` leaves out the moment itself."""
OPEN = ("PaymentAuthorized", "PaymentSettled", "PartiallyShipped", "Modifying", "ArrangingAdditionalPayment")
"""States of orders that are placed and not sent: a shop's backlog, which every poll reads."""
ORDER = """id code state updatedAt orderPlacedAt
  lines { quantity updatedAt productVariant { id } } modifications { updatedAt }"""
ORDERS = f"query($options: OrderListOptions) {{ orders(options: $options) {{ totalItems items {{ {ORDER} }} }} }}"
ONE_ORDER = f"query($id: ID!) {{ order(id: $id) {{ {ORDER} }} }}"


def changed_since(since: datetime, take: int, skip: int) -> dict[str, Any]:
    """Options of ``ORDERS``: those that may have changed, by their ids: one that changes meanwhile keeps its place."""
    after = {"after": (since - INSTANT).astimezone(UTC).isoformat(timespec="milliseconds")}
    changed = [{"orderPlacedAt": after}, {"updatedAt": after}, {"state": {"in": OPEN}}]
    return {
        "filter": {"orderPlacedAt": {"isNull": False}, "_or": changed},
        "sort": {"id": "ASC"},
        "take": take,
        "skip": skip,
    }


def order_of(found: Mapping[str, Any]) -> Order:
    """As of the newest of all its times: an edit shows in none but its own."""
    lines = [OrderLine(one["productVariant"]["id"], one["quantity"]) for one in found["lines"] if one["quantity"] > 0]
    placed = datetime.fromisoformat(found["orderPlacedAt"])
    times = [datetime.fromisoformat(one["updatedAt"]) for one in (found, *found["lines"], *found["modifications"])]
    cancelled = found["state"] == "Cancelled" or not lines
    return Order(
        found["id"],
        "cancelled" if cancelled else "paid",
        [] if cancelled else lines,
        placed,
        max(placed, *times),
        found["code"],
    )
