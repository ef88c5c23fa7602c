"""One ledger process: makes its parts, and starts and stops them in order."""

import asyncio
import logging
import resource
import socket
from collections.abc import Callable
from functools import partial

from ledger import migrations
from ledger.access.hub_callers import HubCallers
from ledger.admin import create_admin_app
from ledger.commit.writers import Writers
from ledger.database.connector import Connector
from ledger.database.engine import COMMIT_SETTINGS, LEDGER_SETTINGS, create_engine
from ledger.feed.heads import Heads
from ledger.feed.long_polls import LongPolls
from ledger.feed.publisher import Publisher
from ledger.holds.sweeper import Sweeper, expire_operation
from ledger.http.admission import InFlight
from ledger.http.app import create_app, create_waiting_app
from ledger.http.parts import Parts
from ledger.http.serving import Gate, create_server
from ledger.migrations import marks
from ledger.readiness import NoDatabase, Readiness
from ledger.settings import Settings
from server.http.connection_table import ConnectionTable
from server.http.problems import Problems
from server.http.request_times import RequestTimes
from server.rates.rate_limits import RateLimits
from server.settings.environment import SettingsError
from server.tls.certificate import Tls
from server.tls.handshakes import Handshakes
from server.tokens.keys import FixedKeys
from server.tokens.signing_keys import public_keys_of
from server.tokens.verifier import Verifier
from server.tracing.tracing import tracing_of

FILES_BESIDE = 200
"""Open files of a ledger beside its clients' connections: those to the database and the broker, libraries, the log."""

WILDCARDS = ("0.0.0.0", "::")

log = logging.getLogger(__name__)


