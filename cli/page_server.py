"""Serves the sample shop's page inside `stockwire up`."""

import contextlib
import socket
from collections.abc import Iterator

import httpx
import uvicorn

from cli.shop import Shop, create_shop
from cli.supervisor import SupervisorFailed
from stockwire import AsyncClient
from wire.backlog import BACKLOG


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are for `up`, which stops everything in order."""
        yield


async def serve_page(shop: Shop, client: AsyncClient, host: str, port: int) -> None:
    """Until cancelled. ``client`` stays the caller's to close."""
    try:
        listener = socket.create_server((host, port), backlog=BACKLOG)
    except OSError as error:
        raise SupervisorFailed(f"the page's port {port} was taken meanwhile ({error.strerror})") from error
    with listener:
        async with httpx.AsyncClient() as http:
            config = uvicorn.Config(
                create_shop(shop, client, http),
                backlog=BACKLOG,
                log_level="warning",
                access_log=False,
                lifespan="off",
                limit_concurrency=256,
                timeout_keep_alive=5,
                timeout_graceful_shutdown=2,
            )
            await _Server(config).serve(sockets=[listener])
