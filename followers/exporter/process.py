"""The parts of one `stockwire exporter`, and the order in which they start and stop."""

import asyncio
import logging
import socket
from collections.abc import Callable
from pathlib import Path

from followers.admin import create_admin_app
from followers.exporter.following import Following
from followers.exporter.operated import OperatedExporter
from followers.exporter.settings import KEY, Settings
from followers.log.ledger import Ledger
from server.http.connection import BoundedConnection
from server.http.server import create_http_server
from server.tls.certificate import Tls
from server.tls.handshakes import Handshakes

SCOPES = ("feed", "stock:read:*")
"""What its key needs: the log, and the levels of every location."""
MAKE_KEY = "stockwire key create exporter --scope feed --scope 'stock:read:*'"
TELL_EVERY_S = 1.0
"""One line of the log for each invariant that was broken meanwhile, however often."""
ANSWER_S = 3
"""For requests at hand after ``stop``."""

log = logging.getLogger(__name__)


def ledger_of(url: str, key: str, ca_file: Path | None = None) -> Ledger:
    """Says which setting ``key`` comes from, and how one is made that will do."""
    return Ledger(url, key, ca_file, setting=KEY, make_key=MAKE_KEY)


class Exporter:
    """``run`` once, within a running loop. ``stop`` from a signal handler: safe at any time, and twice."""

    def __init__(self, settings: Settings, tls: Tls | None = None) -> None:
        self._stopping = asyncio.Event()
        self._ledger = ledger_of(settings.ledger_url, settings.key, settings.ledger_ca_file)
        self.following = Following(self._ledger, settings.levels_max, from_start=settings.from_start)
        handshakes = Handshakes(tls)
        operated = OperatedExporter(self.following, settings.hottest, settings.skus, handshakes)
        app = create_admin_app("audit", [operated], operated, self._why_not_ready)
        self._server = create_http_server(app, BoundedConnection, ANSWER_S, handshakes)

    def stop(self) -> None:
        self._stopping.set()

    async def run(self, listener: socket.socket, announce: Callable[[], None]) -> None:
        """Until ``stop``. ``announce``: when it serves. Raises a group of SettingsError if its key is no good."""
        async with self._ledger, asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(self.following.run(), name="following"),
                tasks.create_task(self._tell(), name="telling"),
            ]
            serving = tasks.create_task(self._server.serve(sockets=[listener]), name="web")
            announce()
            await self._stopping.wait()
            for task in running:
                task.cancel()
            self._server.stop()
            await serving

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(TELL_EVERY_S)
            for invariant, (count, newest) in self.following.violations.untold().items():
                log.error("an invariant is broken invariant=%s times=%d last=%r", invariant, count, str(newest))

    async def _why_not_ready(self) -> str | None:
        if self._stopping.is_set():
            return "this exporter stops"
        away = self.following.away
        return None if away is None else f"the log is not followed: {away}"
