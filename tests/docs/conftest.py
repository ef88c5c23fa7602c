"""One ledger and two hubs for all pages, over a database of their own: pages name their skus and locations."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from stockwire import AsyncClient
from tests.docs.running import Reader
from tests.system import Grounds, System


@pytest.fixture(scope="package")
def pages_system(grounds: Grounds) -> Iterator[System]:
    with grounds.system() as system:
        yield system


@pytest.fixture
async def reader(pages_system: System, tmp_path: Path) -> Reader:
    return Reader.of_system(tmp_path, pages_system, await pages_system.admin_key())


@pytest.fixture
async def shop(pages_system: System) -> AsyncIterator[AsyncClient]:
    """A client that may do everything, for what a page takes as given."""
    async with AsyncClient(pages_system.ledger_url, await pages_system.admin_key()) as client:
        yield client
