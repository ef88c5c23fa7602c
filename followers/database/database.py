"""The followers' connections to PostgreSQL, to the server that takes writes.

DatabaseAway    it cannot be reached, or says nothing for too long: nothing was changed, or the caller does not know
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

import asyncpg

from server.settings.database_url import DatabaseUrl, read_database_url
from server.version import VERSION

CONNECT_TIMEOUT_S = 5.0
COMMAND_TIMEOUT_S = 10.0
DEADLINE_S = 15.0
"""For a whole transaction, from asking for a connection."""
CONNECTIONS_MAX = 16
_SETTINGS = {
    "application_name": f"stockwire channels {VERSION}",
    "search_path": "stockwire_channels",
    "timezone": "UTC",
    "jit": "off",
    # A process that stands still must not stop its replicas.
    "idle_in_transaction_session_timeout": "5s",
    "lock_timeout": "5s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}
_DEFECTS = ("22", "23", "42")
"""Classes of SQLSTATE that say the statement or its values are wrong: a defect of ours, and no outage."""
Connection = Any
"""asyncpg's, which comes without types."""


class DatabaseAway(Exception):
    """The message says why in a few words."""


class Database:
    """Use as ``async with``: nothing is connected before the first transaction, so PostgreSQL may come later."""

    def __init__(self, url: str, connections_max: int = CONNECTIONS_MAX) -> None:
        """Raises SettingsError for a URL that cannot be used."""
        self._url = read_database_url(url)
        self._connections_max = connections_max
        self._pool: Any = None

    async def __aenter__(self) -> Self:
        self._pool = await _pool_of(self._url, self._connections_max)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._pool.terminate()

    @asynccontextmanager
    async def transaction(self, within_s: float = DEADLINE_S) -> AsyncIterator[Connection]:
        """One transaction, committed at the end. ``within_s``: for all of it, DEADLINE_S at most.

        Raises DatabaseAway: then whether it was committed is not known.
        """
        try:
            async with (
                asyncio.timeout(min(within_s, DEADLINE_S)),
                self._pool.acquire() as connection,
                connection.transaction(),
            ):
                yield connection
        except (
            OSError,
            TimeoutError,
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
        ) as error:
            state = getattr(error, "sqlstate", None)
            if isinstance(state, str) and state.startswith(_DEFECTS):
                raise
            raise DatabaseAway(f"the database cannot be reached ({str(error) or type(error).__name__})") from error


async def _pool_of(url: DatabaseUrl, connections_max: int) -> Any:
    """Of several hosts the first that lets somebody write."""
    return await asyncpg.create_pool(
        dsn=url.tls_dsn,
        host=[host.name for host in url.hosts] or None,
        port=[host.port for host in url.hosts] or None,
        user=url.user,
        password=url.password,
        database=url.database,
        passfile=url.passfile,
        ssl=url.ssl(),
        server_settings={**_SETTINGS, **url.session, "search_path": "stockwire_channels"},
        target_session_attrs="read-write",
        min_size=0,
        max_size=connections_max,
        timeout=url.connect_timeout_s or CONNECT_TIMEOUT_S,
        command_timeout=COMMAND_TIMEOUT_S,
    )
