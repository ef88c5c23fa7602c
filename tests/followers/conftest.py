"""Fixtures: a database with the followers' schema beside the ledger's."""

from collections.abc import AsyncIterator

import pytest

from followers.database.database import Database
from followers.database.schema import expand


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with Database(database_url) as database:
        await expand(database)
        yield database
