"""Webhook subscriptions of the app, as the Admin API makes, lists and deletes them."""

import itertools
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tests.channels.shared.notices import Subscription
from tests.channels.shared.rules import Rules
from tests.channels.shopify.gids import gid, number_of
from tests.channels.shopify.paging import connection
from tests.channels.shopify.shop import now

TOPICS = {
    "INVENTORY_LEVELS_UPDATE": "inventory_levels/update",
    "ORDERS_CREATE": "orders/create",
    "ORDERS_PAID": "orders/paid",
    "ORDERS_EDITED": "orders/edited",
    "ORDERS_CANCELLED": "orders/cancelled",
    "REFUNDS_CREATE": "refunds/create",
}
"""Those that are served here, and how notices name them."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_FIELD = ["webhookSubscription", "callbackUrl"]


class Subscriptions:
    """``held``: by id, whoever sends notices reads and ends them there."""

    def __init__(self, held: dict[str, Subscription], rules: Rules) -> None:
        self._held = held
        self._rules = rules
        self._numbers = itertools.count(1_000_001)

    def create(self, topic: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        address = asked.get("uri") or asked.get("callbackUrl") or ""
        if error := self._error(topic, address, asked):
            return {"webhookSubscription": None, "userErrors": [error]}
        number = str(next(self._numbers))
        self._held[number] = Subscription(number, frozenset({TOPICS[topic]}), address, details={"at": now()})
        return {"webhookSubscription": self._node(self._held[number]), "userErrors": []}

    def delete(self, asked: str) -> dict[str, Any]:
        number = number_of("WebhookSubscription", asked)
        if self._held.pop(number or "", None) is None:
            self._rules.broke("subscription-gone")
            error = {"field": ["id"], "message": "Webhook subscription does not exist"}
            return {"deletedWebhookSubscriptionId": None, "userErrors": [error]}
        return {"deletedWebhookSubscriptionId": asked, "userErrors": []}

    def page(self, topics: list[str] | None = None, uri: str | None = None, **page: Any) -> dict[str, Any]:
        wanted = {TOPICS.get(topic) for topic in topics or TOPICS}
        rows = [
            ((int(one.id),), self._node(one))
            for one in self._held.values()
            if one.topics & wanted and uri in (None, one.url)
        ]
        return connection(rows, **page)

    def _error(self, topic: str, address: str, asked: Mapping[str, Any]) -> dict[str, Any] | None:
        url = urlsplit(address)
        if asked.get("format", "JSON") != "JSON" or topic not in TOPICS:
            return {"field": ["topic"], "message": f"{topic} as {asked.get('format')} is not served here"}
        if url.scheme not in ("https", "http"):
            return self._broke("subscription-address", f"Address protocol {url.scheme}:// is not supported")
        if not url.hostname or (url.scheme == "http" and url.hostname not in LOOPBACK):
            return self._broke("subscription-address", "Address is invalid")
        if any(TOPICS[topic] in one.topics and one.url == address for one in self._held.values()):
            return self._broke("subscription-twice", "Address for this topic has already been taken")
        return None

    def _broke(self, rule: str, message: str) -> dict[str, Any]:
        self._rules.broke(rule)
        return {"field": _FIELD, "message": message}

    def _node(self, one: Subscription) -> dict[str, Any]:
        (topic,) = (name for name, told in TOPICS.items() if told in one.topics)
        return {
            "__typename": "WebhookSubscription",
            "id": gid("WebhookSubscription", one.id),
            "legacyResourceId": one.id,
            "topic": topic,
            "uri": one.url,
            "callbackUrl": one.url,
            "format": "JSON",
            "filter": None,
            "includeFields": [],
            "createdAt": one.details["at"],
            "updatedAt": one.details["at"],
            "endpoint": {"__typename": "WebhookHttpEndpoint", "callbackUrl": one.url},
        }
