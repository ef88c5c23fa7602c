"""A connection of PEP 249 to a real PostgreSQL, over asyncpg, which has none: as much of it as a journal uses.

A shop has psycopg or pg8000 for this; the tests have what the ledger has.
"""

import asyncio
import itertools
import re
import threading
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import asyncpg

from tests.harness.waiting import PATIENCE_S

T = TypeVar("T")
ENDS_TRANSACTION = "COMMIT"


class Driver:
    """One event loop on a thread of its own, for all connections. Use as ``with``."""

    def __enter__(self) -> "Driver":
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        self._loop.close()

    def connect(self, url: str) -> "AsyncpgConnection":
        return AsyncpgConnection(self, self.wait(asyncpg.connect(url.replace("+asyncpg", ""))))

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)


class AsyncpgConnection:
    """In a transaction from the first statement to `commit`, as PEP 249 has it."""

    def __init__(self, driver: Driver, connection: Any) -> None:
        self.driver = driver
        self.connection = connection
        self.begun = False

    def cursor(self) -> "AsyncpgCursor":
        return AsyncpgCursor(self)

    def commit(self) -> None:
        if self.begun:
            self.driver.wait(self.connection.execute(ENDS_TRANSACTION))
        self.begun = False

    def close(self) -> None:
        self.driver.wait(self.connection.close())


class AsyncpgCursor:
    def __init__(self, connection: AsyncpgConnection) -> None:
        self._of = connection
        self._rows: list[tuple[Any, ...]] = []
        self.rowcount = -1
        self.description: object = None

    def execute(self, operation: str, parameters: Sequence[Any] = (), /) -> None:
        if not self._of.begun:
            self._of.driver.wait(self._of.connection.execute("BEGIN"))
            self._of.begun = True
        numbers = itertools.count(1)
        sql = re.sub("%s", lambda _: f"${next(numbers)}", operation)
        self._of.driver.wait(self._execute(sql, parameters))

    async def _execute(self, sql: str, parameters: Sequence[Any]) -> None:
        statement = await self._of.connection.prepare(sql)
        rows = await statement.fetch(*parameters)
        self.description = statement.get_attributes() or None
        self._rows = [tuple(row) for row in rows]
        told = re.search(r"(\d+)$", statement.get_statusmsg() or "")
        self.rowcount = int(told[1]) if told else -1

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._rows

    def close(self) -> None:
        self._rows = []
