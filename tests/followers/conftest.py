"""Fixtures: a database with the followers' schema beside the ledger's, and a stage with a process that sends."""

from collections.abc import AsyncIterator

import pytest

from followers.database.database import Database
from followers.database.schema import expand
from tests.followers.receivers import Receivers
from tests.followers.running import Shop
from tests.followers.stage import LOCATION, SKUS, Stage, running
from tests.harness.system import ResidentSystem
from tests.ledger.api import Api


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with Database(database_url) as database:
        await expand(database)
        yield database


@pytest.fixture
async def stage(system: ResidentSystem, database: Database) -> AsyncIterator[Stage]:
    await system.start_ledger()
    async with (
        Receivers() as receivers,
        Api(system.ledger_url, await system.admin_key()) as api,
        running(system) as channels,
    ):
        for sku in SKUS:
            await api.stock(LOCATION, sku, 100)
        yield Stage(Shop(system, database), receivers, api, channels)
