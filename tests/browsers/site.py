"""The tests' own web server: the client's modules as they lie in the repository, and pages that use them."""

import asyncio
import socket
import threading
from collections import Counter
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
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
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

Mint = Callable[[str], Awaitable[str]]


async def _mint(_name: str) -> str:
    return make_token(READS)


@dataclass
class Site:
    """``origin``: ``http://127.0.0.1:PORT``. The rest may be set by a test at any time, and ``reset`` undoes it.

    ``mint``: what ``POST /token/NAME`` does to answer, in the loop of the server; RuntimeError is a status 500.
    ``asked`` counts by name how often, ``asking`` how many now, ``at_once`` how many at most at the same time.
    ``html``: pages by name. ``policy``: the pages' CSP. ``built``: a folder whose files are below ``/built``.
    """

    origin: str
    mint: Mint = _mint
    asked: Counter[str] = field(default_factory=Counter)
    asking: Counter[str] = field(default_factory=Counter)
    at_once: Counter[str] = field(default_factory=Counter)
    html: dict[str, str] = field(default_factory=dict)
    policy: str = STRICT
    built: Path | None = None

    def reset(self) -> None:
        self.__dict__.update(Site(self.origin).__dict__)

    @property
    def other_origin(self) -> str:
        """The same pages for a browser that takes them for another site's: in a process of their own."""
        return self.origin.replace("127.0.0.1", "localhost")

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

    async def token(request: Request) -> Response:
        name = request.path_params["name"]
        asking = site.asking  # of this test: one that is still unanswered when it ends is not the next one's
        site.asked[name] += 1
        asking[name] += 1
        site.at_once[name] = max(site.at_once[name], asking[name])
        try:
            return PlainTextResponse(await site.mint(name))
        except RuntimeError as error:
            return PlainTextResponse(str(error), 500)
        finally:
            asking[name] -= 1

    async def built(request: Request) -> Response:
        assert site.built is not None
        return FileResponse(site.built / request.path_params["path"])

    return Starlette(
        routes=[
            Route("/token/{name}", token, methods=["POST"]),
            Mount("/stockwire", StaticFiles(directory=MODULES)),
            Route("/built/{path:path}", built),
            Mount("/scripts", StaticFiles(directory=PAGES)),
            Route("/{name}", page),
        ]
    )
