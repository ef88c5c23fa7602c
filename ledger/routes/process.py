"""``/``, ``/healthz``, ``/readyz``, ``/openapi.json`` and ``/docs``."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson
import yaml
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

import wire
from ledger.answers import Json
from ledger.errors import Unavailable

OPENAPI = Path(wire.__file__).with_name("openapi.yaml")
PAGE = Path(__file__).with_name("docs.html")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's where the wheel has it: 10 ms instead of 100 at every start."""
FRONT = {"docs": "/docs", "openapi": "/openapi.json", "discovery": "/v1/discovery"}
CONTENT_SECURITY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'"


class HealthRoutes:
    """``why_not_ready``: None when the ledger takes requests, else the reason."""

    def __init__(self, why_not_ready: Callable[[], Awaitable[str | None]]) -> None:
        self._why_not_ready = why_not_ready

    def routes(self) -> list[Route]:
        return [Route("/healthz", self.alive, methods=["GET"]), Route("/readyz", self.ready, methods=["GET"])]

    def everything_else(self) -> Route:
        """For a ledger that serves nothing yet."""
        return Route("/{path:path}", self.refuse, methods=["GET", "POST", "PUT", "DELETE"])

    async def alive(self, _request: Request) -> Response:
        return Json({"status": "ok"})

    async def ready(self, _request: Request) -> Response:
        if reason := await self._why_not_ready():
            raise Unavailable(reason)
        return Json({"status": "ready"})

    async def refuse(self, _request: Request) -> Response:
        raise Unavailable(await self._why_not_ready() or "the ledger is starting")


class DocumentRoutes:
    def __init__(self) -> None:
        document = yaml.load(OPENAPI.read_text(), Loader=LOADER)
        self._openapi = orjson.dumps(document)
        self._front = {"name": document["info"]["title"], "version": document["info"]["version"], **FRONT}
        self._page = PAGE.read_text()

    def routes(self) -> list[Route]:
        return [
            Route("/", self.front, methods=["GET"]),
            Route("/openapi.json", self.openapi, methods=["GET"]),
            Route("/docs", self.docs, methods=["GET"]),
        ]

    async def front(self, _request: Request) -> Response:
        """What somebody finds who has nothing but the address."""
        return Json(self._front)

    async def openapi(self, _request: Request) -> Response:
        return Response(self._openapi, media_type="application/json")

    async def docs(self, _request: Request) -> Response:
        return HTMLResponse(self._page, headers={"Content-Security-Policy": CONTENT_SECURITY})
