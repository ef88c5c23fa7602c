"""Topics of the Notification API that have to do with orders, and the two that every application knows.

https://developer.ebay.com/develop/api/buy/notification_events. None says that an item was sold, that an order changed
or that it was refunded: that is polled. ORDER_CONFIRMATION alone is ever sent here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.channels.ebay.errors import Refused
from tests.channels.ebay.pages import Outcome, by_token
from tests.channels.ebay.tokens import BASE, FULFILLMENT, FULFILLMENT_READ

ORDER_CONFIRMATION = "ORDER_CONFIRMATION"
VERSION = "1.0"
CANCELLATION = f"{BASE}/sell.cancellation"


@dataclass(frozen=True, slots=True)
class Topic:
    """``scopes``: a token needs one of them."""

    id: str
    scopes: tuple[str, ...]
    user: bool

    @property
    def shown(self) -> dict[str, Any]:
        return {
            "topicId": self.id,
            "description": self.id.capitalize().replace("_", " "),
            "authorizationScopes": list(self.scopes),
            "status": "ENABLED",
            "context": "USER" if self.user else "APPLICATION",
            "scope": "USER" if self.user else "APPLICATION",
            "filterable": False,
            "supportedPayloads": [
                {"format": ["JSON"], "schemaVersion": VERSION, "deliveryProtocol": "HTTPS", "deprecated": False}
            ],
        }


TOPICS = {
    one.id: one
    for one in (
        Topic(ORDER_CONFIRMATION, (FULFILLMENT, FULFILLMENT_READ), user=True),
        Topic("ORDER_CANCELLATION_ACTIVITY", (CANCELLATION, f"{CANCELLATION}.read"), user=True),
        Topic("ORDER_RETURN_ACTIVITY", (f"{BASE}/sell.return", f"{BASE}/sell.return.read"), user=True),
        Topic("ITEM_MARKED_SHIPPED", (f"{BASE}/commerce.shipping",), user=True),
        Topic("AUTHORIZATION_REVOCATION", (BASE,), user=False),
        Topic("MARKETPLACE_ACCOUNT_DELETION", (BASE,), user=False),
    )
}


def topics(query: Mapping[str, str]) -> Outcome:
    return by_token(query, "topic", [one.shown for one in TOPICS.values()])


def topic(identifier: str) -> Outcome:
    if identifier not in TOPICS:
        raise Refused(404, 195002, "notices.topic", identifier)
    return Outcome(200, TOPICS[identifier].shown)
