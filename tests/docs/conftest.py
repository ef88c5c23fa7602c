"""One ledger and two hubs for all pages, over a database of their own: pages name their skus and locations."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from stockwire import AsyncClient
from tests.docs.running import Reader
from tests.postgres import PostgresServer
from tests.system import System
from tests.valkey import ValkeyServer


@pytest.fixture(scope="session")
def pages_system(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer, valkey: ValkeyServer, template_database: str
) -> Iterator[System]:
    name = postgres.create_database(template_database)
    folder = tmp_path_factory.mktemp("pages-system")
    system = System(folder, postgres.url(name), valkey.url, f"pages-{secrets.token_hex(4)}")
    try:
        asyncio.run(system.start())
        yield system
    finally:
        asyncio.run(system.stop())
        postgres.drop_database(name)


@pytest.fixture
async def reader(pages_system: System, tmp_path: Path) -> Reader:
    return Reader.of_system(tmp_path, pages_system, await pages_system.admin_key())


@pytest.fixture
async def shop(pages_system: System) -> AsyncIterator[AsyncClient]:
    """A client that may do everything, for what a page takes as given."""
    async with AsyncClient(pages_system.ledger_url, await pages_system.admin_key()) as client:
        yield client
