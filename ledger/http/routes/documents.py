"""``/``, ``/openapi.json`` and ``/docs``: what a ledger says about itself."""

from pathlib import Path

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
"""libyaml's where the wheel has it: 10 ms instead of 100 at every start."""
FRONT = {"docs": "/docs", "openapi": "/openapi.json", "discovery": "/v1/discovery"}
CONTENT_SECURITY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'"


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
