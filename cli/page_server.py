"""Serves the sample shop's page inside `stockwire up`."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator

import httpx
import uvicorn

from cli.shop import Shop, create_shop
from cli.supervisor import SupervisorFailed
from server.http.listening import BACKLOG
from stockwire import AsyncClient

CONNECTIONS_MAX = 256  # one shop's page on one machine
STOP_TIMEOUT_S = 2
LOGGER = "uvicorn.error"
"""Where the page's server tells what went wrong; `up` shows it on its screen."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are for `up`, which stops everything in order."""
        yield


async def serve_page(shop: Shop, client: AsyncClient, host: str, port: int) -> None:
    """Until cancelled; then what was asked is answered first, for at most STOP_TIMEOUT_S. ``client`` stays the caller's
    to close, afterwards."""
    try:
        listener = socket.create_server((host, port), backlog=BACKLOG)
    except OSError as error:
        raise SupervisorFailed(f"the page's port {port} was taken meanwhile ({error.strerror})") from error
    async with httpx.AsyncClient() as http:
        server = _Server(
            uvicorn.Config(
                create_shop(shop, client, http),
                log_config=None,
                log_level="warning",
                access_log=False,
                lifespan="off",
                backlog=BACKLOG,  # it listens again, on the socket that it is given
                limit_concurrency=CONNECTIONS_MAX,
                timeout_keep_alive=5,
                timeout_graceful_shutdown=STOP_TIMEOUT_S,
            )
        )
        serving = asyncio.ensure_future(server.serve(sockets=[listener]))
        try:
            # Cut off in the middle it would leave its connections open, and the next request finds no client
            await asyncio.shield(serving)
        finally:
            logging.getLogger(LOGGER).setLevel(logging.CRITICAL)  # whom we leave unanswered now is no failure
            server.should_exit = True
            await serving
