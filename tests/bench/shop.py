"""A running system to measure: PostgreSQL with fsync, Valkey, one ledger, one hub, each a process of its own.

Shops of several trees stand side by side on one PostgreSQL and one Valkey, each with its own database and channels.
"""

import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, cast
from urllib.parse import urlsplit

import httpx

from cli.launch import Watchdog
from ledger.migrations import SHARDS_DEFAULT
from tests.harness.postgres import PostgresServer
from tests.harness.release_tree import Release
from tests.harness.valkey import ValkeyServer
from tests.upgrades.mixed_system import MixedSystem

LOCATION = "berlin"
SHARDS = SHARDS_DEFAULT
CHANGES_PER_S = 5_000
"""Of the row `realistic`, unless the bench is told otherwise."""

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Shop:
    system: MixedSystem
    key: str
    postgres_pid: int
    changes_per_s: int = CHANGES_PER_S
    ends: AsyncExitStack = field(default_factory=AsyncExitStack)
    """Closes with the shop what a row keeps open for all its rounds."""
    _kept: dict[str, object] = field(default_factory=dict)

    async def once(self, name: str, make: Callable[[], Awaitable[Made]]) -> Made:
        """What a row prepares for all its rounds: made in the first of them."""
        if name not in self._kept:
            self._kept[name] = await make()
        return cast(Made, self._kept[name])

    @property
    def ledger_pid(self) -> int:
        return self.system.ledgers[0].pid

    @property
    def stream_url(self) -> str:
        return self.system.hubs[0].stream

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
async def open_shops(releases: Sequence[Release], changes_per_s: int) -> AsyncIterator[list[Shop]]:
    """One for each tree, whose processes run its code alone: each says its version, which is checked."""
    folder = make_folder()
    with Watchdog() as watchdog:
        postgres, valkey = PostgresServer(folder / "pg", watchdog), ValkeyServer(folder / "valkey", watchdog)
        try:
            postgres.start()
            valkey.start()
            async with AsyncExitStack() as stack:
                yield [
                    await stack.enter_async_context(_open_shop(folder, postgres, valkey, release, changes_per_s))
                    for release in releases
                ]
        finally:
            postgres.stop()
            valkey.stop()
            shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def _open_shop(
    folder: Path, postgres: PostgresServer, valkey: ValkeyServer, release: Release, changes_per_s: int
) -> AsyncIterator[Shop]:
    name = f"bench-{secrets.token_hex(4)}"
    url = postgres.url(postgres.create_database())
    migrated = await release.stockwire({"STOCKWIRE_DATABASE_URL": url}, "migrate")
    assert migrated.returncode == 0, migrated.stderr
    (folder / name).mkdir()
    system = MixedSystem(folder / name, url, valkey.url, name, release=release)
    try:
        system.plan_hubs(1)
        await system.start_ledger(STOCKWIRE_LEDGER_RATE_PER_S=0, STOCKWIRE_LEDGER_IN_FLIGHT_MAX=1_000)
        await system.start_hub()
        for server in (*system.ledgers, *system.hubs):
            await system.check(server)
        shop = Shop(system, await system.admin_key(), postgres.pid, changes_per_s)
        async with shop.ends:
            yield shop
    finally:
        await system.stop()
