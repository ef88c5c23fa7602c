"""Asks our Amazon in its own process, without a network between: for tests of its rules."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx

from tests.channels.amazon.catalogue import MARKETPLACE, SELLER
from tests.channels.amazon.feeds import Feed
from tests.channels.amazon.market import DESTINATIONS, FEEDS, LISTINGS, ORDERS, SUBSCRIPTIONS, Amazon
from tests.channels.amazon.tokens import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, SCOPES
from tests.harness.waiting import wait_until

QUICK = 100_000.0
"""A pace at which no quota is felt, and nothing is searched behind."""
ARN = "arn:aws:sqs:us-east-1:123456789012:orders"
AVAILABILITY = "/attributes/fulfillment_availability"


@dataclass
class Caller:
    """``broken`` tells which rules were broken since it was asked last."""

    market: Amazon
    http: httpx.AsyncClient
    tokens: dict[bool, str] = field(default_factory=dict)

    async def login(self, **changed: str) -> httpx.Response:
        form = {"grant_type": "refresh_token", "refresh_token": REFRESH_TOKEN}
        return await self.http.post(
            "/auth/o2/token", data={**form, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **changed}
        )

    async def ask(self, method: str, path: str, *, grantless: bool = False, **more: Any) -> httpx.Response:
        if grantless not in self.tokens:
            scope = {"grant_type": "client_credentials", "scope": SCOPES[0]} if grantless else {}
            self.tokens[grantless] = (await self.login(**scope)).json()["access_token"]
        headers = {"x-amz-access-token": self.tokens[grantless], **more.pop("headers", {})}
        return await self.http.request(method, path, headers=headers, **more)

    async def patch(self, *patches: object, sku: str = "mug", **changed: Any) -> httpx.Response:
        body = {"productType": "PRODUCT", "patches": list(patches), **changed}
        path = f"{LISTINGS}/{SELLER}/{quote(sku, safe='')}"
        return await self.ask("PATCH", path, params={"marketplaceIds": MARKETPLACE}, json=body)

    async def item(self, sku: str = "mug", **params: str) -> httpx.Response:
        path = f"{LISTINGS}/{SELLER}/{quote(sku, safe='')}"
        return await self.ask("GET", path, params={"marketplaceIds": MARKETPLACE, **params})

    async def search(self, **params: Any) -> httpx.Response:
        path = f"{LISTINGS}/{SELLER}"
        return await self.ask("GET", path, params={"marketplaceIds": MARKETPLACE, **params})

    async def orders(self, **params: Any) -> httpx.Response:
        return await self.ask("GET", ORDERS, params=params)

    async def document(self, content: bytes | None = b"{}") -> str:
        made = (await self.ask("POST", f"{FEEDS}/documents", json={"contentType": "application/json"})).json()
        if content is not None:
            await self.http.put(made["url"], content=content, headers={"content-type": "application/json"})
        return str(made["feedDocumentId"])

    async def feed(self, document: str, **changed: Any) -> httpx.Response:
        body = {"feedType": "JSON_LISTINGS_FEED", "marketplaceIds": [MARKETPLACE], "inputFeedDocumentId": document}
        return await self.ask("POST", f"{FEEDS}/feeds", json={**body, **changed})

    async def feeds(self, **params: Any) -> httpx.Response:
        return await self.ask("GET", f"{FEEDS}/feeds", params=params)

    async def fed(self, *messages: object) -> Feed:
        """As it is when it has been processed."""
        header = {"sellerId": SELLER, "version": "2.0"}
        content = httpx.Request("PUT", "http://x", json={"header": header, "messages": messages}).content
        made = await self.feed(await self.document(content))
        return await self.done(made.json()["feedId"])

    async def done(self, feed: str) -> Feed:
        async def ended() -> bool:
            view = (await self.ask("GET", f"{FEEDS}/feeds/{feed}")).json()
            return view["processingStatus"] in ("DONE", "FATAL", "CANCELLED")

        await wait_until(ended)
        return self.market._feeds.feed(feed)

    async def destination(self, arn: str = ARN) -> httpx.Response:
        body = {"name": "orders", "resourceSpecification": {"sqs": {"arn": arn}}}
        return await self.ask("POST", DESTINATIONS, grantless=True, json=body)

    async def subscribe(self, kind: str = "ORDER_CHANGE", destination: str = "destination-1") -> httpx.Response:
        body = {"payloadVersion": "1.0", "destinationId": destination}
        return await self.ask("POST", f"{SUBSCRIPTIONS}/{kind}", json=body)

    @property
    def broken(self) -> set[str]:
        broken = set(self.market.rules.broken)
        self.market.rules.broken.clear()
        return broken


def caller(pace: float = QUICK, token_s: float = 3600.0, queue_s: float = 0.0) -> Caller:
    market = Amazon(None, pace, token_s, queue_s)
    market.offer({"id": "mug", "title": "Mug", "quantity": 10, "availability": {"lead_time_to_ship_max_days": 3}})
    market.offer({"id": "own", "title": "Amazon's", "quantity": 0, "channel": "AMAZON_NA"})
    market.offer({"id": "lacking", "title": "Lacking", "quantity": 1, "refuses": "'brand' is required"})
    market.offer({"id": "c#", "title": "Forbidden", "quantity": 1, "forbidden": True})
    transport = httpx.ASGITransport(market.api)
    return Caller(market, httpx.AsyncClient(transport=transport, base_url="http://amazon"))


def availability(quantity: object, op: str = "merge", **more: object) -> dict[str, object]:
    value = {"fulfillment_channel_code": "DEFAULT", "quantity": quantity, **more}
    return {"op": op, "path": AVAILABILITY, "value": [value]}


def message(quantity: int, sku: str = "mug", number: int = 1) -> dict[str, object]:
    patches = [availability(quantity)]
    return {"messageId": number, "sku": sku, "operationType": "PATCH", "productType": "PRODUCT", "patches": patches}


def ago(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


def content_of(*messages: object) -> bytes:
    header = {"sellerId": SELLER, "version": "2.0"}
    return httpx.Request("PUT", "http://x", json={"header": header, "messages": messages}).content
