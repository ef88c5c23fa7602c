"""Destinations and subscriptions, and the queue into which notices are put."""

import itertools
import re
from collections.abc import Mapping
from typing import Any, Self

import aiohttp

from tests.channels.amazon.queues import ask_queue
from tests.channels.amazon.refusal import Refusal
from tests.channels.shared.notices import Notice, Notices, Sender, Subscription

ORDER_CHANGE = "ORDER_CHANGE"
ARN = re.compile(r"arn:aws:sqs:([a-z0-9-]+):([0-9]{12}):([A-Za-z0-9_-]{1,80})")
TIMEOUT_S = 10.0


class Notifications:
    def __init__(self, notices: Notices) -> None:
        self.destinations: dict[str, dict[str, Any]] = {}
        self._notices = notices
        self._numbers = itertools.count(1)

    def create_destination(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        arn = asked.get("resourceSpecification", {}).get("sqs", {}).get("arn", "")
        if not asked.get("name") or not ARN.fullmatch(arn):
            raise Refusal("notices.destination", details=f"name or arn {arn}")
        if any(one["resource"]["sqs"]["arn"] == arn for one in self.destinations.values()):
            raise Refusal("notices.destination", "Conflict", f"{arn} is a destination")
        identifier = f"destination-{next(self._numbers)}"
        destination = {"name": asked["name"], "destinationId": identifier, "resource": {"sqs": {"arn": arn}}}
        self.destinations[identifier] = destination
        return destination

    def delete_destination(self, identifier: str) -> None:
        if self.destinations.pop(identifier, None) is None:
            raise Refusal("notices.destination", "NOT_FOUND", identifier)

    def subscribe(self, kind: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        _check_kind(kind, str(asked.get("payloadVersion")))
        destination = self.destinations.get(asked.get("destinationId", ""))
        if destination is None:
            raise Refusal("notices.subscription", details="destinationId")
        if self._notices.subscriptions:
            raise Refusal("notices.subscription", "Conflict", f"a subscription of {kind} exists")
        identifier = f"subscription-{next(self._numbers)}"
        details = {"arn": destination["resource"]["sqs"]["arn"], "destination": destination["destinationId"]}
        self._notices.subscriptions[identifier] = Subscription(identifier, frozenset({kind}), "", details=details)
        return self.subscription(kind)

    def subscription(self, kind: str) -> dict[str, Any]:
        _check_kind(kind, "1.0")
        for one in self._notices.subscriptions.values():
            return {"subscriptionId": one.id, "payloadVersion": "1.0", "destinationId": one.details["destination"]}
        raise Refusal("notices.subscription", "NOT_FOUND", f"no subscription of {kind}")

    def unsubscribe(self, kind: str, identifier: str) -> None:
        _check_kind(kind, "1.0")
        if self._notices.subscriptions.pop(identifier, None) is None:
            raise Refusal("notices.subscription", "NOT_FOUND", identifier)


def _check_kind(kind: str, version: str) -> None:
    if kind != ORDER_CHANGE or version != "1.0":
        raise Refusal("notices.type", details=f"{kind} {version}")


class Queues(Sender):
    """Puts notices into the queue of their destination. ``endpoint``: of the service; None: no queue takes anything."""

    def __init__(self, endpoint: str | None) -> None:
        self._endpoint = endpoint

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(TIMEOUT_S))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def send(self, subscription: Subscription, notice: Notice) -> bool:
        found = ARN.fullmatch(subscription.details["arn"])
        if self._endpoint is None or found is None:
            return False
        region, account, name = found.groups()
        message = {"QueueUrl": f"{self._endpoint}/{account}/{name}", "MessageBody": notice.body.decode()}
        try:
            status, _ = await ask_queue(self._session, self._endpoint, region, "SendMessage", message)
            return status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False
