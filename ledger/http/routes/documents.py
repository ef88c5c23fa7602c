"""``/``, ``/openapi.json`` and ``/docs``: what a ledger says about itself."""

import asyncio
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import yaml
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

import wire
from server.http.json import Json

OPENAPI = Path(wire.__file__).with_name("openapi.yaml")
PAGE = Path(__file__).with_name("docs.html")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's where the wheel has it: a quarter of the time."""
FRONT = {"docs": "/docs", "openapi": "/openapi.json", "discovery": "/v1/discovery"}
CONTENT_SECURITY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'"


class DocumentRoutes:
    """The document is read for who asks first, in a thread: few ask, and it was half of what a start took."""

    def __init__(self) -> None:
        self._page = PAGE.read_text()

    def routes(self) -> list[Route]:
        return [
            Route("/", self.front, methods=["GET"]),
            Route("/openapi.json", self.openapi, methods=["GET"]),
            Route("/docs", self.docs, methods=["GET"]),
        ]

    async def front(self, _request: Request) -> Response:
        """What somebody finds who has nothing but the address."""
        info = (await asyncio.to_thread(read_document))["info"]
        return Json({"name": info["title"], "version": info["version"], **FRONT})

    async def openapi(self, _request: Request) -> Response:
        return Response(await asyncio.to_thread(_openapi), media_type="application/json")

    async def docs(self, _request: Request) -> Response:
        return HTMLResponse(self._page, headers={"Content-Security-Policy": CONTENT_SECURITY})


@cache
def _openapi() -> bytes:
    return orjson.dumps(read_document())


@cache
def read_document() -> dict[str, Any]:
    document: dict[str, Any] = yaml.load(OPENAPI.read_text(), Loader=LOADER)
    return document
