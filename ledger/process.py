"""The parts of a ledger process, and the order in which they start and stop."""

import asyncio
import logging
import resource
import socket
import time
from collections.abc import Callable

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import migrations
from ledger.admin import MetricRoutes, create_admin_app
from ledger.admission import InFlight
from ledger.app import create_app, create_waiting_app
from ledger.connection_table import ConnectionTable
from ledger.connector import READ_ONLY, STANDBY, STANDING, Connector
from ledger.database import COMMIT_SETTINGS, create_engine
from ledger.heads import Heads
from ledger.hub_callers import HubCallers
from ledger.long_polls import LongPolls
from ledger.metrics import LedgerCollector
from ledger.publisher import Publisher
from ledger.reading import reading
from ledger.serving import Gate, create_server
from ledger.settings import Settings
from ledger.writers import Writers
from server.http.problems import Problems
from server.problems import Unavailable
from server.rates.rate_limits import RateLimits
from server.settings.database_parameters import SETTING
from server.settings.environment import SettingsError
from server.tls.certificate import Tls
from server.tls.handshakes import Handshakes
from server.tokens.keys import FixedKeys
from server.tokens.signing_keys import public_keys_of
from server.tokens.verifier import Verifier

DATABASE_POLL_S = 0.2
LOG_EVERY_S = 5.0
COMMIT_CONNECTIONS_MAX = migrations.SHARDS_MAX + 2
"""One for each writer, one for the writer across shards, one for the heads. Opened when needed."""

FILES_BESIDE = 200
"""Open files of a ledger beside its clients' connections: those to the database and the broker, libraries, the log."""

WILDCARDS = ("0.0.0.0", "::")

_STANDING = text(STANDING)

log = logging.getLogger(__name__)


class NoDatabase(Exception):
    """The database did not come, or was not migrated, within the time that the settings allow."""


