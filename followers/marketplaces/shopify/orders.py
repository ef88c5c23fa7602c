"""Orders of Shopify as orders of ours. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from followers.marketplaces.terms import Order, OrderLine, OrderState

PAID = frozenset({"PAID", "AUTHORIZED", "PARTIALLY_PAID", "PARTIALLY_REFUNDED", "REFUNDED"})
"""Of OrderDisplayFinancialStatus; all else waits for its money. What is authorized is only captured later."""
GONE = "gone/"
"""Before the number of a line whose variant was deleted: nobody can map it, and somebody has to see it."""


def order_of(node: Mapping[str, Any], more_lines: Iterable[Mapping[str, Any]] = ()) -> Order:
    """``node``: as ``documents`` ask for it; ``more_lines``: of its further pages."""
    return Order(
        id=str(node["legacyResourceId"]),
        number=str(node["name"]),
        state=_state(node),
        lines=_lines([*node["lineItems"]["nodes"], *more_lines], _kept(node)),
        placed_at=datetime.fromisoformat(node["createdAt"]),
        updated_at=datetime.fromisoformat(node["updatedAt"]),
    )


def _state(node: Mapping[str, Any]) -> OrderState:
    if node["cancelledAt"] is not None:
        return "cancelled"
    return "paid" if node["displayFinancialStatus"] in PAID else "unpaid"


def _lines(nodes: Iterable[Mapping[str, Any]], kept: Mapping[str, int]) -> tuple[OrderLine, ...]:
    """Of one item one line: ``currentQuantity`` leaves out all that was refunded, also what was not put back."""
    units: Counter[str] = Counter()
    for line in nodes:
        units[_remote(line)] += int(line["currentQuantity"]) + kept.get(line["id"], 0)
    return tuple(OrderLine(remote, quantity) for remote, quantity in units.items() if quantity > 0)


def _remote(line: Mapping[str, Any]) -> str:
    if line["variant"] is None:
        return GONE + str(line["id"]).rpartition("/")[2]
    return str(line["variant"]["inventoryItem"]["legacyResourceId"])


def _kept(node: Mapping[str, Any]) -> Mapping[str, int]:
    """Units by line that were refunded and not put back on the shelf."""
    units: Counter[str] = Counter()
    for refund in node["refunds"]:
        for line in refund["refundLineItems"]["nodes"]:
            if not line["restocked"]:
                units[line["lineItem"]["id"]] += int(line["quantity"])
    return units
