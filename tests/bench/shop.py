"""A running system to measure: PostgreSQL with fsync, Valkey, one ledger, one hub, each a process of its own."""

import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from cli.launch import Watchdog
from ledger import migrations
from ledger.migrations import SHARDS_DEFAULT
from tests.harness.postgres import PostgresServer
from tests.harness.system import ProcessSystem
from tests.harness.valkey import ValkeyServer

LOCATION = "berlin"
SHARDS = SHARDS_DEFAULT


@dataclass(frozen=True, slots=True)
class Shop:
    system: ProcessSystem
    key: str
    postgres_pid: int

    @property
    def ledger_pid(self) -> int:
        return self.system.ledgers[0].pid

    @property
    def hub_pid(self) -> int:
        return self.system.hubs[0].pid

    @property
    def stream_url(self) -> str:
        return self.system.hubs[0].stream

    @property
    def stream_address(self) -> tuple[str, int]:
        parts = urlsplit(self.stream_url)
        assert parts.hostname is not None
        assert parts.port is not None
        return parts.hostname, parts.port

    @property
    def ledger_port(self) -> int:
        port = urlsplit(self.system.ledger_url).port
        assert port is not None
        return port

    def http(self) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.AsyncClient(base_url=self.system.ledger_url, headers=headers, timeout=30, trust_env=False)

    async def stock_up(self, sku: str, quantity: int) -> None:
        async with self.http() as http:
            (await http.put(f"/v1/items/{sku}", json={"name": sku})).raise_for_status()
            (await http.put(f"/v1/locations/{LOCATION}", json={"name": LOCATION})).raise_for_status()
            await self._move(http, sku, quantity, "receipt")

    async def sell(self, http: httpx.AsyncClient, sku: str) -> httpx.Response:
        return await self._move(http, sku, -1, "sale")

    async def _move(self, http: httpx.AsyncClient, sku: str, quantity: int, kind: str) -> httpx.Response:
        body = {"sku": sku, "location": LOCATION, "quantity": quantity, "kind": kind}
        answer = await http.post("/v1/movements", json=body, headers={"Idempotency-Key": secrets.token_hex(12)})
        return answer.raise_for_status()


def make_folder() -> Path:
    """Short, for socket paths, and open to the user that PostgreSQL runs as."""
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir="/tmp"))
    folder.chmod(0o755)
    return folder


@asynccontextmanager
async def open_shop() -> AsyncIterator[Shop]:
    folder = make_folder()
    with Watchdog() as watchdog:
        postgres, valkey = PostgresServer(folder / "pg", watchdog), ValkeyServer(folder / "valkey", watchdog)
        try:
            postgres.start()
            valkey.start()
            await migrations.expand(postgres.url(), SHARDS)
            system = ProcessSystem(folder, postgres.url(), valkey.url, "bench")
            await system.start_ledger(STOCKWIRE_LEDGER_RATE_PER_S=0, STOCKWIRE_LEDGER_IN_FLIGHT_MAX=1_000)
            await system.start_hub()
            try:
                yield Shop(system, await system.admin_key(), postgres.pid)
            finally:
                await system.stop()
        finally:
            postgres.stop()
            valkey.stop()
            shutil.rmtree(folder, ignore_errors=True)
