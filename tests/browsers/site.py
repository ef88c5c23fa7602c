"""The tests' own web server: the client's modules as they lie in the repository, and pages that use them."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tests.harness.api_keys import make_token
from tests.harness.source import ROOT
from tests.harness.waiting import PATIENCE_S

MODULES = ROOT / "client-sdk" / "js" / "src"
PAGES = Path(__file__).with_name("pages")
STRICT = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src *; img-src data:"
"""What a careful shop sends: nothing inline, no eval."""
READS = "stock:read:*"


async def _mint() -> str:
    return make_token(READS)


@dataclass
class Site:
    """``origin``: ``http://127.0.0.1:PORT``. The rest may be set by a test at any time, and ``reset`` undoes it.

    ``token``: what ``POST /token`` does to answer; ``tokens`` counts how often it was asked, ``minting_most`` how often
    at once. ``discovery``: what ``GET /v1/discovery`` says. ``html``: pages by path. ``policy``: the pages' CSP.
    ``built``: a folder whose files are below ``/built``.
    """

    origin: str
    token: Callable[[], Awaitable[str]] = _mint
    tokens: int = 0
    minting: int = 0
    minting_most: int = 0
    discovery: dict[str, Any] = field(default_factory=dict)
    html: dict[str, str] = field(default_factory=dict)
    policy: str = STRICT
    built: Path | None = None

    def reset(self) -> None:
        self.__dict__.update(Site(self.origin).__dict__)

    def page(self, name: str, **options: Any) -> str:
        """URL of a page of ``pages/``; its script finds ``options`` in its address."""
        return f"{self.origin}/{name}?{quote(orjson.dumps(options))}"


@contextmanager
def serving() -> Iterator[Site]:
    """On a port of its own, in a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        site = Site(f"http://127.0.0.1:{listener.getsockname()[1]}")
        config = uvicorn.Config(_application(site), log_config=None, lifespan="off", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=asyncio.run, args=(server.serve([listener]),), name="site", daemon=True)
        thread.start()
        try:
            yield site
        finally:
            server.should_exit = True
            thread.join(PATIENCE_S)


def _application(site: Site) -> Starlette:
    async def page(request: Request) -> Response:
        name = request.path_params["name"]
        text = site.html.get(name) or (PAGES / name).with_suffix(".html").read_text()
        return HTMLResponse(text, headers={"Content-Security-Policy": site.policy})

    async def token(_: Request) -> Response:
        site.tokens += 1
        site.minting += 1
        site.minting_most = max(site.minting_most, site.minting)
        try:
            return PlainTextResponse(await site.token())
        except RuntimeError as error:
            return PlainTextResponse(str(error), 500)
        finally:
            site.minting -= 1

    async def built(request: Request) -> Response:
        assert site.built is not None
        return FileResponse(site.built / request.path_params["path"])

    async def discovery(_: Request) -> Response:
        return JSONResponse(site.discovery)

    return Starlette(
        routes=[
            Route("/token", token, methods=["POST"]),
            Route("/v1/discovery", discovery),
            Mount("/stockwire", StaticFiles(directory=MODULES)),
            Route("/built/{path:path}", built),
            Mount("/scripts", StaticFiles(directory=PAGES)),
            Route("/{name}", page),
        ]
    )
