"""uvicorn, as ledger and hub run it: own sockets, with TLS or without, and signals left to the process."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from server.http.listening import BACKLOG
from server.tls.handshakes import Handshakes

KEEP_ALIVE_S = 75
"""Longer than clients and proxies keep an idle connection. The side that closes first should not be the server: a
request that is just being sent would be lost."""
TICK_S = 1.0
"""Between two dates in the headers of answers, which tell seconds."""

log = logging.getLogger(__name__)


class OpenConnections(set[Any]):
    """As uvicorn keeps them; ``none`` is set while there are none."""

    def __init__(self) -> None:
        super().__init__()
        self.none = asyncio.Event()
        self.none.set()

    def add(self, connection: Any) -> None:
        super().add(connection)
        self.none.clear()

    def discard(self, connection: Any) -> None:
        super().discard(connection)
        if not self:
            self.none.set()


class HttpServer(uvicorn.Server):
    """Stops as soon as it may: uvicorn looks every 0.1 s whether it should end, and again whether it has ended.

    Leaves signals alone: uvicorn would raise SIGTERM again at its end and cut a shutdown short.
    """

    def __init__(self, config: uvicorn.Config, handshakes: Handshakes) -> None:
        super().__init__(config)
        self._handshakes = handshakes
        self._stopping = asyncio.Event()
        self._connections = OpenConnections()
        self.server_state.connections = self._connections

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
        self._stopping.set()

    async def main_loop(self) -> None:
        """Until ``stop``. The headers of answers are made anew with each tick."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), TICK_S)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listener in sockets or ():
            listener.close()
        for connection in list(self._connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(self.config.timeout_graceful_shutdown):
                await self._answered()
        except TimeoutError:
            log.error("requests were cut off at the end of their grace requests=%d", len(self.server_state.tasks))
            for task in self.server_state.tasks:
                task.cancel()

    async def _answered(self) -> None:
        """Until every request at hand is, and its connection closed."""
        await self._connections.none.wait()
        while tasks := self.server_state.tasks:
            await asyncio.wait(tasks)
        for server in self.servers:
            await server.wait_closed()


def create_http_server(
    app: ASGIApp,
    connection: Callable[..., asyncio.Protocol] | str,
    grace_s: int,
    handshakes: Handshakes,
    **more: Any,
) -> HttpServer:
    """``connection`` makes the protocol of each, or names one of uvicorn's; ``grace_s``: for requests at hand after
    ``stop``; ``more``: of uvicorn's own options. WebSockets are not served unless it says how (``ws``).
    """
    config = uvicorn.Config(
        app,
        loop="none",
        http=connection,  # type: ignore[arg-type]  # called to make a connection, and nothing else
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=grace_s,
        **{"ws": "none", **more},
    )
    return HttpServer(config, handshakes)
