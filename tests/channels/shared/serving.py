"""One marketplace as a process: the vendor's API behind a link that breaks on demand, beside it the control port."""

import argparse
import asyncio
import contextlib
import socket
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import uvicorn
from starlette.responses import HTMLResponse, JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from server.log import log_to_stderr
from server.process import handle_signals, ready
from tests.channels.shared.control import control_app
from tests.channels.shared.faults import Faults
from tests.channels.shared.marketplace import Marketplace
from tests.harness.proxy import Proxy, proxy_to_socket

HOST = "127.0.0.1"
GRACE_S = 1
PAGE = "<!doctype html><title>Be right back</title><h1>This store is having a rest</h1>"


def run(vendor: str, create: Callable[[argparse.Namespace], Marketplace], parser: argparse.ArgumentParser) -> None:
    """Until SIGTERM. ``create`` is given the options: ``parser``'s own and those of all vendors."""
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--pace", type=float, default=1.0, help="quotas refill so many times as fast as documented")
    parser.add_argument("--certificate", type=Path, help="of the API, with its key: PEM")
    options = parser.parse_args()
    log_to_stderr()
    asyncio.run(_serve(vendor, create, options))


async def _serve(vendor: str, create: Callable[[argparse.Namespace], Marketplace], options: argparse.Namespace) -> None:
    market = create(options)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "api")
        api = _Server(uvicorn.Config(_Breakable(market), uds=str(path), **_quiet(options.certificate)))
        async with proxy_to_socket(path, options.port) as link, market.notices, asyncio.TaskGroup() as tasks:
            app = control_app(market, lambda faults: _break_link(link, faults))
            control = _Server(uvicorn.Config(app, HOST, options.control_port, **_quiet(None)))
            handle_signals(lambda: _stop(api, control), None)
            tasks.create_task(api.serve(), name="api")
            tasks.create_task(control.serve(), name="control")
            await api.listening.wait()
            await control.listening.wait()
            scheme = "https" if options.certificate else "http"
            port = control.servers[0].sockets[0].getsockname()[1]
            ready(vendor, {"url": f"{scheme}://{HOST}:{link.port}", "control": f"http://{HOST}:{port}"})


def _break_link(link: Proxy, faults: Faults) -> None:
    """What the link did before is mended first; connections that lost something meanwhile are of no use any more."""
    link.heal()
    link.cut()
    if faults.down == "refuses":
        link.refuse()
    elif faults.down == "hangs":
        link.stall()
    elif faults.down == "half_open":
        link.half_open()


class _Breakable:
    """The vendor's API, or what stands in its place while it is broken."""

    def __init__(self, market: Marketplace) -> None:
        self._market = market

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(self._market.faults.slow_s)
        app: ASGIApp = self._market.api
        if self._market.faults.down == "html":
            app = HTMLResponse(PAGE)
        elif self._market.faults.down == "errors_in_200":
            app = JSONResponse(self._market.error_in_200())
        await app(scope, receive, send)


class _Server(uvicorn.Server):
    """Leaves signals to the process, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def _stop(*servers: uvicorn.Server) -> None:
    for server in servers:
        server.should_exit = True


def _quiet(certificate: Path | None) -> dict[str, Any]:
    return {
        "lifespan": "off",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "timeout_graceful_shutdown": GRACE_S,
        "ssl_certfile": certificate,
    }
