"""A journal in a file, for the processes of one machine."""

import sqlite3
import threading
from pathlib import Path
from typing import Any, Self

from stockwire import argument
from stockwire.orders.journal import JournalError, SqlJournal

VERSION_MIN = (3, 35)
"""Of March 2021, for RETURNING: what was written is told by the statement that wrote it."""
BUSY_TIMEOUT_S = 10.0
"""While another process writes: that takes milliseconds, on a slow disk beside others a second."""


class SqliteJournal(SqlJournal):
    """``path``: the file, made if there is none; on a disk of this machine, since network file systems lose locks.

    Shared by any number of threads and processes of one machine; a fork's child makes its own. Use as ``with``, or
    `close` it. What was written is on disk (``synchronous=FULL``). Needs SQLite 3.35. Raises JournalError.

    >>> from stockwire.orders import SqliteJournal
    >>> with SqliteJournal(":memory:") as journal:
    ...     journal.due(10)
    []
    """

    NOW = "((julianday('now') - 2440587.5) * 86400.0)"

    def __init__(self, path: str | Path) -> None:
        self._path = argument.text("path", str(path) if isinstance(path, Path) else path)
        self._lock = threading.Lock()
        if sqlite3.sqlite_version_info < VERSION_MIN:
            raise JournalError(f"SQLite is {sqlite3.sqlite_version} here, and the journal needs 3.35 (RETURNING)")
        try:
            self._connection = sqlite3.connect(
                self._path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            # readers do not wait for writers; FULL: a charge is never asked for before the disk knows of it
            for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", self.TABLE, self.INDEX):
                self._connection.execute(statement)
        except sqlite3.Error as error:
            raise self._error(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Safe twice."""
        with self._lock:
            self._connection.close()

    def _run(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._connection.execute(sql.replace("%s", "?"), parameters).fetchall()
            except sqlite3.Error as error:
                raise self._error(error) from error

    def _error(self, error: sqlite3.Error) -> JournalError:
        return JournalError(f"the journal {self._path} cannot be used: {error}")
