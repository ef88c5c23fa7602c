"""eBay's REST APIs over HTTP: who may call, how often a day, and what each call answers."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tests.channels.ebay import destinations, fulfillment, inventory
from tests.channels.ebay.calls import POOLS, Calls
from tests.channels.ebay.destinations import Destinations
from tests.channels.ebay.errors import Refused, error
from tests.channels.ebay.fulfillment import Fulfillment, written
from tests.channels.ebay.inventory import Inventory
from tests.channels.ebay.listings import Listings
from tests.channels.ebay.pages import Outcome
from tests.channels.ebay.rules import RULES
from tests.channels.ebay.sending import PATIENCE, EbaySender, confirmations
from tests.channels.ebay.signing import SigningKey
from tests.channels.ebay.tokens import (
    BASE,
    FULFILLMENT,
    FULFILLMENT_READ,
    INVENTORY,
    INVENTORY_READ,
    SUBSCRIPTION,
    SUBSCRIPTION_READ,
    Access,
    Failed,
    Tokens,
)
from tests.channels.ebay.topics import topic, topics
from tests.channels.shared.marketplace import Marketplace
from tests.channels.shared.notices import Subscription
from tests.channels.shared.selling import Happening

JSON = "application/json"
METHODS = ("GET", "POST", "PUT", "DELETE")


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler is given. ``id``: what the path names. ``body`` is {} where there is none."""

    id: str
    query: Mapping[str, str]
    body: Mapping[str, Any]
    access: Access


Handler = Callable[[Call], Outcome | Awaitable[Outcome]]
Registered = tuple[str, str, str, Sequence[str], Handler]
"""Method, path, pool of calls, scopes of which a token needs one, and who answers."""


