"""Amazon as one process: every operation behind its token and its quota."""

import asyncio
import secrets
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tests.channels.amazon.catalogue import MARKETPLACE, SELLER, Catalogue, Issue, included_in
from tests.channels.amazon.feeds import Feeds, Waits
from tests.channels.amazon.notifications import ORDER_CHANGE, Notifications, Queues
from tests.channels.amazon.orders import Orders, order_id
from tests.channels.amazon.quotas import LISTINGS_FEEDS, PLANS, Buckets
from tests.channels.amazon.refusal import LoginRefusal, Refusal, one
from tests.channels.amazon.rules import RULES
from tests.channels.amazon.tokens import Tokens
from tests.channels.shared.marketplace import Marketplace
from tests.channels.shared.notices import Notice, Patience
from tests.channels.shared.selling import Happening

FORM = "application/x-www-form-urlencoded"
LISTINGS, FEEDS, ORDERS = "/listings/2021-08-01/items", "/feeds/2021-06-30", "/orders/2026-01-01/orders"
DESTINATIONS, SUBSCRIPTIONS = "/notifications/v1/destinations", "/notifications/v1/subscriptions"
AGAIN_S = (1.0, 5.0, 30.0, 120.0)
MARKETS_MAX = 50

Handler = Callable[[Request], Awaitable[object]]
"""Answers JSON, with status 200, or a response of its own. Raises Refusal."""


