"""Sales at a steady pace, whatever the database does: each is due at a time, and what it takes counts from there.

So a moment in which nothing is sold is seen by all the sales that were due in it, and not by the few under way.
"""

import asyncio
import json
import random
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

import asyncpg

from ledger.database.engine import COMMIT_SETTINGS
from tests.ledger.migrations.databases import OldLedger
from tests.upgrades.scale.stocked import Stocked

TILLS = 16
PER_S = 100.0
"""Of all tills: far from what the machine can do, so that it is not the tills that wait for each other."""


class Sale(NamedTuple):
    """``due`` is monotonic."""

    due: float
    took_s: float


class Till(Protocol):
    async def sell(self, location: str, sku: str) -> None:
        """One unit. Raises whatever went wrong."""


class Sales:
    """``made`` and ``failed`` grow while it runs. No two tills sell the same level."""

    def __init__(self, stocked: Stocked, tills: Sequence[Till], per_s: float = PER_S) -> None:
        self.made: list[Sale] = []
        self.failed: list[str] = []
        self._stocked = stocked
        self._tills = tills
        self._every_s = len(tills) / per_s
        self._running = True

    async def run(self) -> None:
        """Until ``stop``. What is due then has been sold."""
        began = time.monotonic()
        await asyncio.gather(*(self._run(number, till, began) for number, till in enumerate(self._tills)))

    def stop(self) -> None:
        self._running = False

    async def _run(self, number: int, till: Till, began: float) -> None:
        due = began + self._every_s * number / len(self._tills)
        own = self._stocked.skus[number :: len(self._tills)]
        places = list(self._stocked.shards)
        while self._running:
            await asyncio.sleep(due - time.monotonic())
            try:
                await till.sell(random.choice(places), random.choice(own))
            except Exception as error:  # noqa: BLE001  whatever it is, a sale that fails is what must not be
                self.failed.append(f"{type(error).__name__}: {error}")
            self.made.append(Sale(due, time.monotonic() - due))
            due += self._every_s

    def between(self, start: float, end: float) -> list[float]:
        """The seconds that those took that were due then."""
        return [sale.took_s for sale in self.made if start <= sale.due < end]


class OldTill:
    """By the commit statement of schema 0001's ledgers, with their time limits."""

    def __init__(self, connection: "asyncpg.Connection", shards: dict[str, int]) -> None:
        self._connection = connection
        self._ledger = OldLedger(connection)
        self._shards = shards

    async def sell(self, location: str, sku: str) -> None:
        shard = self._shards[location]
        on_hand, version = await self._connection.fetchrow(
            "select on_hand, version from stock_level where shard = $1 and sku = $2 and location = $3",
            *(shard, sku, location),
        )
        await self._ledger.commit(sku, version, on_hand - 1, before=on_hand, location=location, shard=shard)


class HttpTill:
    """Over a connection of its own to a ledger, which closes one on which nothing is asked for a few seconds."""

    def __init__(self, ledger_url: str, key: str) -> None:
        self._address = urlsplit(ledger_url)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._head = (
            "POST /v1/movements HTTP/1.1\r\nHost: ledger\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {key}\r\n"
        )

    async def sell(self, location: str, sku: str) -> None:
        if self._streams is None or self._streams[0].at_eof():
            self.close()
            self._streams = await asyncio.open_connection(self._address.hostname, self._address.port)
        reader, writer = self._streams
        body = json.dumps({"sku": sku, "location": location, "quantity": -1, "kind": "sale"})
        own = f"Idempotency-Key: {secrets.token_hex(12)}\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write((self._head + own + body).encode())
        head = await reader.readuntil(b"\r\n\r\n")
        fields = dict(line.split(b":", 1) for line in head.lower().split(b"\r\n")[1:] if line)
        answer = await reader.readexactly(int(fields[b"content-length"]))
        if not head.startswith(b"HTTP/1.1 201"):
            raise RuntimeError(f"{head[:30]!r} {answer!r}")

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()


@asynccontextmanager
async def old_tills(url: str, stocked: Stocked, number: int = TILLS) -> AsyncIterator[list[Till]]:
    async with AsyncExitStack() as stack:
        tills: list[Till] = []
        for _ in range(number):
            connection = await asyncpg.connect(url, server_settings=COMMIT_SETTINGS)
            stack.push_async_callback(connection.close)
            tills.append(OldTill(connection, stocked.shards))
        yield tills


@asynccontextmanager
async def http_tills(ledger_url: str, key: str, number: int = TILLS) -> AsyncIterator[list[Till]]:
    tills = [HttpTill(ledger_url, key) for _ in range(number)]
    try:
        yield list(tills)
    finally:
        for till in tills:
            till.close()


@asynccontextmanager
async def selling(sales: Sales) -> AsyncIterator[Sales]:
    running = asyncio.create_task(sales.run())
    try:
        yield sales
    finally:
        sales.stop()
        await running
