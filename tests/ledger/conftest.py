"""One ledger for all HTTP tests that break nothing; they take names of their own (``unique_name``)."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.harness.system import Grounds, ResidentSystem, System
from tests.ledger.api import Api


@pytest.fixture(scope="package")
def http_system(grounds: Grounds) -> Iterator[System]:
    with grounds.system(ResidentSystem, _start) as system:
        yield system


async def _start(system: System) -> None:
    await system.start_ledger(STOCKWIRE_ALLOWED_ORIGINS="https://shop.example")


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
