"""The parts of one `stockwire relay`, and the order in which they start and stop."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

from followers.admin import create_admin_app
from followers.log.ledger import Ledger
from followers.relay.operated import OperatedRelay
from followers.relay.relaying import Relaying
from followers.relay.settings import KEY, Settings
from followers.relay.sink import Sink
from server.http.connection import BoundedConnection
from server.http.server import create_http_server
from server.tls.certificate import Tls
from server.tls.handshakes import Handshakes

SCOPES = ("feed", "stock:read:*")
"""What its key needs: the log, and the levels of every location."""
MAKE_KEY = "stockwire key create relay --scope feed --scope 'stock:read:*'"
ANSWER_S = 3
"""For requests at hand after ``stop``."""


def ledger_of(url: str, key: str, ca_file: Path | None = None) -> Ledger:
    """Says which setting ``key`` comes from, and how one is made that will do."""
    return Ledger(url, key, ca_file, setting=KEY, make_key=MAKE_KEY)


class Relay:
    """``run`` once, within a running loop. ``stop`` from a signal handler: safe at any time, and twice."""

    def __init__(self, settings: Settings, sink: Sink, tls: Tls | None = None) -> None:
        self._stopping = asyncio.Event()
        self._ledger = ledger_of(settings.ledger_url, settings.key, settings.ledger_ca_file)
        self.relaying = Relaying(self._ledger, sink, settings.system)
        handshakes = Handshakes(tls)
        operated = OperatedRelay(self.relaying, settings.sink, settings.broker.address.kind, handshakes)
        app = create_admin_app("relay", [operated], operated, self._why_not_ready)
        self._server = create_http_server(app, BoundedConnection, ANSWER_S, handshakes)

    def stop(self) -> None:
        self._stopping.set()

    async def run(self, listener: socket.socket, announce: Callable[[], None]) -> None:
        """Until ``stop``. ``announce``: when it serves. Raises a group of SettingsError if its key is no good."""
        async with self._ledger, asyncio.TaskGroup() as tasks:
            relaying = tasks.create_task(self.relaying.run(), name="relaying")
            serving = tasks.create_task(self._server.serve(sockets=[listener]), name="web")
            announce()
            await self._stopping.wait()
            relaying.cancel()
            self._server.stop()
            await serving

    async def _why_not_ready(self) -> str | None:
        if self._stopping.is_set():
            return "this relay stops"
        return next(iter(self.relaying.why_not()), None)
