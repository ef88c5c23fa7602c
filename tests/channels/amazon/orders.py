"""Orders as the Orders API 2026-01-01 shows them, and as ORDER_CHANGE tells them."""

import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import QueryParams

from tests.channels.amazon.catalogue import MARKETPLACE, SELLER, iso, time_of, whole
from tests.channels.amazon.refusal import Refusal
from tests.channels.shared.selling import Happening, Order, Selling

BEHIND_S = 120.0
"""What changed within the last two minutes is not searched."""
PAGE_MAX = 100
STATUSES = {"unpaid": "PENDING", "paid": "UNSHIPPED", "cancelled": "CANCELLED", "refunded": "CANCELLED"}
TOLD = {"unpaid": "Pending", "paid": "Unshipped", "cancelled": "Canceled", "refunded": "Canceled"}
REASONS = {
    "created": "OrderStatusChange",
    "paid": "OrderStatusChange",
    "cancelled": "OrderStatusChange",
    "refunded": "OrderStatusChange",
    "edited": "BuyerRequestedChange",
}
UPDATES, CREATIONS = ("lastUpdatedAfter", "lastUpdatedBefore"), ("createdAfter", "createdBefore")


def order_id(number: int) -> str:
    """In Amazon's 3-7-7 format."""
    return f"902-3159896-{number:07d}"


class Orders:
    """``titles``: of listings, by sku. ``pace``: what is searched lies so many times less behind."""

    def __init__(self, selling: Selling, titles: Callable[[str], str], pace: float) -> None:
        self._selling = selling
        self._titles = titles
        self._behind_s = BEHIND_S / pace
        self._pages: dict[str, tuple[str, float, list[str]]] = {}
        """Tokens: of which search, up to when, and the orders that are left."""

    def search(self, query: QueryParams) -> dict[str, Any]:
        size = whole(query, "maxResultsPerPage", PAGE_MAX, PAGE_MAX, "orders.page")
        by = self._kind(query)
        after = time_of(query[by[0]], "orders.after")
        search = str(sorted(pair for pair in query.multi_items() if pair[0] != "paginationToken"))
        if "paginationToken" in query:
            of, before, ids = self._pages.get(query["paginationToken"], ("", 0.0, []))
            if of != search:
                raise Refusal("orders.token", details="paginationToken")
        else:
            before = self._before(query, by[1])
            ids = self._found(by[0], after, before)
        answer: dict[str, Any] = {
            "orders": [self.view(one, _included(query)) for one in ids[:size]],
            by[1]: iso(before),
        }
        if ids[size:]:
            token = secrets.token_urlsafe(24)
            self._pages[token] = (search, before, ids[size:])
            answer["pagination"] = {"nextToken": token}
        return answer

    def view(self, identifier: str, included: frozenset[str]) -> dict[str, Any]:
        order = self._selling.orders.get(identifier)
        if order is None:
            raise Refusal("orders.unknown", "NOT_FOUND", f"order {identifier}")
        seen: dict[str, Any] = {
            "orderId": order.id,
            "createdTime": _to_the_second(order.at),
            "lastUpdatedTime": _to_the_second(order.updated_at),
            "salesChannel": {"channelName": "AMAZON", "marketplaceId": MARKETPLACE, "marketplaceName": "Amazon.com"},
            "orderItems": [self._item(order, number, sku, included) for number, sku in enumerate(order.lines)],
        }
        if "FULFILLMENT" in included:
            seen["fulfillment"] = {"fulfillmentStatus": STATUSES[order.state], "fulfilledBy": "MERCHANT"}
        return seen

    def _item(self, order: Order, number: int, sku: str, included: frozenset[str]) -> dict[str, Any]:
        units = order.lines[sku]
        seen: dict[str, Any] = {
            "orderItemId": f"{order.id[-7:]}{number:07d}",
            "quantityOrdered": units,
            "product": {"title": self._titles(sku), "sellerSku": sku},
        }
        if "FULFILLMENT" in included:
            seen["fulfillment"] = {"quantityFulfilled": 0, "quantityUnfulfilled": units}
        return seen

    def told(self, happening: Happening, notice_id: str) -> dict[str, Any]:
        """The message of ORDER_CHANGE."""
        order, now = happening.order, iso(time.time())
        items = [
            {
                "OrderItemId": f"{order.id[-7:]}{number:07d}",
                "SellerSKU": sku,
                "OrderItemStatus": TOLD[order.state],
                "Quantity": units,
                "QuantityShipped": 0,
                "IsBuyerRequestedCancel": False,
            }
            for number, (sku, units) in enumerate(order.lines.items())
        ]
        summary = {
            "MarketplaceId": MARKETPLACE,
            "OrderStatus": TOLD[order.state],
            "PurchaseDate": iso(order.at),
            "DestinationPostalCode": "48110",
            "FulfillmentType": "MFN",
            "OrderType": "StandardOrder",
            "NumberOfItemsShipped": 0,
            "NumberOfItemsUnshipped": sum(order.lines.values()),
            "OrderItems": items,
        }
        change = {
            "NotificationLevel": "OrderLevel",
            "SellerId": SELLER,
            "AmazonOrderId": order.id,
            "OrderChangeType": REASONS[happening.event],
            "OrderChangeTrigger": {"TimeOfOrderChange": iso(order.updated_at), "ChangeReason": happening.event},
            "Summary": summary,
        }
        return {
            "NotificationVersion": "1.0",
            "NotificationType": "ORDER_CHANGE",
            "PayloadVersion": "1.0",
            "EventTime": now,
            "Payload": {"OrderChangeNotification": change},
            "NotificationMetadata": {
                "ApplicationId": "amzn1.sellerapps.app.1",
                "SubscriptionId": "subscription",
                "PublishTime": now,
                "NotificationId": notice_id,
            },
        }

    def _kind(self, query: QueryParams) -> tuple[str, str]:
        """Names of the two bounds that are asked by."""
        given = [kind for kind in (UPDATES, CREATIONS) if set(kind) & set(query)]
        if len(given) != 1 or given[0][0] not in query:
            raise Refusal("orders.after", details="exactly one of createdAfter and lastUpdatedAfter")
        return given[0]

    def _before(self, query: QueryParams, name: str) -> float:
        latest = time.time() - self._behind_s
        if name not in query:
            return latest
        before = time_of(query[name], "orders.before")
        if before > latest:
            raise Refusal("orders.before", details=f"{name} {query[name]}")
        return before

    def _found(self, name: str, after: float, before: float) -> list[str]:
        def at(order: Order) -> float:
            return order.updated_at if name == UPDATES[0] else order.at

        found = [one for one in self._selling.orders.values() if after <= at(one) <= before]
        return [one.id for one in sorted(found, key=at, reverse=True)]


def _included(query: Mapping[str, str]) -> frozenset[str]:
    return frozenset(query.get("includedData", "").split(","))


def _to_the_second(at: float) -> str:
    """As in all of Amazon's examples of this API; its notices say milliseconds."""
    return datetime.fromtimestamp(int(at), UTC).isoformat().replace("+00:00", "Z")