class Amazon(Marketplace):
    """``queues``: where SQS answers. ``token_s``: how long an access token is good. ``queue_s``: how long a feed waits
    beside what it takes to apply anything; ``progress_s``: between IN_PROGRESS and DONE."""

    def __init__(
        self, queues: str | None, pace: float, token_s: float, queue_s: float, progress_s: float = 0.05
    ) -> None:
        super().__init__(RULES, Queues(queues), Patience(AGAIN_S, None), pace)
        self._tokens = Tokens(token_s)
        self._buckets = Buckets(pace)
        self._catalogue = Catalogue(self.selling, self._later)
        waits = Waits(lambda: self.faults.late_apply_s + queue_s, progress_s)
        self._feeds = Feeds(self._catalogue, self._after, waits, self.rules.broke)
        self._orders = Orders(self.selling, lambda sku: self._catalogue.listings[sku].title, pace)
        self._notifications = Notifications(self.notices)
        self._applied_at = 0.0
        self._api = Starlette(routes=self._routes())

    @property
    def api(self) -> ASGIApp:
        return self._api

    def order_id(self, number: int) -> str:
        return order_id(number)

    def offer(self, product: Mapping[str, Any]) -> None:
        self._catalogue.offer(product)

    def error_in_200(self) -> object:
        error = {"code": "InternalFailure", "message": "We encountered an internal error. Please try again."}
        return {"errors": [{**error, "details": ""}]}

    def level_moved(self, listing: str) -> None:
        """Nobody is told: ORDER_CHANGE is all that is subscribed."""

    def order_happened(self, happening: Happening) -> None:
        identifier = str(uuid.uuid4())
        body = orjson.dumps(self._orders.told(happening, identifier))
        self.notices.publish(Notice(identifier, ORDER_CHANGE, body, happening.order.updated_at))

    def _later(self, do: Callable[[], None]) -> None:
        """Never before what was accepted before it, however long that takes: rule patch.order."""
        loop = asyncio.get_running_loop()
        self._applied_at = max(self._applied_at, loop.time() + self.faults.late_apply_s)
        loop.call_at(self._applied_at, do)

    def _after(self, seconds: float, do: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(seconds, do)

    # Operations

    def _routes(self) -> list[Route]:
        own, seller = f"{LISTINGS}/{{seller}}", f"{LISTINGS}/{{seller}}/{{sku:path}}"
        destination, subscription = f"{DESTINATIONS}/{{id}}", f"{SUBSCRIPTIONS}/{{kind}}"
        return [
            Route("/auth/o2/token", self._login, methods=["POST"]),
            self._route("searchListingsItems", "GET", own, self._search),
            self._route("getListingsItem", "GET", seller, self._get),
            self._route("patchListingsItem", "PATCH", seller, self._patch),
            self._route("createFeedDocument", "POST", f"{FEEDS}/documents", self._create_document),
            self._route("getFeedDocument", "GET", f"{FEEDS}/documents/{{id}}", self._get_document),
            self._route("createFeed", "POST", f"{FEEDS}/feeds", self._create_feed),
            self._route("getFeeds", "GET", f"{FEEDS}/feeds", self._list_feeds),
            self._route("getFeed", "GET", f"{FEEDS}/feeds/{{id}}", self._get_feed),
            self._route("cancelFeed", "DELETE", f"{FEEDS}/feeds/{{id}}", self._cancel_feed),
            Route("/content/{id}", self._content, methods=["GET", "PUT"]),
            self._route("searchOrders", "GET", ORDERS, self._search_orders),
            self._route("getOrder", "GET", f"{ORDERS}/{{id}}", self._get_order),
            self._route("createDestination", "POST", DESTINATIONS, self._create_destination, grantless=True),
            self._route("getDestinations", "GET", DESTINATIONS, self._get_destinations, grantless=True),
            self._route("deleteDestination", "DELETE", destination, self._delete_destination, grantless=True),
            self._route("createSubscription", "POST", subscription, self._subscribe),
            self._route("getSubscription", "GET", subscription, self._get_subscription),
            self._route(
                "deleteSubscriptionById",
                "DELETE",
                f"{SUBSCRIPTIONS}/{{kind}}/{{id}}",
                self._unsubscribe,
                grantless=True,
            ),
        ]

    def _route(self, operation: str, method: str, path: str, handler: Handler, *, grantless: bool = False) -> Route:
        async def answer(request: Request) -> Response:
            self.requests[operation] += 1
            self._tokens.revoked = self.faults.token_revoked
            try:
                self._tokens.check(request.headers.get("x-amz-access-token"), grantless=grantless)
                if not self._buckets.take(operation):
                    raise Refusal("quota", "QuotaExceeded")
                content = await handler(request)
                response = content if isinstance(content, Response) else JSONResponse(content)
            except Refusal as refusal:
                self._broken(refusal)
                response = refusal.answer()
            if response.status_code != 429:
                response.headers["x-amzn-RateLimit-Limit"] = str(PLANS[operation][0] * self.pace)
            response.headers["x-amzn-RequestId"] = str(uuid.uuid4())
            return response

        return Route(path, answer, methods=[method], name=operation)

    def _broken(self, refusal: Refusal | LoginRefusal) -> None:
        self.rules.broke(refusal.rule)
        if isinstance(refusal, Refusal) and refusal.code == "QuotaExceeded":
            self.throttled += 1

    async def _login(self, request: Request) -> Response:
        self.requests["token"] += 1
        self._tokens.revoked = self.faults.token_revoked
        try:
            if request.headers.get("content-type", "").partition(";")[0] != FORM:
                raise LoginRefusal("login.form", "invalid_request", "The Content-Type is not supported")
            form = dict(parse_qsl((await request.body()).decode()))
            return JSONResponse(self._tokens.issue(form), headers={"Cache-Control": "no-store"})
        except LoginRefusal as refusal:
            self._broken(refusal)
            return refusal.answer()

    # Listings

    async def _search(self, request: Request) -> object:
        _check_seller(request)
        if "," in request.query_params.get("identifiers", ""):
            identifiers = request.query_params["identifiers"].split(",")
            commas = [sku for sku in self._catalogue.listings if "," in sku and set(sku.split(",")) <= {*identifiers}]
            if commas:
                self.rules.broke("search.comma")
        return self._catalogue.search(request.query_params)

    async def _get(self, request: Request) -> object:
        _check_seller(request)
        return self._catalogue.item(_sku(request), included_in(request.query_params, "summaries"))

    async def _patch(self, request: Request) -> object:
        _check_seller(request)
        asked = await _body(request)
        preview = request.query_params.get("mode") == "VALIDATION_PREVIEW"
        sku = _sku(request)
        if sku not in self._catalogue.listings:
            self.rules.broke("patch.unknown")
        issues = self._catalogue.patch(sku, asked.get("productType"), asked.get("patches"), preview=preview)
        for each in issues:
            self.rules.broke(each["rule"])
        accepted = "VALID" if preview else "ACCEPTED"
        status = "INVALID" if issues else accepted
        return {"sku": sku, "status": status, "submissionId": uuid.uuid4().hex, "issues": [*map(_told, issues)]}

    # Feeds

    async def _create_document(self, request: Request) -> object:
        document = self._feeds.create_document((await _body(request)).get("contentType"))
        return JSONResponse({"feedDocumentId": document.id, "url": _content_url(request, document.id)}, 201)

    async def _get_document(self, request: Request) -> object:
        identifier = request.path_params["id"]
        if identifier not in self._feeds.documents:
            raise Refusal("feed.document", "NOT_FOUND", identifier)
        return {"feedDocumentId": identifier, "url": _content_url(request, identifier)}

    async def _content(self, request: Request) -> Response:
        """Where uploads and downloads go: no operation, no token, no quota; whoever has the URL may."""
        identifier = request.path_params["id"]
        try:
            if request.method == "PUT":
                content = await request.body()
                self._feeds.upload(identifier, request.headers.get("content-type", ""), content)
                return Response()
        except Refusal as refusal:
            self._broken(refusal)
            return Response(f"<Error><Code>{refusal.details}</Code></Error>", 403, media_type="application/xml")
        document = self._feeds.documents.get(identifier)
        if document is None or document.content is None:
            return Response("<Error><Code>NoSuchKey</Code></Error>", 404, media_type="application/xml")
        return Response(document.content, media_type=document.content_type)

    async def _create_feed(self, request: Request) -> object:
        asked = await _body(request)
        if asked.get("marketplaceIds") != [MARKETPLACE]:
            raise Refusal("seller", details="marketplaceIds")
        if not self._buckets.take("feeds of listings", LISTINGS_FEEDS):
            raise Refusal("quota.feed", "QuotaExceeded")
        return JSONResponse({"feedId": self._feeds.create(asked).id}, 202)

    async def _list_feeds(self, request: Request) -> object:
        return self._feeds.listed(request.query_params)

    async def _get_feed(self, request: Request) -> object:
        return self._feeds.feed(request.path_params["id"]).view

    async def _cancel_feed(self, request: Request) -> object:
        self._feeds.cancel(request.path_params["id"])
        return Response()

    # Orders

    async def _search_orders(self, request: Request) -> object:
        marketplaces = request.query_params.get("marketplaceIds", MARKETPLACE).split(",")
        if len(marketplaces) > MARKETS_MAX or MARKETPLACE not in marketplaces:
            raise Refusal("seller", details="marketplaceIds")
        return self._orders.search(request.query_params)

    async def _get_order(self, request: Request) -> object:
        included = frozenset(request.query_params.get("includedData", "").split(","))
        return {"order": self._orders.view(request.path_params["id"], included)}

    # Notifications

    async def _create_destination(self, request: Request) -> object:
        return {"payload": self._notifications.create_destination(await _body(request))}

    async def _get_destinations(self, _: Request) -> object:
        return {"payload": [*self._notifications.destinations.values()]}

    async def _delete_destination(self, request: Request) -> object:
        self._notifications.delete_destination(request.path_params["id"])
        return {}

    async def _subscribe(self, request: Request) -> object:
        return {"payload": self._notifications.subscribe(request.path_params["kind"], await _body(request))}

    async def _get_subscription(self, request: Request) -> object:
        return {"payload": self._notifications.subscription(request.path_params["kind"])}

    async def _unsubscribe(self, request: Request) -> object:
        self._notifications.unsubscribe(request.path_params["kind"], request.path_params["id"])
        return {}


def _check_seller(request: Request) -> None:
    marketplace = one(request, "marketplaceIds", "seller")
    if (request.path_params["seller"], marketplace) != (SELLER, MARKETPLACE):
        raise Refusal("seller", details="Invalid 'sellerId' and 'marketplaceId' combination provided.")


def _sku(request: Request) -> str:
    """As it stands in the path, of which Starlette has already decoded what should have been encoded."""
    raw = request.scope["raw_path"].decode().partition("?")[0].removeprefix(f"{LISTINGS}/{SELLER}/")
    if "/" in raw:
        raise Refusal("sku.encoded", "Unauthorized", raw)
    return unquote(raw)


async def _body(request: Request) -> dict[str, Any]:
    try:
        asked = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        asked = None
    if not isinstance(asked, dict):
        raise Refusal("patch.body", details="a JSON object is expected")
    return asked


def _content_url(request: Request, document: str) -> str:
    return f"{request.base_url}content/{document}?X-Amz-Signature={secrets.token_hex(8)}"


def _told(issue: Issue) -> dict[str, Any]:
    return {name: what for name, what in issue.items() if name != "rule"}