class LedgerProcess:
    """``run`` once. ``stop`` from a signal handler: safe at any time, and twice."""

    def __init__(self, settings: Settings, url: str, tls: Tls | None = None, admin_tls: Tls | None = None) -> None:
        """``tls``, ``admin_tls``: of the API's port and of the admin port."""
        self._settings = settings
        self._url = settings.public_url or url
        if settings.public_url is None and settings.host in WILDCARDS:
            log.warning("discovery names %s, where no client gets through: set STOCKWIRE_LEDGER_PUBLIC_URL", url)
        self._publisher = Publisher(settings.redis_url, settings.channel_prefix)
        # Commits and heads never wait for a connection behind reads.
        self._connector = Connector(settings.database_url)
        self._commit_engine = create_engine(self._connector, COMMIT_CONNECTIONS_MAX, COMMIT_SETTINGS)
        self._read_engine = create_engine(self._connector, settings.read_connections)
        self._heads = Heads(self._commit_engine, self._connector, self._publisher)
        self._verifier = Verifier(settings.tokens, FixedKeys(public_keys_of(settings.signing_keys)))
        self._problems = Problems()
        self._long_polls = LongPolls()
        self._rate_limits = RateLimits(settings.rate_per_s, settings.redis_url, settings.channel_prefix, "ledger")
        self._hub_callers = HubCallers()
        self._in_flight = InFlight(settings.in_flight_max, self._hub_callers)
        self._connections = ConnectionTable(
            _connections_max(settings.connections_max), settings.connections_per_address_max, settings.trusted_proxies
        )
        self._waiting_for: str | None = "the database has not been reached yet"
        self._database_said = ""  # for whoever runs this ledger, and not for its clients
        self._stopping = asyncio.Event()
        waiting = create_waiting_app(self._problems, self.why_not_ready)
        self._gate, self._admin_gate = Gate(waiting), Gate(waiting)
        self._handshakes = handshakes, admin_handshakes = Handshakes(tls), Handshakes(admin_tls)
        self._server = create_server(self._gate, self._connections, self._hub_callers, handshakes)
        self._admin_server = create_server(self._admin_gate, handshakes=admin_handshakes)

    def stop(self) -> None:
        """Not ready from now on; requests at hand are answered, long polls at once."""
        self._stopping.set()
        self._long_polls.close()
        self._server.stop()

    async def run(self, listener: socket.socket, admin_listener: socket.socket, announce: Callable[[], None]) -> None:
        """Until ``stop``. ``announce`` is called when requests are taken. Raises NoDatabase or SettingsError."""
        try:
            async with asyncio.TaskGroup() as tasks:
                serving = tasks.create_task(self._server.serve(sockets=[listener]), name="http")
                tasks.create_task(self._admin_server.serve(sockets=[admin_listener]), name="admin")
                verifying = tasks.create_task(self._verifier.run(), name="issuers")
                publishing = tasks.create_task(self._publisher.run(), name="publisher")
                await self._run_commits(tasks, serving, announce)
                verifying.cancel()
                self._publisher.stop()
                await publishing
                self._admin_server.stop()
        except* (NoDatabase, SettingsError) as group:
            raise group.exceptions[0] from None
        finally:
            await self._read_engine.dispose()
            await self._commit_engine.dispose()

    async def _run_commits(
        self, tasks: asyncio.TaskGroup, serving: asyncio.Task[None], announce: Callable[[], None]
    ) -> None:
        if not await self._wait_for_database():
            await serving
            return
        beating = tasks.create_task(self._heads.run(), name="heads")
        limiting = tasks.create_task(self._rate_limits.run(), name="rate limits")
        writers = Writers(self._commit_engine, len(self._heads.heads), self._heads, self._publisher)
        committing = tasks.create_task(writers.run(), name="writers")
        self._open(writers)
        if not self._stopping.is_set():  # a signal during the start: the listeners may be closed already
            announce()
        await serving
        # The last request has its answer, unless it was cut off: what the writers took is finished even then.
        log.info("stopping queued_lines=%d", writers.queued_lines)
        writers.stop()
        await committing
        beating.cancel()
        limiting.cancel()

    def _open(self, writers: Writers) -> None:
        collector = LedgerCollector(
            writers,
            self._publisher,
            self._heads,
            self._problems,
            self._long_polls,
            self._rate_limits,
            self._in_flight,
            self._connections,
            self._handshakes,
        )
        metrics = MetricRoutes(self._read_engine, collector)
        self._admin_gate.app = create_admin_app(metrics, self._problems, self.why_not_ready)
        self._gate.app = create_app(
            self._settings,
            self._read_engine,
            url=self._url,
            verifier=self._verifier,
            writers=writers,
            heads=self._heads,
            publisher=self._publisher,
            problems=self._problems,
            long_polls=self._long_polls,
            rate_limits=self._rate_limits,
            hub_callers=self._hub_callers,
            in_flight=self._in_flight,
            why_not_ready=self.why_not_ready,
        )
        self._waiting_for = None

    async def why_not_ready(self) -> str | None:
        if self._stopping.is_set():
            return "the ledger is stopping"
        if self._waiting_for is None:
            try:
                async with reading(self._read_engine) as connection:
                    await self._refuse_standby(connection)
            except Unavailable as error:
                return error.detail
        return self._waiting_for

    async def _refuse_standby(self, connection: AsyncConnection) -> None:
        """Raises NoPrimary. A connection that stands may have come to speak to another server, behind a pooler."""
        standby, read_only = (await connection.execute(_STANDING)).one()
        if standby or read_only:
            self._connector.deny(connection, STANDBY if standby else READ_ONLY)

    async def _wait_for_database(self) -> bool:
        """False if the ledger is to stop before. Raises NoDatabase or SettingsError."""
        ends_at = time.monotonic() + self._settings.database_wait_s
        logged_at = 0.0
        while not self._stopping.is_set():
            self._waiting_for = await self._missing_of_database()
            if self._waiting_for is None:
                return True
            if time.monotonic() > ends_at:
                waited_s = self._settings.database_wait_s
                raise NoDatabase(f"{self._waiting_for} (waited {waited_s:g} s; {self._database_said})")
            if time.monotonic() - logged_at > LOG_EVERY_S:
                logged_at = time.monotonic()
                log.warning("waiting: %s reason=%r", self._waiting_for, self._database_said)
            await asyncio.sleep(DATABASE_POLL_S)
        return False

    async def _missing_of_database(self) -> str | None:
        """What keeps this ledger from working on the database; None if nothing does. Reads the heads."""
        try:
            async with reading(self._read_engine) as connection:
                await self._refuse_standby(connection)
            async with reading(self._read_engine) as connection:
                current = await migrations.is_current_on(connection)
            self._database_said = "it was reached"
            if not current:
                return "the database is not at this version's schema: run `stockwire migrate`"
            async with reading(self._commit_engine) as connection:
                await self._heads.read(connection)
        except Unavailable as error:
            if isinstance(error.__cause__, asyncpg.ClientConfigurationError):
                raise SettingsError(f"{SETTING}: {first_line(error.__cause__)}") from None
            self._database_said = first_line(error.__cause__)
            return f"{error.detail}: start it, or set STOCKWIRE_DATABASE_URL"
        return None


def first_line(error: BaseException | None) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def _connections_max(wanted: int) -> int:
    """No more than the process may open files for: without a file, nothing could be answered, hubs included."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    possible = wanted if files == resource.RLIM_INFINITY else max(1, files - FILES_BESIDE)
    if possible < wanted:
        log.warning(
            "at most %d connections, not %d: %d files may be open. Raise that limit, or set"
            " STOCKWIRE_LEDGER_CONNECTIONS_MAX lower",
            possible,
            wanted,
            files,
        )
    return min(wanted, possible)
