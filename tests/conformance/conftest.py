"""One ledger and one hub for everything that is sent to the stream port here."""

import asyncio
import secrets
from collections.abc import Iterator

import pytest

from tests.postgres import PostgresServer
from tests.system import System
from tests.valkey import ValkeyServer


@pytest.fixture(scope="session")
def system(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer, valkey: ValkeyServer, template_database: str
) -> Iterator[System]:
    """One ledger and one hub for these tables; its deadline for handshakes is short, everything else the default."""
    name = postgres.create_database(template_database)
    folder = tmp_path_factory.mktemp("conformance")
    system = System(folder, postgres.url(name), valkey.url, f"conformance-{secrets.token_hex(4)}")
    try:
        asyncio.run(_start(system))
        yield system
    finally:
        asyncio.run(system.stop())
        postgres.drop_database(name)


async def _start(system: System) -> None:
    await system.start_ledger()
    await system.start_hub(STOCKWIRE_HUB_AUTHENTICATE_S=1)
