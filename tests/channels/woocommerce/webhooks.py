"""Webhooks: made, changed and deleted by the API; sent once, counted, and disabled after too many failures."""

import asyncio
import base64
import hashlib
import hmac
import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp

from tests.channels.shared.notices import Notice, Sender, Subscription
from tests.channels.woocommerce.errors import Wrong
from tests.channels.woocommerce.times import Clock

EVENTS = ("created", "updated", "deleted", "restored")
TOPICS = {f"{resource}.{event}" for resource in ("coupon", "customer", "order", "product") for event in EVENTS}
STATES = ("active", "paused", "disabled")
FAILURES_MAX = 5
"""More than so many counted, and the next failure disables: it is the seventh."""
ANSWER_S = 60.0
SITE = "http://shop.example/"
_ID = "woocommerce_rest_shop_webhook"


@dataclass(slots=True)
class Webhook:
    id: int
    name: str
    status: str
    topic: str
    url: str
    secret: str
    created_at: float
    modified_at: float
    failures: int = 0


class Webhooks(Sender):
    """``held``: those that are active, by id: whoever sends notices reads them there."""

    def __init__(self, clock: Clock) -> None:
        self.by_id: dict[int, Webhook] = {}
        self.held: dict[str, Subscription] = {}
        self._clock = clock
        self._numbers = itertools.count(1)
        self._pings: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(ANSWER_S)
        self._session = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(self, *_: object) -> None:
        for ping in self._pings:
            ping.cancel()
        await asyncio.gather(*self._pings, return_exceptions=True)
        await self._session.close()

    def create(self, asked: Mapping[str, Any]) -> Webhook:
        self._check(asked, all_of_it=True)
        now, number = time.time(), next(self._numbers)
        secret = asked.get("secret") or hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()
        name = asked.get("name") or "Webhook created"
        made = Webhook(number, name, "active", asked["topic"], asked["delivery_url"], secret, now, now)
        self._keep(made)
        ping = asyncio.get_running_loop().create_task(self._ping(made), name="ping")
        self._pings.add(ping)
        ping.add_done_callback(self._pings.discard)
        return made

    def update(self, number: int, asked: Mapping[str, Any]) -> Webhook:
        """Its count of failures stays."""
        found = self.webhook(number, 400, "ID is invalid.")
        self._check(asked, all_of_it=False)
        found.topic = asked.get("topic") or found.topic
        found.url = asked.get("delivery_url") or found.url
        found.secret = asked.get("secret") or found.secret
        found.status = asked.get("status") or found.status
        found.name = asked.get("name") or found.name
        found.modified_at = time.time()
        self._keep(found)
        return found

    def delete(self, number: int, *, force: bool) -> Webhook:
        if not force:
            message = "Webhooks do not support trashing."
            raise Wrong("hook.force", 501, "woocommerce_rest_trash_not_supported", message)
        found = self.webhook(number, 404, "Invalid ID.")
        del self.by_id[number]
        self.held.pop(str(number), None)
        return found

    def disable_all(self) -> None:
        """They stay, and are sent no more."""
        for webhook in self.by_id.values():
            webhook.status = "disabled"
            self._keep(webhook)

    def webhook(self, number: int, status: int = 400, message: str = "ID is invalid.") -> Webhook:
        if number not in self.by_id:
            raise Wrong("hook.unknown", status, f"{_ID}_invalid_id", message)
        return self.by_id[number]

    def shown(self, one: Webhook) -> dict[str, Any]:
        resource, _, event = one.topic.partition(".")
        return {
            "id": one.id,
            "name": one.name,
            "status": one.status,
            "topic": one.topic,
            "resource": resource,
            "event": event,
            "hooks": [],
            "delivery_url": one.url,
            **self._clock.both("date_created", one.created_at),
            **self._clock.both("date_modified", one.modified_at),
        }

    async def send(self, subscription: Subscription, notice: Notice) -> bool:
        webhook = self.by_id[int(subscription.id)]
        try:
            async with self._session.post(
                webhook.url, data=notice.body, headers=headers(webhook, notice.body), allow_redirects=False
            ) as answer:
                arrived = 200 <= answer.status < 303
        except (aiohttp.ClientError, TimeoutError, OSError):
            arrived = False
        self._count(webhook, arrived=arrived)
        return arrived

    def _count(self, webhook: Webhook, *, arrived: bool) -> None:
        if arrived:
            webhook.failures = 0
        elif webhook.failures > FAILURES_MAX:
            webhook.status = "disabled"
            self._keep(webhook)
        else:
            webhook.failures += 1

    def _keep(self, webhook: Webhook) -> None:
        self.by_id[webhook.id] = webhook
        self.held.pop(str(webhook.id), None)
        if webhook.status == "active":
            self.held[str(webhook.id)] = Subscription(str(webhook.id), frozenset({webhook.topic}), webhook.url)

    async def _ping(self, webhook: Webhook) -> None:
        try:
            async with self._session.post(webhook.url, data={"webhook_id": str(webhook.id)}):
                pass
        except (aiohttp.ClientError, TimeoutError, OSError):
            pass

    def _check(self, asked: Mapping[str, Any], *, all_of_it: bool) -> None:
        topic, url = asked.get("topic"), asked.get("delivery_url")
        if (topic or all_of_it) and topic not in TOPICS and not str(topic).startswith("action."):
            message = "Webhook topic is required and must be valid."
            raise Wrong("hook.topic", 400, f"{_ID}_invalid_topic", message)
        if (url or all_of_it) and not _is_url(url):
            message = "Webhook delivery URL must be a valid URL starting with http:// or https://."
            raise Wrong("hook.url", 400, f"{_ID}_invalid_delivery_url", message)
        if asked.get("status", "active") not in STATES:
            raise Wrong("hook.status", 400, f"{_ID}_invalid_status", "Webhook status must be valid.")


def headers(webhook: Webhook, body: bytes) -> dict[str, str]:
    resource, _, event = webhook.topic.partition(".")
    signed = hmac.digest(webhook.secret.encode(), body, hashlib.sha256)
    delivery = hashlib.md5(f"{webhook.id}{int(time.time())}".encode(), usedforsecurity=False).hexdigest()
    return {
        "Content-Type": "application/json",
        "User-Agent": "WooCommerce/11.1.0 Hookshot (WordPress/7.0)",
        "X-WC-Webhook-Source": SITE,
        "X-WC-Webhook-Topic": webhook.topic,
        "X-WC-Webhook-Resource": resource,
        "X-WC-Webhook-Event": event,
        "X-WC-Webhook-Signature": base64.b64encode(signed).decode(),
        "X-WC-Webhook-ID": str(webhook.id),
        "X-WC-Webhook-Delivery-ID": delivery,
    }


def _is_url(url: object) -> bool:
    return isinstance(url, str) and urlsplit(url).scheme in ("http", "https") and bool(urlsplit(url).hostname)
