"""A shop that is upgraded while it sells: a system of one release, tills and screens on the clients of several."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

import asyncpg

from stockwire import AsyncClient
from tests.harness.postgres import PostgresServer
from tests.harness.processes import ServerProcess, ledger_process
from tests.harness.release_tree import Release
from tests.harness.size import SIZE
from tests.harness.valkey import ValkeyServer
from tests.harness.waiting import PATIENCE_S
from tests.upgrades.migrations import migrated
from tests.upgrades.mixed_system import MixedSystem
from tests.upgrades.tills import OWNER, Tills, open_tills
from tests.upgrades.verdict import Figures, verdict


@dataclass(eq=False)
class Field:
    """``url``: of the database. ``client``: of this release, for the test itself."""

    url: str
    system: MixedSystem
    tills: Tills
    key: str

    async def query(self, statement: str, *arguments: object) -> list[Any]:
        connection = await asyncpg.connect(self.url, timeout=PATIENCE_S)
        try:
            return list(await connection.fetch(statement, *arguments))
        finally:
            await connection.close()

    async def value(self, statement: str, *arguments: object) -> Any:
        return (await self.query(statement, *arguments))[0][0]

    async def become(self, server: ServerProcess, release: Release, *, killed: bool = False) -> None:
        await self.system.become(server, release, self.tills, killed=killed)

    def another_ledger(self, release: Release) -> ServerProcess:
        """Beside the others, without tills; not started yet. It waits for its database for as long as a test does."""
        first = self.system.ledgers[0].environment.items()
        shared = {name: value for name, value in first if name.startswith("STOCKWIRE_") and not name.endswith("_PORT")}
        settings = {**shared, "STOCKWIRE_LEDGER_DATABASE_WAIT_S": SIZE.timeout_s}
        ledger = ledger_process(f"another-{token_hex(2)}", self.system.folder, settings)
        self.system.others.append(ledger)
        return self.system.dressed(ledger, release)

    async def verdict(self) -> Figures:
        async with AsyncClient(self.system.ledger_url, self.key) as client:
            return await verdict(self.tills, self.url, client)


@dataclass(frozen=True, slots=True)
class Grounds:
    """What fields are opened on."""

    postgres: PostgresServer
    valkey: ValkeyServer
    folder: Path

    @asynccontextmanager
    async def field(
        self, release: Release, clients: Mapping[str, Release], *, seed: int, public: bool = True
    ) -> AsyncIterator[Field]:
        """All of ``release``, which made the database itself; the tills wait for ``go``."""
        folder = self.folder / token_hex(3)
        folder.mkdir()
        database = await asyncio.to_thread(self.postgres.create_database)
        url = self.postgres.url(database)
        await migrated(release, url)
        system = MixedSystem(folder, url, self.valkey.url, f"mixed-{token_hex(4)}")
        try:
            async with AsyncExitStack() as stack:
                stack.push_async_callback(system.stop)
                await system.open(release)
                key = await system.key(OWNER, "admin", "stock:read:*", "stock:write:*")
                opened = open_tills(
                    folder, clients, key, system.ledgers_by_name, system.hubs_by_name, seed=seed, public=public
                )
                tills = await stack.enter_async_context(opened)
                yield Field(url, system, tills, key)
        finally:
            await asyncio.to_thread(self.postgres.drop_database, database)
