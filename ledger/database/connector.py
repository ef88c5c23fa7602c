"""Opens connections to the database that takes writes: of those that the URL names, the one that is it now.

A server that is a standby, or lets nobody write, is as good as one that is away: whoever read there would call old
levels exact. One connector serves all engines of a process: what one connection finds out counts for all.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NoReturn

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from server.settings.database_url import Host, read_database_url

CONNECT_TIMEOUT_S = 5.0
HOST_TIMEOUT_S = 2.0
"""At most, where several hosts are named: a machine that is gone says nothing, and the next is to be asked in time."""
COMMAND_TIMEOUT_S = 10
"""Longer than lock_timeout, so that the server's own, more precise error comes first."""

STANDING = "select pg_is_in_recovery(), current_setting('transaction_read_only')::bool"
"""What a connection speaks to: whether it is a standby, and whether it lets anybody write."""
STANDBY = "the database that was reached is a standby"
READ_ONLY = "the database that was reached is read-only"
_FIXES = {
    STANDBY: "name the primary, or all servers: postgresql://user@host1,host2/database finds the one that takes writes",
    READ_ONLY: "take default_transaction_read_only back, which the server, the database or the role has set,"
    " or name a server that takes writes",
}

NO_PRIMARY_STATES = frozenset(
    (
        "25006",  # read_only_sql_transaction
        "55000",  # object_not_in_prerequisite_state: what a standby says when it is asked where its log ends
    )
)
"""SQLSTATEs after which no connection made before is trusted. A shutdown ends its connections by itself."""

_AWAY = (
    OSError,  # TimeoutError among them
    asyncpg.OperatorInterventionError,  # it is being started or stopped
    asyncpg.PostgresConnectionError,  # it accepts and closes, as a front does whose server is gone
    asyncpg.InternalClientError,
)
"""After which the next host is asked. A wrong password is no reason to."""
_SEEN = "stockwire.doubts"
_REPLACED = "stockwire.replaced"


