"""The sample shop's back end: a page for browsers, a short read token for its live view, and a buy button's other half.

It holds the API key; a browser only ever gets a token that reads one location for TOKEN_TTL_S. What changes something
must come from the page itself: JSON with our own Origin under one of our own Host names (no other page, no rebinding).
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from stockwire import AsyncClient
from stockwire.errors import Later, OutOfStock, StockwireError

PAGES = Path(__file__).with_name("storefront")
"""The page, its style and scripts, and in ``client`` the modules of the JavaScript client."""
TOKEN_TTL_S = 300
BODY_BYTES_MAX = 1024
BUYS_IN_FLIGHT_MAX = 32  # beyond it the shop says so at once rather than letting buyers queue
_TIMEOUT_S = 5.0
_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")


@dataclass(frozen=True, slots=True)
class Card:
    """One product on the page. ``price`` as text, such as ``£2.55``; empty when unknown."""

    sku: str
    name: str
    price: str


@dataclass(frozen=True, slots=True)
class Shop:
    """``hubs``: WebSocket URLs. ``origins``: what the page's own address may be, such as ``http://localhost:8082``."""

    ledger: str
    key: str = field(repr=False)
    hubs: Sequence[str]
    location: str
    cards: Sequence[Card]
    origins: Sequence[str]


def create_shop(shop: Shop, client: AsyncClient, http: httpx.AsyncClient) -> Starlette:
    """``client`` and ``http`` stay the caller's to close."""
    hosts = {urlsplit(origin).netloc for origin in shop.origins}
    skus = {card.sku for card in shop.cards}
    buys = asyncio.Semaphore(BUYS_IN_FLIGHT_MAX)

    async def session(request: Request) -> Response:
        if await _body(request, shop.origins, hosts) is None:
            return _refused(403, "only the shop's own page may do this")
        try:
            token = await _read_token(http, shop)
        except httpx.HTTPError:
            return _refused(503, "the ledger cannot be reached, try again in a moment")
        cards = [{"sku": card.sku, "name": card.name, "price": card.price} for card in shop.cards]
        return JSONResponse(
            {**token, "hubs": list(shop.hubs), "location": shop.location, "cards": cards}, headers=_HEADERS
        )

    async def buy(request: Request) -> Response:
        body = await _body(request, shop.origins, hosts)
        if body is None:
            return _refused(403, "only the shop's own page may do this")
        sku, key = body.get("sku"), body.get("key")
        if not isinstance(sku, str) or sku not in skus or not isinstance(key, str) or not _KEY.fullmatch(key):
            return _refused(422, "sku must be one of the page's, key 8 to 64 letters or digits")
        if buys.locked():
            return _refused(503, "too many buyers at once, try again in a moment")
        async with buys:
            return await _sell(client, shop.location, sku, f"shop:{key}")

    return Starlette(
        routes=[
            Route("/session", session, methods=["POST"]),
            Route("/buy", buy, methods=["POST"]),
            Mount("/", _Pages(hosts, _policy(shop.hubs))),
        ]
    )


async def _sell(client: AsyncClient, location: str, sku: str, key: str) -> Response:
    """The page's key makes a repeated click on a bad line one sale."""
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            sold = await client.stock.sell(sku, location, key=key, reference="web shop")
    except OutOfStock as error:
        return JSONResponse({"sold": False, "available": error.available}, 409, headers=_HEADERS)
    except (Later, TimeoutError):
        return _refused(503, "the ledger is busy, try again with the same key")
    except StockwireError as error:
        return _refused(502, str(error))
    level = sold.level
    return JSONResponse({"sold": True, "available": level.available, "version": level.version}, headers=_HEADERS)


async def _read_token(http: httpx.AsyncClient, shop: Shop) -> dict[str, object]:
    """Raises httpx.HTTPError."""
    answer = await http.post(
        f"{shop.ledger}/v1/tokens",
        json={"scopes": [f"stock:read:{shop.location}"], "ttl_s": TOKEN_TTL_S},
        headers={"Authorization": f"Bearer {shop.key}"},
        timeout=_TIMEOUT_S,
    )
    answer.raise_for_status()
    token = answer.json()
    return {"token": token["token"], "ttl_s": TOKEN_TTL_S}


async def _body(request: Request, origins: Sequence[str], hosts: set[str]) -> dict[str, object] | None:
    """The JSON object of a request that our own page has made; None for any other."""
    headers = request.headers
    own = headers.get("origin") in origins and headers.get("host") in hosts
    if not own or headers.get("content-type", "").partition(";")[0] != "application/json":
        return None
    data = b""
    try:
        async for chunk in request.stream():
            data += chunk
            if len(data) > BODY_BYTES_MAX:
                return None
        body = orjson.loads(data)
    except (ClientDisconnect, orjson.JSONDecodeError):
        return None
    return body if isinstance(body, dict) else None


def _refused(status: int, reason: str) -> Response:
    return JSONResponse({"reason": reason}, status, headers=_HEADERS)


class _Pages(StaticFiles):
    """A browser asks for each anew every time, and gets it only if it has changed."""

    def __init__(self, hosts: set[str], policy: str) -> None:
        super().__init__(directory=PAGES, html=True, follow_symlink=True)
        self._hosts = hosts
        self._headers = {**_HEADERS, "Cache-Control": "no-cache", "Content-Security-Policy": policy}

    async def get_response(self, path: str, scope: Scope) -> Response:
        if Headers(scope=scope).get("host") not in self._hosts:
            return _refused(421, "this page is served under another name")
        return await super().get_response(path, scope)

    def file_response(self, *given: Any, **named: Any) -> Response:
        response = super().file_response(*given, **named)
        response.headers.update(self._headers)
        return response


def _policy(hubs: Sequence[str]) -> str:
    """Only the shop's own scripts and style run, and they talk to nobody but us and the hubs."""
    sockets = " ".join(sorted({f"{urlsplit(hub).scheme}://{urlsplit(hub).netloc}" for hub in hubs}))
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' {sockets}; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