class Ebay(Marketplace):
    """``fewer``: quotas of calls are so many times as small. ``local``: endpoints on this machine may be subscribed."""

    def __init__(self, pace: float, fewer: int, token_s: float, *, out_of_stock_control: bool, local: bool) -> None:
        self._key = SigningKey()
        self._calls = Calls(pace, fewer)
        sender = EbaySender(self._key, lambda: self._destinations, self._calls.day_s)
        super().__init__(RULES, sender, PATIENCE, pace)
        self._destinations = Destinations(sender.ask, self._subscribe, local=local)
        self._tokens = Tokens(token_s)
        self._listings = Listings(self.selling, lambda: self._calls.day)
        self._inventory = Inventory(self._listings, self.rules.broke, self._later, out_of_stock_control)
        self._fulfillment = Fulfillment(self.selling, self._listings)
        self._api = Starlette(routes=self._routes())

    @property
    def api(self) -> ASGIApp:
        return self._api

    def offer(self, product: Mapping[str, Any]) -> None:
        self._listings.add(product)

    def error_in_200(self) -> object:
        return {"errors": [error(2003)]}

    def level_moved(self, listing: str) -> None:
        """eBay tells nobody."""
        self._listings.follow(listing)

    def order_happened(self, happening: Happening) -> None:
        order, event = happening.order, happening.event
        if event == "paid" or (event == "created" and order.state == "paid"):
            for notice in confirmations(order, self._listings):
                self.notices.publish(notice)

    def _later(self, change: Callable[[], None]) -> None:
        if self.faults.late_apply_s:
            asyncio.get_running_loop().call_later(self.faults.late_apply_s, change)
        else:
            change()

    def _subscribe(self) -> None:
        """What is sent is what is enabled, at destinations that are."""
        where = self._destinations.by_id
        enabled = {
            one.id: (one.topic, where[one.destination])
            for one in self._destinations.subscribed.values()
            if one.status == "ENABLED" and one.destination in where and where[one.destination].status == "ENABLED"
        }
        sent = self.notices.subscriptions
        for one in sent.keys() - enabled.keys():
            del sent[one]
        for one, (asked, at) in enabled.items():
            sent[one] = Subscription(one, frozenset({asked}), at.endpoint, details={"destination": at.id})

    def _routes(self) -> list[Route]:
        calls = (
            *self._inventory_calls(),
            *self._order_calls(),
            *self._destination_calls(),
            *self._subscription_calls(),
            ("GET", "/developer/analytics/v1_beta/rate_limit/", "analytics", (BASE,), self._limits),
            *((method, "/{path:path}", "analytics", (BASE,), _nothing) for method in METHODS),
        )
        return [
            Route("/identity/v1/oauth2/token", self._token, methods=["POST"]),
            *(
                Route(path, self._guarded(f"{method} {path}", pool, scopes, handler), methods=[method])
                for method, path, pool, scopes, handler in calls
            ),
        ]

    def _inventory_calls(self) -> Iterator[Registered]:
        root, reads, here = inventory.ROOT, (INVENTORY, INVENTORY_READ), self._inventory
        update, get = f"{root}/bulk_update_price_quantity", f"{root}/bulk_get_inventory_item"
        yield "POST", update, "inventory", (INVENTORY,), lambda call: here.bulk_update(call.body)
        yield "POST", get, "inventory", reads, lambda call: here.bulk_get(call.body)
        yield "GET", f"{root}/inventory_item", "inventory", reads, lambda call: here.items(call.query)
        yield "GET", f"{root}/inventory_item/{{id}}", "inventory", reads, lambda call: here.item(call.id)
        yield "GET", f"{root}/offer", "inventory", reads, lambda call: here.offers(call.query)
        yield "GET", f"{root}/offer/{{id}}", "inventory", reads, lambda call: here.offer(call.id)

    def _order_calls(self) -> Iterator[Registered]:
        root, reads, here = fulfillment.ROOT, (FULFILLMENT, FULFILLMENT_READ), self._fulfillment
        yield "GET", f"{root}/order", "order", reads, lambda call: here.orders(call.query)
        yield "GET", f"{root}/order/{{id}}", "order", reads, lambda call: here.order(call.id)

    def _destination_calls(self) -> Iterator[Registered]:
        root, here = destinations.ROOT, self._destinations
        many, one, pool, app = f"{root}/destination", f"{root}/destination/{{id}}", "notification", (BASE,)
        yield "GET", f"{root}/config", pool, app, lambda _: here.config()
        yield "PUT", f"{root}/config", pool, app, lambda call: here.configure(call.body)
        yield "GET", many, pool, app, lambda call: here.destinations(call.query)
        yield "POST", many, pool, app, lambda call: here.create(call.body)
        yield "GET", one, pool, app, lambda call: Outcome(200, here.destination(call.id).shown)
        yield "PUT", one, pool, app, lambda call: here.update(call.id, call.body)
        yield "DELETE", one, pool, app, lambda call: here.delete(call.id)
        yield "GET", f"{root}/public_key/{{id}}", pool, app, lambda call: self._public_key(call.id)
        yield "GET", f"{root}/topic", pool, app, lambda call: topics(call.query)
        yield "GET", f"{root}/topic/{{id}}", pool, app, lambda call: topic(call.id)

    def _subscription_calls(self) -> Iterator[Registered]:
        root, here = destinations.ROOT, self._destinations
        many, one, pool = f"{root}/subscription", f"{root}/subscription/{{id}}", "notification"
        reads, writes = (SUBSCRIPTION, SUBSCRIPTION_READ, BASE), (SUBSCRIPTION, BASE)
        yield "GET", many, pool, reads, lambda call: here.subscriptions(call.query)
        yield "POST", many, pool, writes, lambda call: here.subscribe(call.body, call.access.scopes)
        yield "GET", one, pool, reads, lambda call: Outcome(200, here.subscription(call.id).shown)
        yield "PUT", one, pool, writes, lambda call: here.update_subscription(call.id, call.body)
        yield "DELETE", one, pool, writes, lambda call: here.unsubscribe(call.id)
        yield "POST", f"{one}/enable", pool, writes, lambda call: here.switch(call.id, on=True)
        yield "POST", f"{one}/disable", pool, writes, lambda call: here.switch(call.id, on=False)

    def _guarded(
        self, operation: str, pool: str, scopes: Sequence[str], handler: Handler
    ) -> Callable[[Request], Awaitable[Response]]:
        """Asks for the token first, then for the day's quota, then for a body that is JSON."""

        async def answer(request: Request) -> Response:
            self.requests[operation] += 1
            try:
                access = self._access(request, scopes)
                if not self._calls.take(pool):
                    self.throttled += 1
                    raise Refused(429, 2001, "calls.day", "The request limit has been reached for the resource.")
                call = Call(request.path_params.get("id", ""), request.query_params, await _body(request), access)
                outcome = handler(call)
                return _answer(await outcome if isinstance(outcome, Awaitable) else outcome)
            except Refused as refused:
                if refused.rule is not None:
                    self.rules.broke(refused.rule)
                return JSONResponse({"errors": [refused.error]}, refused.status)

        return answer

    def _access(self, request: Request, scopes: Sequence[str]) -> Access:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not scheme:
            raise Refused(400, 1002, "auth.missing", "in the Authorization HTTP request header.")
        if scheme.lower() != "bearer":
            raise Refused(400, 1003, "auth.scheme", scheme)
        self._tokens.revoked = self.faults.token_revoked
        access = self._tokens.access(token)
        if access is None:
            raise Refused(401, 1001, "auth.token", "Check the value of the Authorization HTTP request header.")
        if not access.scopes & set(scopes):
            raise Refused(403, 1100, "auth.scope", "Insufficient permissions to fulfill the request.")
        return access

    async def _token(self, request: Request) -> Response:
        self.requests["POST token"] += 1
        form = dict(parse_qsl((await request.body()).decode()))
        self._tokens.revoked = self.faults.token_revoked
        given = self._tokens.give(request.headers, form)
        if isinstance(given, Failed):
            self.rules.broke(given.rule)
            return JSONResponse({"error": given.error, "error_description": given.description}, given.status)
        if not self._calls.take(form["grant_type"]):
            self.throttled += 1
            self.rules.broke("oauth.calls")
            return JSONResponse({"errors": [error(2001, "The request limit has been reached for the resource.")]}, 429)
        return JSONResponse(given)

    def _public_key(self, identifier: str) -> Outcome:
        if identifier != self._key.kid:
            raise Refused(404, 195001, "notices.key", identifier)
        return Outcome(200, self._key.public)

    def _limits(self, call: Call) -> Outcome:
        """https://developer.ebay.com/api-docs/developer/analytics/overview.html"""
        reset = written(time.time() + self._calls.left_s)
        shown = [
            {
                "apiContext": pool.context,
                "apiName": pool.api,
                "apiVersion": "v1",
                "resources": [{"name": pool.resource, "rates": [self._rate(name, reset)]}],
            }
            for name, pool in POOLS.items()
            if call.query.get("api_context", pool.context) == pool.context
            and call.query.get("api_name", pool.api).lower() == pool.api.lower()
        ]
        return Outcome(200, {"rateLimits": shown})

    def _rate(self, pool: str, reset: str) -> dict[str, object]:
        limit, remaining = self._calls.limit(pool), self._calls.remaining(pool)
        return {"limit": limit, "remaining": remaining, "reset": reset, "timeWindow": round(self._calls.day_s)}


def _nothing(call: Call) -> Outcome:
    raise Refused(404, 2002, None)


async def _body(request: Request) -> Mapping[str, Any]:
    if request.method not in ("POST", "PUT") or not (raw := await request.body()):
        return {}
    try:
        body = json.loads(raw) if request.headers.get("content-type", "").split(";")[0] == JSON else None
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refused(400, 2004, "json", "For help, see the documentation for this API.")
    return body


def _answer(outcome: Outcome) -> Response:
    """201 says where in a header, and 204 says nothing."""
    if outcome.status == 204:
        return Response(status_code=204)
    if outcome.status == 201:
        return JSONResponse({}, 201, {"Location": outcome.body["location"]})
    return JSONResponse(outcome.body, outcome.status)