class Unusable(ConnectionError):
    """The server answers, and cannot be worked with: ``reason``, for clients as well."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NoPrimary(Unusable):
    """It takes no writes. ``reason``: STANDBY or READ_ONLY; ``fix``: what to do about it."""

    @property
    def fix(self) -> str:
        return _FIXES[self.reason]


class CheckedConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg comes without types
    """``seen``: how many doubts the connector had when this connection asked its server whether it takes writes."""

    seen: int


Admit = Callable[[CheckedConnection], Awaitable[None]]


class Connector:
    """``doubts``: how often a server was found to be no primary any more. Connections from before are closed unused."""

    def __init__(self, url: str, admit: Admit | None = None) -> None:
        """``admit``: asked about each new connection to a primary; it may raise Unusable. Raises SettingsError."""
        self._url = read_database_url(url)
        self._admit = admit
        self._hosts: tuple[Host | None, ...] = self._url.hosts or (None,)
        self._primary = 0  # the last that took writes
        self._next = 0  # asked first; moves past a silent host, since a caller may have time for one host only
        self.doubts = 0

    def doubt(self, seen: int) -> None:
        """A connection with this ``seen`` met no primary: it and all that are as old are closed before their next use.

        Connections that fail together have the same ``seen``, and make one doubt.
        """
        self.doubts = max(self.doubts, seen + 1)

    def deny(self, seen: int, reason: str) -> NoReturn:
        """A connection with this ``seen`` speaks to no primary. Raises NoPrimary."""
        self.doubt(seen)
        raise NoPrimary(reason)

    async def connect(
        self, settings: Mapping[str, str], command_timeout_s: float | None = COMMAND_TIMEOUT_S
    ) -> CheckedConnection:
        """Connects to the first host that takes writes, beginning with the last that did, or behind a silent host.

        Raises Unusable, OSError, TimeoutError or an error of asyncpg: that of the last host, unless one of them
        was reached and cannot be worked with.
        """
        failed: Exception | None = None
        first = self._next  # others may move it while we wait
        for offset in range(len(self._hosts)):
            number = (first + offset) % len(self._hosts)
            try:
                connection = await self._connect(number, settings, command_timeout_s)
            except asyncio.CancelledError:
                self._pass_over(number)
                raise
            except _AWAY as error:
                if isinstance(error, Unusable) and not isinstance(error, NoPrimary):
                    raise  # the primary has answered, and it is not for us: no other host may
                self._pass_over(number)
                failed = failed if isinstance(failed, Unusable) else error
            else:
                self._next = number
                return connection
        assert failed is not None
        raise failed

    def _pass_over(self, number: int) -> None:
        if self._next == number:
            self._next = (number + 1) % len(self._hosts)

    async def _connect(
        self, number: int, settings: Mapping[str, str], command_timeout_s: float | None
    ) -> CheckedConnection:
        url, host = self._url, self._hosts[number]
        timeout_s = url.connect_timeout_s or CONNECT_TIMEOUT_S
        if len(self._hosts) > 1:
            timeout_s = min(timeout_s, HOST_TIMEOUT_S)
        try:
            async with asyncio.timeout(timeout_s):
                connection: CheckedConnection = await asyncpg.connect(
                    dsn=url.tls_dsn,
                    host=host.name or None if host else None,
                    port=host.port if host else None,
                    user=url.user,
                    password=url.password,
                    database=url.database,
                    passfile=url.passfile,
                    ssl=url.ssl(),
                    server_settings={**settings, **url.session},
                    target_session_attrs="any",  # we ask ourselves, in words that work behind every pooler too
                    timeout=None,
                    command_timeout=command_timeout_s,
                    connection_class=CheckedConnection,
                )
                try:
                    await self._check(number, connection)
                    if self._admit is not None:
                        await self._admit(connection)
                except BaseException:
                    connection.terminate()
                    raise
                return connection
        except TimeoutError:
            raise TimeoutError(f"no answer from {_name(host)} within {timeout_s:g} s") from None

    async def _check(self, number: int, connection: CheckedConnection) -> None:
        """Raises NoPrimary. A doubt that comes while the answer is under way counts for this connection too."""
        seen = self.doubts
        standby, read_only = await connection.fetchrow(STANDING)
        if standby or read_only:
            if number == self._primary:
                self.doubt(seen)  # of what stands there from before
            raise NoPrimary(STANDBY if standby else READ_ONLY)
        if number != self._primary:
            self._primary = number
            self.doubts += 1  # of what stands to the one before, which may have died without a word; not of this one
            seen += 1
        connection.seen = seen

    def attend(self, engine: AsyncEngine) -> None:
        """Closes connections of ``engine`` older than the last doubt, and doubts when an error says: no primary."""

        @event.listens_for(engine.sync_engine, "connect")
        def opened(connection: Any, record: Any) -> None:
            record.info[_SEEN] = connection.driver_connection.seen

        @event.listens_for(engine.sync_engine, "checkout")
        def taken(_connection: object, record: Any, _proxy: object) -> None:
            replaced = record.record_info.pop(_REPLACED, False)
            if record.info[_SEEN] != self.doubts:
                if replaced:  # SQLAlchemy would say that we misuse it, and nobody takes that for an outage
                    raise ConnectionError("the primary changed once more while it was connected to")
                record.record_info[_REPLACED] = True
                raise DisconnectionError("opened before the primary changed")

        @event.listens_for(engine.sync_engine, "handle_error")
        def failed(context: ExceptionContext) -> None:
            if getattr(context.original_exception, "sqlstate", None) in NO_PRIMARY_STATES:
                self.doubt(context.connection.info[_SEEN] if context.connection else self.doubts)
                context.is_disconnect = True


def seen_of(connection: AsyncConnection) -> int:
    """``connection``: of an engine that is attended to."""
    seen: int = connection.info[_SEEN]
    return seen


def _name(host: Host | None) -> str:
    return "the database" if host is None else f"{host.name}:{host.port}"
