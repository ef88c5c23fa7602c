"""Sell Fulfillment API 1.20: orders found by when they were made or changed, by pages.

https://developer.ebay.com/api-docs/master/sell/fulfillment/openapi/3/sell_fulfillment_v1_oas3.json
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from tests.channels.ebay.errors import Refused
from tests.channels.ebay.inventory import MARKETPLACE, PRICE
from tests.channels.ebay.listings import Listings
from tests.channels.ebay.pages import Outcome
from tests.channels.ebay.tokens import SELLER
from tests.channels.shared.selling import Order, Selling

ROOT = "/sell/fulfillment/v1"
PAGE, PAGE_MAX = 50, 200
IDS_MAX = 50
DAY_S = 86_400.0
DEFAULT_S = 90 * DAY_S
RANGE_MAX_S = 2 * 366 * DAY_S
FILTERS = ("creationdate", "lastmodifieddate", "orderfulfillmentstatus")
STATUSES = {"{NOT_STARTED|IN_PROGRESS}": True, "{FULFILLED|IN_PROGRESS}": False}
"""The combinations that are supported, and whether an order that was never shipped is in them: none ever is, here."""
FILTER = re.compile(r"(\w+):(\[[^\]]*\]|\{[^}]*\}|[^,]*)(?:,|$)")
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z")


@dataclass(frozen=True, slots=True)
class _Range:
    field: str
    low: float
    high: float


class Fulfillment:
    def __init__(self, selling: Selling, listings: Listings) -> None:
        self._selling = selling
        self._listings = listings

    def orders(self, query: Mapping[str, str]) -> Outcome:
        if "orderIds" in query:
            ids = query["orderIds"].split(",")
            if len(ids) > IDS_MAX:
                raise Refused(400, 30900, "orders.ids")
            found = [self._selling.orders[one] for one in ids if one in self._selling.orders]
            return Outcome(200, {"total": len(found), "orders": [self._order(one) for one in found]})
        limit, offset = _page(query)
        found = self._found(query.get("filter", ""))
        body: dict[str, Any] = {
            "href": _link(query, limit, offset),
            "total": len(found),
            "limit": limit,
            "offset": offset,
            "orders": [self._order(one) for one in found[offset : offset + limit]],
        }
        if offset + limit < len(found):
            body["next"] = _link(query, limit, offset + limit)
        if offset:
            body["prev"] = _link(query, limit, max(0, offset - limit))
        return Outcome(200, body)

    def order(self, identifier: str) -> Outcome:
        order = self._selling.orders.get(identifier)
        if order is None:
            raise Refused(404, 32100, "orders.unknown", identifier, {"orderId": identifier})
        body = self._order(order)
        if order.state == "cancelled":
            body["cancelStatus"]["cancelRequests"] = [
                {"cancelRequestId": f"5{order.id}", "cancelRequestState": "COMPLETED", "cancelInitiator": "Buyer"}
            ]
        return Outcome(200, body)

    def _found(self, given: str) -> list[Order]:
        """Oldest first. Those that are unpaid went through checkout: ``assumed.pending``."""
        filters = _filters(given)
        if filters.get("orderfulfillmentstatus") == "{FULFILLED|IN_PROGRESS}":
            return []
        at = _range(filters)
        key = "updated_at" if at.field == "lastmodifieddate" else "at"
        found = [one for one in self._selling.orders.values() if at.low <= _ms(getattr(one, key)) <= at.high]
        return sorted(found, key=lambda one: (getattr(one, key), one.id))

    def _order(self, order: Order) -> dict[str, Any]:
        cancelled = order.state == "cancelled"
        price = Decimal(PRICE["value"])
        total = price * sum(order.ordered.values())
        refunded = total if cancelled and order.state != "unpaid" else price * sum(order.refunded.values())
        return {
            "orderId": order.id,
            "legacyOrderId": order.id,
            "creationDate": written(order.at),
            "lastModifiedDate": written(order.updated_at),
            "orderFulfillmentStatus": "NOT_STARTED",
            "orderPaymentStatus": _payment(order),
            "sellerId": SELLER["username"],
            "buyer": {"username": "buyer_of_the_test"},
            "cancelStatus": {
                "cancelState": "CANCELED" if cancelled else "NONE_REQUESTED",
                "cancelRequests": [],
                **({"cancelledDate": written(order.updated_at)} if cancelled else {}),
            },
            "pricingSummary": {"total": _money(total)},
            "paymentSummary": {
                "totalDueSeller": _money(total),
                "payments": [
                    {
                        "paymentMethod": "EBAY",
                        "paymentStatus": "PENDING" if order.state == "unpaid" else "PAID",
                        "amount": _money(total),
                    }
                ],
                "refunds": [{"amount": _money(refunded), "refundStatus": "REFUNDED"}] if refunded else [],
            },
            "lineItems": [self._line(order, number, sku) for number, sku in enumerate(order.ordered)],
        }

    def _line(self, order: Order, number: int, sku: str) -> dict[str, Any]:
        listing = self._listings.of_sku(sku)
        assert listing is not None
        price, refunded = Decimal(PRICE["value"]), order.refunded[sku]
        cost = _money(price * order.ordered[sku])
        refund = {"amount": _money(price * refunded), "refundDate": written(order.updated_at)}
        return {
            "lineItemId": f"{order.id}{number:02}",
            "legacyItemId": listing.listing_id,
            "sku": sku,
            "title": listing.title,
            "quantity": order.ordered[sku],
            "lineItemCost": cost,
            "total": cost,
            "soldFormat": "FIXED_PRICE",
            "listingMarketplaceId": MARKETPLACE,
            "purchaseMarketplaceId": MARKETPLACE,
            "lineItemFulfillmentStatus": "NOT_STARTED",
            "refunds": [refund] if refunded else [],
        }


def _payment(order: Order) -> str:
    if order.state == "unpaid":
        return "PENDING"
    if order.state in ("cancelled", "refunded"):
        return "FULLY_REFUNDED"
    return "PARTIALLY_REFUNDED" if order.refunded.total() else "PAID"


def _filters(given: str) -> dict[str, str]:
    filters = {match[1]: match[2] for match in FILTER.finditer(given)}
    for name, value in filters.items():
        if name not in FILTERS:
            raise Refused(400, 30700, "orders.filter", name, {"fieldname": name})
        shown = value.startswith("[") and value.endswith("]") if name != FILTERS[2] else value in STATUSES
        if not shown:
            raise Refused(400, 30800, "orders.value", f"{value} for {name}", {"fieldname": name, "fieldvalue": value})
    if given and not filters:
        raise Refused(400, 30700, "orders.filter", given, {"fieldname": given})
    return filters


def _range(filters: Mapping[str, str]) -> _Range:
    now = time.time()
    name = next((one for one in FILTERS[:2] if one in filters), None)
    if name is None:
        return _Range("creationdate", now - DEFAULT_S, now)
    first, _, last = filters[name][1:-1].partition("..")
    if not first:
        raise Refused(400, 30820, "orders.date")
    low, high = _time(first), _time(last) if last else now
    if low > now or high > now:
        raise Refused(400, 30850, "orders.range", f"{first}..{last}")
    if low > high:
        raise Refused(400, 30840, "orders.range", f"{first}..{last}")
    if high - low > RANGE_MAX_S:
        raise Refused(400, 30830, "orders.range", f"{first}..{last}")
    return _Range(name, low, high)


def _page(query: Mapping[str, str]) -> tuple[int, int]:
    limit, offset = query.get("limit", str(PAGE)), query.get("offset", "0")
    if not (limit.isdecimal() and 1 <= int(limit) <= PAGE_MAX):
        raise Refused(400, 31100, "orders.page", limit, {"limitvalue": limit})
    if not offset.isdecimal():
        raise Refused(400, 31000, "orders.page", offset, {"offsetvalue": offset})
    return int(limit), int(offset)


def _link(query: Mapping[str, str], limit: int, offset: int) -> str:
    filtered = f"filter={quote(query['filter'])}&" if "filter" in query else ""
    return f"{ROOT}/order?{filtered}limit={limit}&offset={offset}"


def _time(date: str) -> float:
    if not DATE.fullmatch(date):
        raise Refused(400, 30810, "orders.date", date)
    try:
        return datetime.fromisoformat(date).timestamp()
    except ValueError:
        raise Refused(400, 30810, "orders.date", date) from None


def _ms(at: float) -> float:
    """As it is written: to the millisecond, so that who asks from a date that was shown finds what has it."""
    return int(at * 1000) / 1000


def written(at: float) -> str:
    """As eBay writes a date."""
    date = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(at * 1000))
    return date.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _money(value: Decimal) -> dict[str, str]:
    return {"value": f"{value:.2f}", "currency": PRICE["currency"]}
