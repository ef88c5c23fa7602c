"""A connection to the primary that one task keeps for itself: nothing is taken from a pool, nothing put back."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import asyncpg

from ledger.database.connector import NO_PRIMARY_STATES, CheckedConnection, Connector

CLOSE_TIMEOUT_S = 2.0
"""For a goodbye that PostgreSQL does not need."""

REFUSED = "ERROR"
"""The severity with which PostgreSQL refuses a statement and goes on. After a graver one it ends the connection."""


class HeldConnection:
    """Opened when it is first used, and again when it was lost, or was opened before the primary changed.

    ``opened``: how many times. A new connection may speak to a restored, older database: whoever remembers what it read
    compares the number, after taking the connection, with the one it last saw.
    """

    def __init__(self, connector: Connector, settings: Mapping[str, str]) -> None:
        self.opened = 0
        self._connector = connector
        self._settings = settings
        self._connection: CheckedConnection | None = None

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[CheckedConnection]:
        """By one task at a time; each statement is a transaction. Raises whatever the connector and asyncpg raise."""
        connection = await self._usable()
        try:
            yield connection
        except BaseException as error:
            self._judge(connection, error)
            raise

    async def close(self) -> None:
        """Safe twice, and if it was never opened."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                await connection.close(timeout=CLOSE_TIMEOUT_S)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
                connection.terminate()

    async def _usable(self) -> CheckedConnection:
        connection = self._connection
        if connection is not None and not connection.is_closed() and connection.seen == self._connector.doubts:
            return connection
        self._drop()
        self._connection = connection = await self._connector.connect(self._settings)
        self.opened += 1
        if connection.seen != self._connector.doubts:
            raise ConnectionError("the primary changed once more while it was connected to")
        return connection

    def _judge(self, connection: CheckedConnection, error: BaseException) -> None:
        """What was interrupted, or ended in another way than by a refusal, leaves the connection nobody knows where."""
        if getattr(error, "sqlstate", None) in NO_PRIMARY_STATES:
            self._connector.doubt(connection.seen)
        elif getattr(error, "severity_en", None) != REFUSED:
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
