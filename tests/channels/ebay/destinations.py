"""Where notices go, and who asked for which: the config, destination and subscription resources.

https://developer.ebay.com/api-docs/master/commerce/notification/openapi/3/commerce_notification_v1_oas3.yaml
"""

import hashlib
import itertools
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from tests.channels.ebay.errors import Refused
from tests.channels.ebay.fulfillment import written
from tests.channels.ebay.pages import NOTIFICATION, Outcome, by_token
from tests.channels.ebay.topics import TOPICS, VERSION

ROOT = NOTIFICATION
TOKEN = re.compile(r"[A-Za-z0-9_-]{32,80}")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
STATUSES = ("ENABLED", "DISABLED")
Body = Mapping[str, Any]
Ask = Callable[[str, str], Awaitable[object]]
"""The endpoint, with a challenge code: the JSON that it answered, None if it did not as it should."""


@dataclass(slots=True)
class Destination:
    """``failing_since``: of deliveries, monotonic; None while the last one arrived."""

    id: str
    name: str
    status: str
    endpoint: str
    token: str
    failing_since: float | None = None

    @property
    def shown(self) -> dict[str, Any]:
        config = {"endpoint": self.endpoint, "verificationToken": self.token}
        return {"destinationId": self.id, "name": self.name, "status": self.status, "deliveryConfig": config}


@dataclass(slots=True)
class Subscribed:
    id: str
    topic: str
    destination: str
    status: str
    at: float = field(default_factory=time.time)

    @property
    def shown(self) -> dict[str, Any]:
        return {
            "subscriptionId": self.id,
            "topicId": self.topic,
            "destinationId": self.destination,
            "status": self.status,
            "creationDate": written(self.at),
            "payload": {"format": "JSON", "schemaVersion": VERSION, "deliveryProtocol": "HTTPS"},
        }


