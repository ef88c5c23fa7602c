"""Notices of Shopify: whether they are, and what is in them. Pure.

https://shopify.dev/docs/apps/build/webhooks/subscribe/https: X-Shopify-Hmac-SHA256 is the HMAC-SHA256 of the raw body
with the app's client secret, in base64; X-Shopify-Webhook-Id stays the same when it is sent again.
"""

import base64
import hashlib
import hmac
from typing import Any

import orjson

from followers.marketplaces.errors import NoticeRefused
from followers.marketplaces.terms import Listing, Notice, Received

TOPICS = {
    "INVENTORY_LEVELS_UPDATE": "inventory_levels/update",
    "ORDERS_CREATE": "orders/create",
    "ORDERS_PAID": "orders/paid",
    "ORDERS_EDITED": "orders/edited",
    "ORDERS_CANCELLED": "orders/cancelled",
    "REFUNDS_CREATE": "refunds/create",
}
"""Those that we subscribe to: as the Admin API and as notices name them."""


def received(notice: Notice, secret: str, location: str) -> Received:
    """Orders are named, not read: a notice knows variants and no inventory items, and may be old. Raises NoticeRefused.

    ``location``: levels of other ones are nothing to us.
    """
    verify(notice, secret)
    identifier, topic = notice.headers.get("x-shopify-webhook-id"), notice.headers.get("x-shopify-topic")
    if not identifier:
        raise NoticeRefused("it has no X-Shopify-Webhook-Id")
    try:
        content = orjson.loads(notice.body)
        return _read(identifier, topic, content, location)
    except (ValueError, KeyError, TypeError):
        raise NoticeRefused(f"it is no {topic} that can be read") from None


def verify(notice: Notice, secret: str) -> None:
    expected = base64.b64encode(hmac.new(secret.encode(), notice.body, hashlib.sha256).digest())
    given = notice.headers.get("x-shopify-hmac-sha256", "").encode("utf-8", "replace")
    if not hmac.compare_digest(given, expected):
        raise NoticeRefused("X-Shopify-Hmac-SHA256 is not that of its body")


def _read(identifier: str, topic: str | None, content: Any, location: str) -> Received:
    if topic == "inventory_levels/update":
        if str(content["location_id"]) != location:
            return Received(identifier)
        quantity = None if content["available"] is None else int(content["available"])
        return Received(identifier, levels=[Listing(str(int(content["inventory_item_id"])), quantity)])
    if topic == "orders/edited":
        return Received(identifier, changed_orders=[str(int(content["order_edit"]["order_id"]))])
    if topic == "refunds/create":
        return Received(identifier, changed_orders=[str(int(content["order_id"]))])
    if topic in TOPICS.values():
        return Received(identifier, changed_orders=[str(int(content["id"]))])
    return Received(identifier)
