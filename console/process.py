"""The parts of one console, and the order in which they start and stop."""

import asyncio
import socket
import time
from collections.abc import Callable
from pathlib import Path

from console.entry.origins import Origins, own_origins
from console.entry.sign_in import SignIn
from console.following.catalogue import Catalogue
from console.following.control import Control
from console.following.doctor import Doctor
from console.following.ledger import Ledger
from console.following.levels import Levels
from console.following.log import Log
from console.following.nodes import Nodes
from console.moments import text_of
from console.settings import Settings
from console.topics.figures import point_of
from console.topics.watch import Watch
from console.watched.history import EVERY_S, History
from console.web.app import WebParts, create_app
from console.web.board import Board
from console.web.live import MESSAGE_BYTES_MAX, Viewers
from console.web.pages import Pages
from server.http.server import HttpServer, create_http_server
from server.tls.certificate import Tls
from server.tls.handshakes import Handshakes
from stockwire import AsyncClient

STOP_S = 3
"""For answers under way after ``stop``; viewers are sent away at once."""
CONNECTIONS_MAX = 2_000
PING_S = 20.0
DOCTOR_FOR = ("launch", "problems")
"""Topics that show what the doctor finds, or lead to it."""


class Console:
    """``doctor``: the program `stockwire`, if it is here. ``run`` once, within a running loop. ``stop`` from a signal
    handler: safe at any time, and twice."""

    def __init__(
        self, settings: Settings, listener: socket.socket, tls: Tls | None = None, doctor: Path | None = None
    ) -> None:
        self._settings = settings
        self._listener = listener
        self._stopping = asyncio.Event()
        self._ledger = Ledger(settings.ledger_url, settings.key, settings.ledger_ca_file)
        self._client = AsyncClient(settings.ledger_url, settings.key, hubs=settings.hub_urls or None)
        self._levels = Levels(self._client)
        self._history = History()
        self.watch = Watch(
            ledger=self._ledger,
            levels=self._levels,
            log=Log(self._ledger),
            nodes=Nodes(settings.admin_urls, lambda: len(self._viewers) > 0, settings.ledger_ca_file),
            catalogue=Catalogue(self._client, self._named),
            doctor=Doctor(
                doctor,
                settings.data,
                lambda: self._viewers.looking_at(*DOCTOR_FOR),
            ),
            control=Control(settings.control),
            history=self._history,
        )
        self._viewers = Viewers(Board(self.watch), settings.viewers_max, self.watch.nodes.wake)
        self._sign_in = SignIn(
            self._ledger, settings.key, settings.session_hours * 3_600, settings.link, self._viewers.look_again
        )
        self._server = self._create_server(tls)

    def stop(self) -> None:
        self._stopping.set()

    async def run(self, announce: Callable[[], None]) -> None:
        """Until ``stop``. ``announce``: when it takes connections. Raises SettingsError if its key is no good."""
        async with self._ledger, self._client, asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(part, name=name)
                for name, part in {
                    "log": self.watch.log.run(),
                    "levels": self._levels.run(),
                    "nodes": self.watch.nodes.run(),
                    "catalogue": self.watch.catalogue.run(),
                    "doctor": self.watch.doctor.run(),
                    "control": self.watch.control.run(),
                    "history": self._keep_history(),
                    "sessions": self._sign_in.run(),
                }.items()
            ]
            serving = tasks.create_task(self._server.serve(sockets=[self._listener]), name="web")
            announce()
            await self._stopping.wait()
            self._viewers.stop()
            self._server.stop()
            await serving
            for task in running:
                task.cancel()

    def _named(self, names: dict[str, str]) -> None:
        self._levels.table.names = names

    async def _keep_history(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            now = time.time()
            self._history.add(point_of(self.watch, text_of(now), now))

    def _create_server(self, tls: Tls | None) -> HttpServer:
        settings = self._settings
        port = self._listener.getsockname()[1]
        scheme = "http" if tls is None else "https"
        origins = Origins(settings.origins or own_origins(scheme, settings.host, port))
        # People who come by plain HTTP, to this machine's own address, could not be given a Secure cookie
        encrypted = tls is not None or (settings.behind_proxy and origins.encrypted)
        app = create_app(
            WebParts(
                watch=self.watch,
                sign_in=self._sign_in,
                viewers=self._viewers,
                pages=Pages(),
                origins=origins,
                cookie=f"stockwire-console-{port}",  # cookies know no ports: two consoles on one machine
                encrypted=encrypted,
                trusted_proxies=settings.trusted_proxies,
            )
        )
        return create_http_server(
            app,
            "httptools",
            STOP_S,
            Handshakes(tls),
            ws="websockets-sansio",
            ws_max_size=MESSAGE_BYTES_MAX,
            ws_ping_interval=PING_S,
            ws_ping_timeout=PING_S,
            limit_concurrency=CONNECTIONS_MAX,
        )
