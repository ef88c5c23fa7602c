"""uvicorn, as ledger and hub run it: own sockets, with TLS or without, and signals left to the process."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Generator
from functools import partial

import uvicorn
from starlette.types import ASGIApp

from server.http.listening import BACKLOG
from server.tls.handshakes import Handshakes

KEEP_ALIVE_S = 75
"""Longer than clients and proxies keep an idle connection. The side that closes first should not be the server: a
request that is just being sent would be lost."""


class HttpServer(uvicorn.Server):
    """Leaves signals alone: uvicorn would raise SIGTERM again at its end and cut a shutdown short."""

    def __init__(self, config: uvicorn.Config, handshakes: Handshakes) -> None:
        super().__init__(config)
        self._handshakes = handshakes

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's own, whose TLS handshakes are any number and may take a minute."""

        def connection() -> asyncio.Protocol:
            kind: Callable[..., asyncio.Protocol] = self.config.http_protocol_class
            return kind(config=self.config, server_state=self.server_state, app_state={})

        loop = asyncio.get_running_loop()
        self.servers = [
            await loop.create_server(partial(self._handshakes.before, connection), sock=listener, backlog=BACKLOG)
            for listener in sockets or ()
        ]
        self.started = True

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    def stop(self) -> None:
        """Take no more connections and let ``serve`` end when the requests at hand are answered. Safe twice."""
        self.should_exit = True


def create_http_server(
    app: ASGIApp, connection: Callable[..., asyncio.Protocol], grace_s: int, handshakes: Handshakes
) -> HttpServer:
    """``connection`` makes the protocol of each; ``grace_s``: for requests at hand after ``stop``."""
    config = uvicorn.Config(
        app,
        loop="none",
        http=connection,  # type: ignore[arg-type]  # called to make a connection, and nothing else
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=grace_s,
    )
    return HttpServer(config, handshakes)
