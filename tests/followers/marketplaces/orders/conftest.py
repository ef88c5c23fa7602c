"""Fixtures: a channel of its own for each test, beside a ledger that a file shares."""

import secrets
import time
from collections.abc import AsyncIterator

import pytest

from followers.database.database import Database
from followers.database.leases import Lease
from followers.database.schema import expand
from followers.marketplaces.channels import Channels, Wish
from followers.marketplaces.leased import LeasedChannel
from followers.marketplaces.remote import Remote
from followers.outward.addresses import Addresses
from followers.outward.sessions import Sessions
from followers.sealing import Seal, new_sealing_key
from stockwire import AsyncClient
from tests.followers.marketplaces.orders.rig import PLACES, Rig
from tests.followers.marketplaces.orders.stall import Stall
from tests.harness.system import ResidentSystem
from tests.harness.waiting import PATIENCE_S

HELD_S = 3600.0


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
        leased = await _held(database, channel)
        made = Rig(system, database, client, leased, sku)
        await made.map("r1")
        yield made


async def _held(database: Database, channel: str) -> LeasedChannel:
    """A new channel, and a lease of it that nobody renews."""
    stored = Channels(database, Seal([new_sealing_key()]))
    made = await stored.add(channel, "stall", "owner", Wish({}, PLACES), {}, "epoch", {0: 0})
    assert made is not None
    async with database.transaction() as connection:
        await connection.execute("update channel_lease set fence = 1 where channel = $1", channel)
    sessions = Sessions(Addresses(), {}, timeout_s=PATIENCE_S)
    return LeasedChannel(made, Stall(), Remote(sessions, ()), Lease(1, time.monotonic() + HELD_S))
