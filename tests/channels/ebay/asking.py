"""eBay in the test's own process, and requests to it, without a socket between."""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.channels.ebay.app import Ebay
from tests.channels.ebay.endpoint import TOKEN
from tests.channels.ebay.tokens import CLIENT_ID, CLIENT_SECRET, LIFE_S, REFRESH_TOKEN

BASIC = {"Authorization": f"Basic {base64.b64encode(f'{CLIENT_ID}:{CLIENT_SECRET}'.encode()).decode()}"}
REFRESH = {"grant_type": "refresh_token", "refresh_token": REFRESH_TOKEN}
APPLICATION = {"grant_type": "client_credentials"}
PAYLOAD = {"format": "JSON", "schemaVersion": "1.0", "deliveryProtocol": "HTTPS"}
SUBSCRIBED = {"topicId": "ORDER_CONFIRMATION", "status": "ENABLED", "destinationId": "none", "payload": PAYLOAD}
ITEMS, ORDERS, NOTICES = "/sell/inventory/v1", "/sell/fulfillment/v1", "/commerce/notification/v1"


@dataclass(slots=True)
class Asker:
    """``ask`` takes a token of its own where none is given: the seller's."""

    ebay: Ebay
    http: httpx.AsyncClient
    _tokens: dict[str, str] = field(default_factory=dict)

    async def token(self, grant: Mapping[str, str], headers: Mapping[str, str] = BASIC) -> httpx.Response:
        return await self.http.post("/identity/v1/oauth2/token", data=dict(grant), headers=headers)

    async def bearer(self, grant: Mapping[str, str] = REFRESH) -> dict[str, str]:
        kind = grant["grant_type"]
        if kind not in self._tokens:
            self._tokens[kind] = (await self.token(grant)).json()["access_token"]
        return {"Authorization": f"Bearer {self._tokens[kind]}"}

    async def ask(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        sent = await self.bearer() if headers is None else dict(headers)
        return await self.http.request(method, path, json=body, headers=sent)

    async def bulk(self, *nodes: Mapping[str, Any]) -> httpx.Response:
        return await self.ask("POST", f"{ITEMS}/bulk_update_price_quantity", {"requests": list(nodes)})

    async def offer_of(self, sku: str) -> str:
        return str((await self.ask("GET", f"{ITEMS}/offer?sku={sku}")).json()["offers"][0]["offerId"])

    async def node(self, sku: str, quantity: int) -> dict[str, Any]:
        """Item and offer."""
        offers = [{"offerId": await self.offer_of(sku), "availableQuantity": quantity}]
        return {"sku": sku, "shipToLocationAvailability": {"quantity": quantity}, "offers": offers}


@asynccontextmanager
async def asker(
    pace: float = 1.0,
    fewer: int = 1,
    token_s: float = LIFE_S,
    *,
    out_of_stock_control: bool = True,
    local: bool = True,
) -> AsyncIterator[Asker]:
    """With three listings: ``mug`` of 5, ``cap`` of 3, and ``scarf``, whose offer is not published."""
    ebay = Ebay(pace, fewer, token_s, out_of_stock_control=out_of_stock_control, local=local)
    ebay.offer({"id": "mug", "title": "Mug", "quantity": 5, "barcode": "4006381333931"})
    ebay.offer({"id": "cap", "title": "Cap", "quantity": 3})
    ebay.offer({"id": "scarf", "title": "Scarf", "quantity": 1, "published": False})
    transport = httpx.ASGITransport(ebay.api)
    async with ebay.notices, httpx.AsyncClient(transport=transport, base_url="http://api.ebay.test") as http:
        yield Asker(ebay, http)


def error_ids(answer: httpx.Response) -> list[int]:
    """Of the whole call, or of each outcome in it."""
    body = answer.json()
    listed = [body, *body.get("responses", [])]
    return [error["errorId"] for one in listed for error in one.get("errors", [])]


Ask = Callable[[Asker], Awaitable[httpx.Response]]


def destination(endpoint: str, status: str = "ENABLED", token: str = TOKEN) -> dict[str, Any]:
    config = {"endpoint": endpoint, "verificationToken": token}
    return {"name": "ours", "status": status, "deliveryConfig": config}


def notices(method: str, path: str, body: object = None) -> Ask:
    """As the application, with an address for alerts."""

    async def ask(at: Asker) -> httpx.Response:
        headers = await at.bearer(APPLICATION)
        await at.ask("PUT", f"{NOTICES}/config", {"alertEmail": "us@example.com"}, headers)
        return await at.ask(method, f"{NOTICES}/{path}", body, headers)

    return ask
