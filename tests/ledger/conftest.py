"""One ledger for all HTTP tests that break nothing; they take names of their own (``unique_name``)."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.ledger.api import Api
from tests.postgres import PostgresServer
from tests.system import System
from tests.valkey import ValkeyServer


@pytest.fixture(scope="session")
def http_system(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer, valkey: ValkeyServer, template_database: str
) -> Iterator[System]:
    name = postgres.create_database(template_database)
    folder = tmp_path_factory.mktemp("http-system")
    system = System(folder, postgres.url(name), valkey.url, f"http-{secrets.token_hex(4)}")
    try:
        asyncio.run(system.start_ledger(STOCKWIRE_ALLOWED_ORIGINS="https://shop.example"))
        yield system
    finally:
        asyncio.run(system.stop())
        postgres.drop_database(name)


@pytest.fixture
async def api(http_system: System) -> AsyncIterator[Api]:
    """As an owner who may do everything but be a hub."""
    async with Api(http_system.ledger_url, await http_system.admin_key()) as api:
        yield api


@pytest.fixture
async def hub_api(http_system: System) -> AsyncIterator[Api]:
    async with Api(http_system.ledger_url, await http_system.hub_key()) as api:
        yield api


@pytest.fixture
async def anonymous(http_system: System) -> AsyncIterator[Api]:
    async with Api(http_system.ledger_url, None) as api:
        yield api
