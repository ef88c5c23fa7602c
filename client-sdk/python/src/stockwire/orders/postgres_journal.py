"""A journal in PostgreSQL, for processes on any number of machines, through whatever driver the caller has."""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Protocol, Self

from stockwire import argument
from stockwire.orders.journal import JournalError, SqlJournal


class Cursor(Protocol):
    """What is used of a cursor of PEP 249."""

    @property
    def description(self) -> object: ...
    def execute(self, operation: str, parameters: Sequence[Any] = ..., /) -> object: ...
    def fetchall(self) -> Sequence[Any]: ...
    def close(self) -> object: ...


class Connection(Protocol):
    """What is used of a connection of PEP 249, as those of psycopg, psycopg2 and pg8000."""

    def cursor(self) -> Cursor: ...
    def commit(self) -> object: ...
    def close(self) -> object: ...


class PostgresJournal(SqlJournal):
    """``connect``: makes a connection of PEP 249 whose driver writes parameters as ``%s``, such as
    ``lambda: psycopg.connect("postgresql:///shop")``. Give it a ``connect_timeout`` and a ``statement_timeout``.

    One connection, made when it is first used and again after it has failed. Shared by any number of threads, one at a
    time. Nothing is made in the database before somebody calls `create`. Raises JournalError.
    """

    NOW = "extract(epoch from clock_timestamp())::float8"
    _ALONE = "SELECT pg_advisory_xact_lock(hashtext('stockwire_order'))"

    def __init__(self, connect: Callable[[], Connection]) -> None:
        argument.function("connect", connect)
        self._connect = connect
        self._lock = threading.Lock()
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Safe twice, and if never used."""
        with self._lock:
            self._drop()

    def create(self) -> None:
        """Make the table ``stockwire_order``, if there is none. Safe twice, and at the same time elsewhere."""
        self._transaction([(self._ALONE, ()), (self.TABLE, ()), (self.INDEX, ())])

    def _run(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self._transaction([(sql, parameters)])

    def _transaction(self, statements: Sequence[tuple[str, tuple[object, ...]]]) -> list[tuple[Any, ...]]:
        """What the last of them gives."""
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._connect()
                cursor = self._connection.cursor()
                for sql, parameters in statements:
                    cursor.execute(sql, parameters)
                rows = [tuple(row) for row in cursor.fetchall()] if cursor.description is not None else []
                cursor.close()
                self._connection.commit()
            except (
                Exception
            ) as error:  # of a driver that is not known here: whatever it is, its connection is done with
                self._drop()
                raise JournalError(f"the journal's database cannot be used: {error}") from error
            return rows

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # as above: one that is broken may not even close
                connection.close()
