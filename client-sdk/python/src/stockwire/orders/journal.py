"""Where orders are written down before anything is done for them, so that another process can go on.

One row for each order: a version by which writes are compared, and who works on it until when (a lease). Both
journals here run the same statements; another one has to give what `Journal` promises.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Protocol

from stockwire.errors import StockwireError

PAGE_SIZE = 200
_COLUMNS = "key, version, document, worker, due_at"


@dataclass(frozen=True, slots=True)
class Row:
    """An order as it was read. ``due_at_s``: until then it is ``worker``'s; nobody has to look at it if that is empty.

    ``now_s``: the journal's clock when it was read, in seconds since 1970.
    """

    key: str
    version: int
    document: str
    worker: str
    due_at_s: float
    now_s: float


class Journal(Protocol):
    """Each method is on disk when it returns. Safe to call from any thread.

    Times are the journal's own: the clocks of the processes that share it do not have to agree.
    """

    def begin(self, key: str, state: str, document: str, worker: str, lease_s: float) -> Row:
        """Write a new order down, as ``worker``'s for so long; if there is one of this key, that is given as it is."""
        ...

    def claim(self, key: str, worker: str, lease_s: float) -> Row | None:
        """Make it ``worker``'s, and so its version a new one. None: another's time is not over, or there is none."""
        ...

    def save(
        self, key: str, version: int, state: str, is_open: bool, document: str, worker: str, due_in_s: float
    ) -> Row | None:
        """Write it down if it still has this version; from then on it has the next one. None: somebody else has.

        ``worker``: whose it is for ``due_in_s`` seconds; empty: nobody's, and to be looked at then.
        """
        ...

    def get(self, key: str) -> Row | None:
        """As it stands; None: there is none."""
        ...

    def due(self, limit: int) -> list[str]:
        """Keys of open orders that are nobody's and to be looked at, the longest due first."""
        ...

    def open_after(self, key: str, limit: int) -> list[Row]:
        """Open orders behind ``key``, by their keys."""
        ...


class JournalError(StockwireError):
    """The journal's file or database cannot be read or written. What it said is the cause."""


class SqlJournal(ABC):
    """The statements. ``NOW``: seconds since 1970, by the database's clock."""

    NOW: str
    TABLE = """
        CREATE TABLE IF NOT EXISTS stockwire_order (
            key text PRIMARY KEY,
            version bigint NOT NULL,
            state text NOT NULL,
            is_open smallint NOT NULL,
            document text NOT NULL,
            worker text NOT NULL,
            due_at double precision NOT NULL,
            changed_at double precision NOT NULL
        )"""
    INDEX = "CREATE INDEX IF NOT EXISTS stockwire_order_due ON stockwire_order (due_at) WHERE is_open = 1"

    @abstractmethod
    def _run(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Execute and commit it: the rows that it gives. Raises JournalError.

        ``sql`` has ``%s`` in the place of each parameter.
        """

    def begin(self, key: str, state: str, document: str, worker: str, lease_s: float) -> Row:
        self._run(
            "INSERT INTO stockwire_order (key, version, state, is_open, document, worker, due_at, changed_at)"
            f" VALUES (%s, 1, %s, 1, %s, %s, {self.NOW} + %s, {self.NOW}) ON CONFLICT (key) DO NOTHING",
            *(key, state, document, worker, float(lease_s)),
        )
        row = self.get(key)
        if row is None:
            raise JournalError(f"order {key} was written and is not there: who deletes rows of the journal?")
        return row

    def claim(self, key: str, worker: str, lease_s: float) -> Row | None:
        rows = self._run(
            f"UPDATE stockwire_order SET worker = %s, due_at = {self.NOW} + %s, version = version + 1"
            f" WHERE key = %s AND (worker = '' OR due_at <= {self.NOW}) RETURNING {_COLUMNS}, {self.NOW}",
            *(worker, float(lease_s), key),
        )
        return Row(*rows[0]) if rows else None

    def save(
        self, key: str, version: int, state: str, is_open: bool, document: str, worker: str, due_in_s: float
    ) -> Row | None:
        rows = self._run(
            "UPDATE stockwire_order SET state = %s, is_open = %s, document = %s, worker = %s,"
            f" due_at = {self.NOW} + %s, changed_at = {self.NOW}, version = version + 1"
            f" WHERE key = %s AND version = %s RETURNING {_COLUMNS}, {self.NOW}",
            *(state, int(is_open), document, worker, float(due_in_s), key, version),
        )
        return Row(*rows[0]) if rows else None

    def get(self, key: str) -> Row | None:
        rows = self._run(f"SELECT {_COLUMNS}, {self.NOW} FROM stockwire_order WHERE key = %s", key)
        return Row(*rows[0]) if rows else None

    def due(self, limit: int) -> list[str]:
        rows = self._run(
            f"SELECT key FROM stockwire_order WHERE is_open = 1 AND due_at <= {self.NOW} ORDER BY due_at LIMIT %s",
            limit,
        )
        return [key for (key,) in rows]

    def open_after(self, key: str, limit: int) -> list[Row]:
        rows = self._run(
            f"SELECT {_COLUMNS}, {self.NOW} FROM stockwire_order WHERE is_open = 1 AND key > %s ORDER BY key LIMIT %s",
            *(key, limit),
        )
        return [Row(*row) for row in rows]