class LedgerProcess:
    """``run`` once. ``stop`` from a signal handler: safe at any time, and twice."""

    def __init__(self, settings: Settings, url: str, tls: Tls | None = None, admin_tls: Tls | None = None) -> None:
        """``tls``, ``admin_tls``: of the API's port and of the admin port."""
        if settings.public_url is None and settings.host in WILDCARDS:
            log.warning(
                "discovery names an address that no client reaches url=%s fix=%r",
                url,
                "set STOCKWIRE_LEDGER_PUBLIC_URL",
            )
        ours = migrations.this_ledger()
        self._connector = connector = Connector(settings.database_url, partial(marks.admit, ours))
        read_engine = create_engine(connector, settings.read_connections, LEDGER_SETTINGS)
        publisher = Publisher(settings.redis_url, settings.channel_prefix)
        heads = Heads(connector, COMMIT_SETTINGS, publisher)
        self._readiness = Readiness(connector, read_engine, heads, settings.database_wait_s)
        self._contracted: marks.Contracted | None = None
        hub_callers = HubCallers()
        self._parts = Parts(
            settings=settings,
            url=settings.public_url or url,
            versions={"version": ours.version, "schema": ours.knows},
            why_not_ready=self._readiness.why_not,
            read_engine=read_engine,
            publisher=publisher,
            heads=heads,
            verifier=Verifier(settings.tokens, FixedKeys(public_keys_of(settings.signing_keys))),
            problems=Problems(),
            request_times=RequestTimes(),
            long_polls=LongPolls(),
            rate_limits=RateLimits(settings.rate_per_s, settings.redis_url, settings.channel_prefix, "ledger"),
            hub_callers=hub_callers,
            in_flight=InFlight(settings.in_flight_max, hub_callers),
            connections=_connection_table(settings),
            handshakes=Handshakes(tls),
            admin_handshakes=Handshakes(admin_tls),
            tracing=tracing_of(settings.tracing, "stockwire-ledger", socket.gethostname()),
        )
        waiting = create_waiting_app(self._parts)
        self._gate, self._admin_gate = Gate(waiting), Gate(waiting)
        self._server = create_server(
            self._gate,
            self._parts.connections,
            hub_callers,
            self._parts.handshakes,
            ordinary=lambda: self._gate.ordinary,
        )
        self._admin_server = create_server(self._admin_gate, handshakes=self._parts.admin_handshakes)

    def stop(self) -> None:
        """Not ready from now on; requests at hand are answered, long polls at once."""
        self._readiness.stop()
        self._parts.long_polls.close()
        self._server.stop()

    async def run(self, listener: socket.socket, admin_listener: socket.socket, announce: Callable[[], None]) -> None:
        """Until ``stop``. ``announce`` is called when requests are taken. Raises NoDatabase or SettingsError."""
        try:
            async with asyncio.TaskGroup() as tasks:
                serving = tasks.create_task(self._server.serve(sockets=[listener]), name="http")
                tasks.create_task(self._admin_server.serve(sockets=[admin_listener]), name="admin")
                verifying = tasks.create_task(self._parts.verifier.run(), name="issuers")
                publishing = tasks.create_task(self._parts.publisher.run(), name="publisher")
                await self._run_commits(tasks, serving, announce)
                verifying.cancel()
                self._parts.publisher.stop()
                await publishing
                self._admin_server.stop()
        except* (NoDatabase, SettingsError) as group:
            raise group.exceptions[0] from None
        finally:
            await self._parts.read_engine.dispose()
            await self._parts.heads.close()
            if self._parts.tracing is not None:
                await asyncio.to_thread(self._parts.tracing.close)
        if self._contracted is not None:
            raise NoDatabase(self._contracted.reason)

    async def _run_commits(
        self, tasks: asyncio.TaskGroup, serving: asyncio.Task[None], announce: Callable[[], None]
    ) -> None:
        if not await self._readiness.wait_for_database():
            await serving
            return
        heads = self._parts.heads
        beating = tasks.create_task(self._beat(), name="heads")
        limiting = tasks.create_task(self._parts.rate_limits.run(), name="rate limits")
        shards = len(heads.heads)
        writers = Writers(
            self._connector,
            COMMIT_SETTINGS,
            shards,
            heads,
            self._parts.publisher,
            expire=expire_operation,
            limits=self._parts.settings.hold_limits,
            tracing=self._parts.tracing,
        )
        committing = tasks.create_task(writers.run(), name="writers")
        sweeper = Sweeper(self._parts.read_engine, writers)
        sweeping = tasks.create_task(sweeper.run(), name="sweeper")
        self._open(writers, sweeper)
        if not self._readiness.stopping:  # a signal during the start: the listeners may be closed already
            announce()
        await serving
        # The last request has its answer, unless it was cut off: what the writers took is finished even then.
        log.info("stopping queued_lines=%d", writers.queued_lines)
        sweeping.cancel()
        writers.stop()
        await committing
        beating.cancel()
        limiting.cancel()

    async def _beat(self) -> None:
        """Until cancelled, or the database was contracted while this ledger had no connection: then it stops."""
        try:
            await self._parts.heads.run()
        except marks.Contracted as error:
            self._contracted = error
            self.stop()

    def _open(self, writers: Writers, sweeper: Sweeper) -> None:
        self._admin_gate.app = create_admin_app(self._parts, writers, sweeper)
        self._gate.app, self._gate.ordinary = create_app(self._parts, writers)
        self._readiness.open()


def _connection_table(settings: Settings) -> ConnectionTable:
    connections_max = _connections_max(settings.connections_max)
    return ConnectionTable(connections_max, settings.connections_per_address_max, settings.trusted_proxies)


def _connections_max(wanted: int) -> int:
    """No more than the process may open files for: without a file, nothing could be answered, hubs included."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    possible = wanted if files == resource.RLIM_INFINITY else max(1, files - FILES_BESIDE)
    if possible < wanted:
        log.warning(
            "fewer connections are taken than set taken=%d set=%d open_files=%d fix=%r",
            possible,
            wanted,
            files,
            "let the process open more files, or set STOCKWIRE_LEDGER_CONNECTIONS_MAX lower",
        )
    return min(wanted, possible)
