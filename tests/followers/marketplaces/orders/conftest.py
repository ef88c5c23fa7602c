"""Fixtures: a channel of its own for each test, beside a ledger that a file shares."""

import secrets
from collections.abc import AsyncIterator

import pytest

from followers.database.database import Database
from followers.database.schema import expand
from followers.marketplaces.orders.shelf import Leased
from stockwire import AsyncClient
from tests.followers.marketplaces.orders.rig import PLACES, Rig
from tests.followers.marketplaces.orders.stall import Stall
from tests.harness.system import ResidentSystem


@pytest.fixture
async def rig(shared_system: ResidentSystem) -> AsyncIterator[Rig]:
    system = shared_system
    async with (
        Database(system.database_url) as database,
        AsyncClient(system.ledger_url, await system.admin_key()) as client,
    ):
        await expand(database)
        channel, sku = f"c{secrets.token_hex(4)}", f"s-{secrets.token_hex(4)}"
        for place in PLACES:
            await client.locations.put(place, place)
        for name in (sku, f"{sku}-2"):
            await client.items.put(name, name)
        async with database.transaction() as connection:
            await connection.execute(
                "insert into channel (id, vendor, owner, settings, sealed, locations)"
                " values ($1, 'stall', 'owner', '{}', '', $2)",
                *(channel, list(PLACES)),
            )
            await connection.execute("insert into channel_lease (channel, fence) values ($1, 1)", channel)
        made = Rig(system, database, client, Leased(channel, 1, PLACES), Stall(), sku)
        await made.map("r1")
        yield made