class Destinations:
    """``local``: endpoints on this machine are allowed, without TLS too. ``changed()``: after each change."""

    def __init__(self, ask: Ask, changed: Callable[[], None], *, local: bool) -> None:
        self.by_id: dict[str, Destination] = {}
        self.subscribed: dict[str, Subscribed] = {}
        self.email: str | None = None
        self._ask = ask
        self._changed = changed
        self._local = local
        self._numbers = itertools.count(1)

    def config(self) -> Outcome:
        if self.email is None:
            raise Refused(404, 195026, None)
        return Outcome(200, {"alertEmail": self.email})

    def configure(self, body: Body) -> Outcome:
        if not EMAIL.fullmatch(str(body.get("alertEmail"))):
            raise Refused(400, 195025, "notices.email")
        self.email = body["alertEmail"]
        return Outcome(204, {})

    def destinations(self, query: Mapping[str, str]) -> Outcome:
        return by_token(query, "destination", [one.shown for one in self.by_id.values()])

    def destination(self, identifier: str) -> Destination:
        if identifier not in self.by_id:
            raise Refused(404, 195022, "notices.destination")
        return self.by_id[identifier]

    async def create(self, body: Body) -> Outcome:
        if self.email is None:
            raise Refused(409, 195003, "notices.config")
        identifier = f"destination-{next(self._numbers)}"
        self.by_id[identifier] = await self._checked(identifier, body)
        self._changed()
        return Outcome(201, {"location": f"{ROOT}/destination/{identifier}"})

    async def update(self, identifier: str, body: Body) -> Outcome:
        self.destination(identifier)
        self.by_id[identifier] = await self._checked(identifier, body)
        self._changed()
        return Outcome(204, {})

    def delete(self, identifier: str) -> Outcome:
        if self.destination(identifier).status == "ENABLED":
            raise Refused(409, 195024, "notices.in_use")
        del self.by_id[identifier]
        self._changed()
        return Outcome(204, {})

    def mark_down(self, destination: Destination) -> None:
        destination.status = "MARKED_DOWN"
        self._changed()

    def subscriptions(self, query: Mapping[str, str]) -> Outcome:
        return by_token(query, "subscription", [one.shown for one in self.subscribed.values()])

    def subscription(self, identifier: str) -> Subscribed:
        if identifier not in self.subscribed:
            raise Refused(404, 195013, "notices.subscription")
        return self.subscribed[identifier]

    def subscribe(self, body: Body, scopes: frozenset[str]) -> Outcome:
        topic = TOPICS.get(str(body.get("topicId")))
        if topic is None:
            raise Refused(400, 195027, "notices.topic")
        if not scopes & set(topic.scopes):
            raise Refused(403, 195011, "notices.scope")
        if any(one.topic == topic.id for one in self.subscribed.values()):
            raise Refused(409, 195012, "notices.twice")
        _check_payload(body.get("payload") or {})
        identifier = f"subscription-{next(self._numbers)}"
        self.subscribed[identifier] = self._placed(Subscribed(identifier, topic.id, "", ""), body)
        self._changed()
        return Outcome(201, {"location": f"{ROOT}/subscription/{identifier}"})

    def update_subscription(self, identifier: str, body: Body) -> Outcome:
        _check_payload(body.get("payload") or {})
        self._placed(self.subscription(identifier), body)
        self._changed()
        return Outcome(204, {})

    def switch(self, identifier: str, *, on: bool) -> Outcome:
        subscribed = self.subscription(identifier)
        if on and self.destination(subscribed.destination).status != "ENABLED":
            raise Refused(409, 195015, "notices.enabled")
        subscribed.status = STATUSES[not on]
        self._changed()
        return Outcome(204, {})

    def unsubscribe(self, identifier: str) -> Outcome:
        self.subscription(identifier)
        del self.subscribed[identifier]
        self._changed()
        return Outcome(204, {})

    def _placed(self, subscribed: Subscribed, body: Body) -> Subscribed:
        destination = self.by_id.get(str(body.get("destinationId")))
        if destination is None:
            raise Refused(400, 195007, "notices.destination")
        if body.get("status") not in STATUSES:
            raise Refused(400, 195006, "notices.status")
        if body["status"] == "ENABLED" and destination.status != "ENABLED":
            raise Refused(409, 195015, "notices.enabled")
        subscribed.destination, subscribed.status = destination.id, body["status"]
        return subscribed

    async def _checked(self, identifier: str, body: Body) -> Destination:
        config = body.get("deliveryConfig") or {}
        endpoint, token = str(config.get("endpoint")), str(config.get("verificationToken"))
        if not (self._local or _is_public(endpoint)):
            raise Refused(400, 195017, "notices.endpoint", endpoint)
        if body.get("status") not in STATUSES:
            raise Refused(400, 195018, "notices.status")
        if not TOKEN.fullmatch(token):
            raise Refused(400, 195019, "notices.token")
        if any(one.endpoint == endpoint and one.id != identifier for one in self.by_id.values()):
            raise Refused(409, 195021, "notices.twice")
        code = secrets.token_hex(32)
        expected = hashlib.sha256(f"{code}{token}{endpoint}".encode()).hexdigest()
        answered = await self._ask(endpoint, code)
        if not isinstance(answered, dict) or answered.get("challengeResponse") != expected:
            raise Refused(409, 195020, "notices.challenge")
        return Destination(identifier, str(body.get("name")), body["status"], endpoint, token)


def _check_payload(payload: Body) -> None:
    if payload.get("schemaVersion") != VERSION:
        raise Refused(400, 195008, "notices.payload")
    if payload.get("format") != "JSON":
        raise Refused(400, 195009, "notices.payload")
    if payload.get("deliveryProtocol") != "HTTPS":
        raise Refused(400, 195010, "notices.payload")


def _is_public(endpoint: str) -> bool:
    url = urlsplit(endpoint)
    try:
        return url.scheme == "https" and ip_address(url.hostname or "").is_global
    except ValueError:
        return url.scheme == "https" and url.hostname not in (None, "localhost")
