"""Opens connections to the database that takes writes, whichever of those named that is at the moment.

A server that is a standby, or lets nobody write, is as good as one that is away: whoever read there would call old
levels exact. One connector serves all engines of a process: what one connection finds out counts for all.
"""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine

from wire.database_parameters import SYSTEM_ROOTS
from wire.database_url import DatabaseUrl, Host, read_database_url

CONNECT_TIMEOUT_S = 5.0
HOST_TIMEOUT_S = 2.0
"""Where several hosts are named: a machine that is gone says nothing, and the next one is to be asked in time."""
COMMAND_TIMEOUT_S = 10
"""Longer than lock_timeout, so that the server's own, more precise error comes first."""

STANDING = "select pg_is_in_recovery(), current_setting('transaction_read_only')::bool"
"""What a connection speaks to: whether it is a standby, and whether it lets anybody write."""
STANDBY = "the database that was reached is a standby"
READ_ONLY = "the database that was reached is read-only"

NO_PRIMARY_STATES = frozenset(
    (
        "25006",  # read_only_sql_transaction
        "55000",  # object_not_in_prerequisite_state: what a standby says when it is asked where its log ends
    )
)
"""SQLSTATEs after which no connection made before is trusted. A shutdown ends its connections by itself."""

_AWAY = (OSError, TimeoutError, asyncpg.CannotConnectNowError, asyncpg.InternalClientError)
"""After which the next host is asked. A wrong password is no reason to."""
_DOUBTS = "stockwire.doubts"


class NoPrimary(ConnectionError):
    """The server answers and takes no writes. ``reason``: STANDBY or READ_ONLY."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Connector:
    """``doubts``: how often a server was found to be no primary any more. Connections from before are closed unused."""

    def __init__(self, url: str) -> None:
        """Raises SettingsError."""
        self._url = read_database_url(url)
        self._first = 0
        self.doubts = 0

    def doubt(self) -> None:
        self.doubts += 1

    async def connect(
        self, settings: Mapping[str, str], command_timeout_s: float | None = COMMAND_TIMEOUT_S
    ) -> asyncpg.Connection:
        """To the first host that takes writes, beginning with the one that did last.

        Raises NoPrimary, OSError, TimeoutError or an error of asyncpg: that of the last host, unless one of them
        was reached and is no primary.
        """
        hosts: tuple[Host | None, ...] = self._url.hosts or (None,)
        failed: Exception | None = None
        for offset in range(len(hosts)):
            number = (self._first + offset) % len(hosts)
            try:
                connection = await self._connect(hosts[number], len(hosts) > 1, settings, command_timeout_s)
            except _AWAY as error:
                failed = failed if isinstance(failed, NoPrimary) else error
            else:
                if number != self._first:
                    self._first = number
                    self.doubt()  # of what stands to the one before, which may have died without a word
                return connection
        assert failed is not None
        raise failed

    async def _connect(
        self, host: Host | None, several: bool, settings: Mapping[str, str], command_timeout_s: float | None
    ) -> asyncpg.Connection:
        url = self._url
        timeout_s = url.connect_timeout_s or (HOST_TIMEOUT_S if several else CONNECT_TIMEOUT_S)
        try:
            async with asyncio.timeout(timeout_s):
                connection: asyncpg.Connection = await asyncpg.connect(
                    dsn=_tls_dsn(url),
                    host=host.name or None if host else None,
                    port=host.port if host else None,
                    user=url.user,
                    password=url.password,
                    database=url.database,
                    passfile=url.passfile,
                    ssl=_tls(url),
                    server_settings={**settings, **url.session},
                    target_session_attrs="any",  # we ask ourselves, in words that work behind every pooler too
                    timeout=None,
                    command_timeout=command_timeout_s,
                )
                try:
                    standby, read_only = await connection.fetchrow(STANDING)
                    if standby or read_only:
                        raise NoPrimary(STANDBY if standby else READ_ONLY)
                except BaseException:
                    connection.terminate()
                    raise
                return connection
        except TimeoutError:
            raise TimeoutError(f"no answer from {_name(host)} within {timeout_s:g} s") from None

    def attend(self, engine: AsyncEngine) -> None:
        """Close connections of ``engine`` that are older than the last doubt, and doubt when an answer says to."""

        @event.listens_for(engine.sync_engine, "connect")
        def opened(_connection: object, record: Any) -> None:
            record.info[_DOUBTS] = self.doubts

        @event.listens_for(engine.sync_engine, "checkout")
        def taken(_connection: object, record: Any, _proxy: object) -> None:
            if record.info[_DOUBTS] != self.doubts:
                raise DisconnectionError("opened before the primary changed")

        @event.listens_for(engine.sync_engine, "handle_error")
        def failed(context: ExceptionContext) -> None:
            if getattr(context.original_exception, "sqlstate", None) in NO_PRIMARY_STATES:
                self.doubt()
                context.is_disconnect = True


def _tls_dsn(url: DatabaseUrl) -> str:
    """asyncpg takes files for TLS in a URL only."""
    given = {name: value for name, value in url.tls.items() if (name, value) != ("sslrootcert", SYSTEM_ROOTS)}
    return "postgresql://" + (f"?{urlencode(given)}" if given else "")


def _tls(url: DatabaseUrl) -> str | ssl.SSLContext | None:
    if url.tls.get("sslrootcert") != SYSTEM_ROOTS:
        return url.ssl_mode
    context = ssl.create_default_context()
    context.set_alpn_protocols(["postgresql"])
    return context


def _name(host: Host | None) -> str:
    return "the database" if host is None else f"{host.name}:{host.port}"
