"""The parts of one `stockwire intake`, and the order in which they start and stop."""

import asyncio
import socket
from collections.abc import Callable

from followers.admin import create_admin_app
from followers.intake.applying import Applying
from followers.intake.consuming import Consuming
from followers.intake.ledger import CommandLedger
from followers.intake.operated import OperatedIntake
from followers.intake.settings import Settings
from followers.intake.sources import source_of
from server.http.connection import BoundedConnection
from server.http.server import create_http_server
from server.tls.certificate import Tls
from server.tls.handshakes import Handshakes

SCOPES = ("stock:write:*",)
"""What its key needs: to write wherever a command may."""
ANSWER_S = 3
"""For requests at hand after ``stop``."""


class Intake:
    """``run`` once, within a running loop. ``stop`` from a signal handler: safe at any time, and twice."""

    def __init__(self, settings: Settings, tls: Tls | None = None) -> None:
        """Raises SettingsError."""
        self._stopping = asyncio.Event()
        self._ledger = CommandLedger(settings.ledger_url, settings.key, settings.ledger_ca_file)
        self.applying = Applying(self._ledger, settings.system)
        self.consuming = Consuming(source_of(settings), self.applying)
        handshakes = Handshakes(tls)
        self.operated = OperatedIntake(self.applying, self.consuming, handshakes)
        app = create_admin_app("intake", [self.operated], self.operated, self._why_not_ready)
        self._server = create_http_server(app, BoundedConnection, ANSWER_S, handshakes)

    def stop(self) -> None:
        self._stopping.set()

    async def run(self, listener: socket.socket, announce: Callable[[], None]) -> None:
        """Until ``stop``. ``announce``: when it serves."""
        async with self._ledger, asyncio.TaskGroup() as tasks:
            consuming = tasks.create_task(self.consuming.run(self._stopping), name="consuming")
            serving = tasks.create_task(self._server.serve(sockets=[listener]), name="web")
            announce()
            await consuming
            self._server.stop()
            await serving

    async def _why_not_ready(self) -> str | None:
        if self._stopping.is_set():
            return "this intake stops"
        if away := self.consuming.away:
            return f"no commands come from the broker: {away}"
        return self.applying.trouble and f"no commands are taken: {self.applying.trouble}"
