"""The bodies of Shopify's notices, as its REST resources show what they tell of, and their headers."""

import base64
import hashlib
import hmac
import uuid
from collections.abc import Mapping
from typing import Any

from tests.channels.shared.notices import Notice, Subscription
from tests.channels.shared.selling import Happening, Order
from tests.channels.shopify.access import CLIENT_SECRET
from tests.channels.shopify.gids import gid, level_gid
from tests.channels.shopify.schema import VERSION
from tests.channels.shopify.shop import (
    DOMAIN,
    History,
    Refund,
    Shop,
    financial_status,
    line_number,
    now,
    restock_type,
    split,
    told,
)

_IDS = uuid.UUID("6f5f6a52-0b1f-4f0e-9f0e-1d3b4f0c8a11")


def headers(subscription: Subscription, notice: Notice) -> dict[str, str]:
    """X-Shopify-Webhook-Id is the delivery's, the same over retries; X-Shopify-Event-Id that of what happened."""
    return {
        "Content-Type": "application/json",
        "X-Shopify-Topic": notice.topic,
        "X-Shopify-Hmac-SHA256": signature(notice.body),
        "X-Shopify-Shop-Domain": DOMAIN,
        "X-Shopify-API-Version": VERSION,
        "X-Shopify-Webhook-Id": str(uuid.uuid5(_IDS, f"{subscription.id} {notice.id}")),
        "X-Shopify-Event-Id": notice.id,
        "X-Shopify-Triggered-At": told(notice.at).replace("Z", ".000000000Z"),
    }


def signature(body: bytes) -> str:
    return base64.b64encode(hmac.new(CLIENT_SECRET.encode(), body, hashlib.sha256).digest()).decode()


def of_level(listing: str, available: int) -> dict[str, Any]:
    item, location = split(listing)
    return {
        "inventory_item_id": int(item),
        "location_id": int(location),
        "available": available,
        "updated_at": now(),
        "admin_graphql_api_id": level_gid(location, item),
    }


def of_order(shop: Shop, order: Order, history: History) -> dict[str, Any]:
    return {
        "id": int(order.id),
        "admin_graphql_api_id": gid("Order", order.id),
        "name": f"#{order.id}",
        "order_number": int(order.id),
        "created_at": told(order.at),
        "updated_at": told(order.updated_at),
        "cancelled_at": None if history.cancelled_at is None else told(history.cancelled_at),
        "financial_status": financial_status(order, history).lower(),
        "test": False,
        "line_items": [
            {
                "id": line_number(order, listing),
                "admin_graphql_api_id": gid("LineItem", line_number(order, listing)),
                "variant_id": shop.items[split(listing)[0]].variant,
                "sku": shop.items[split(listing)[0]].sku,
                "title": shop.items[split(listing)[0]].title,
                "quantity": units + history.removed[listing],
                "current_quantity": order.lines[listing],
            }
            for listing, units in order.ordered.items()
        ],
    }


def of_edit(happening: Happening) -> dict[str, Any]:
    order = happening.order

    def deltas(units: Mapping[str, int]) -> list[dict[str, int]]:
        return [{"id": line_number(order, listing), "delta": delta} for listing, delta in units.items()]

    return {
        "order_edit": {
            "id": int(order.id) * 1000 + len(happening.units),
            "order_id": int(order.id),
            "committed_at": told(order.updated_at),
            "line_items": {
                "additions": deltas({one: units for one, units in happening.units.items() if units > 0}),
                "removals": deltas({one: -units for one, units in happening.units.items() if units < 0}),
            },
        }
    }


def of_refund(order: Order, refund: Refund) -> dict[str, Any]:
    return {
        "id": refund.number,
        "order_id": int(order.id),
        "created_at": told(refund.at),
        "restock": refund.restocked,
        "refund_line_items": [
            {
                "id": refund.number * 100 + row,
                "line_item_id": line_number(order, listing),
                "quantity": units,
                "location_id": int(split(listing)[1]) if refund.restocked else None,
                "restock_type": restock_type(refund).lower(),
            }
            for row, (listing, units) in enumerate(refund.units.items())
        ],
    }
