"""Notices of orders as eBay sends them: up to three times, each attempt with a body and a signature of its own."""

import json
import time
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any, Self

import aiohttp

from tests.channels.ebay.destinations import Destinations
from tests.channels.ebay.fulfillment import written
from tests.channels.ebay.listings import Listings
from tests.channels.ebay.signing import SigningKey
from tests.channels.ebay.tokens import SELLER
from tests.channels.ebay.topics import ORDER_CONFIRMATION, VERSION
from tests.channels.shared.notices import Notice, Patience, Sender, Subscription
from tests.channels.shared.selling import Order

ANSWER_S = 3.0
PATIENCE = Patience(waits_s=(10.0, 60.0), failures=None)
ACKNOWLEDGED = (200, 201, 202, 204)


class EbaySender(Sender):
    """``destinations()``: whose it is; they exist once the API does. ``day_s``: after so long of failures only, a
    destination is marked down.
    """

    def __init__(self, key: SigningKey, destinations: Callable[[], Destinations], day_s: float) -> None:
        self._key = key
        self._destinations = destinations
        self._day_s = day_s
        self._attempts: Counter[tuple[str, str]] = Counter()

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(ANSWER_S)
        self._session = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def ask(self, endpoint: str, code: str) -> object:
        """The endpoint's answer to a challenge."""
        try:
            async with self._session.get(endpoint, params={"challenge_code": code}, allow_redirects=False) as answer:
                return await answer.json() if answer.status == 200 else None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return None

    async def send(self, subscription: Subscription, notice: Notice) -> bool:
        self._attempts[subscription.id, notice.id] += 1
        body = _body(notice, self._attempts[subscription.id, notice.id])
        headers = {"Content-Type": "application/json", "X-EBAY-SIGNATURE": self._key.header(body)}
        try:
            async with self._session.post(
                subscription.url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                arrived = answer.status in ACKNOWLEDGED
        except (aiohttp.ClientError, TimeoutError, OSError):
            arrived = False
        self._remember(subscription.details["destination"], arrived)
        return arrived

    def _remember(self, destination_id: str, arrived: bool) -> None:
        destination = self._destinations().by_id.get(destination_id)
        if destination is None or arrived:
            if destination is not None:
                destination.failing_since = None
        elif destination.failing_since is None:
            destination.failing_since = time.monotonic()
        elif time.monotonic() - destination.failing_since >= self._day_s:
            self._destinations().mark_down(destination)


def confirmations(order: Order, listings: Listings) -> list[Notice]:
    """One for each line of an order that is paid."""
    notices = []
    for number, (sku, units) in enumerate(order.ordered.items()):
        listing = listings.of_sku(sku)
        assert listing is not None
        line = {"orderLineItemId": f"{order.id}{number:02}", "listingId": listing.listing_id, "quantity": units}
        data = {"user": SELLER, "order": {"orderId": order.id, "orderLineItems": [line]}}
        notices.append(Notice(str(uuid.uuid4()), ORDER_CONFIRMATION, json.dumps(data).encode(), time.time()))
    return notices


def _body(notice: Notice, attempt: int) -> bytes:
    metadata = {"topic": notice.topic, "schemaVersion": VERSION, "deprecated": False}
    notification: dict[str, Any] = {
        "notificationId": notice.id,
        "eventDate": written(notice.at),
        "publishDate": written(time.time()),
        "publishAttemptCount": attempt,
        "data": json.loads(notice.body),
    }
    return json.dumps({"metadata": metadata, "notification": notification}, separators=(",", ":")).encode()
