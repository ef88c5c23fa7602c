"""A channel that cannot be begun is stopped with its reason; those beside it, and their process, go on."""

import asyncio
from importlib.metadata import EntryPoint

from followers.database.database import Database
from followers.database.leases import CHANNELS, Leases
from followers.marketplaces.channels import Channels, Wish
from followers.marketplaces.held import Held
from followers.marketplaces.vendors import GROUP, Vendors
from followers.outward.addresses import Addresses
from followers.outward.sessions import Sessions
from followers.sealing import Seal, new_sealing_key
from tests.harness.waiting import wait_until

EBAY = EntryPoint("ebay", "followers.marketplaces.ebay.adapter:Ebay", GROUP)
LEASE_S = 15.0


async def test_a_channel_whose_adapter_lacks_what_it_needs_is_stopped_alone(database: Database) -> None:
    stored = Channels(database, Seal([new_sealing_key()]))
    good = {"client_secret": "secret", "refresh_token": "token"}
    for name, credentials in (("lacking", {}), ("whole", good)):
        await stored.add(name, "ebay", "owner", Wish({"client_id": "app"}, ("shop",)), credentials, "epoch", {0: 0})
    leases, sessions = Leases(database, LEASE_S, "test", CHANNELS), Sessions(Addresses(), {}, timeout_s=1.0)
    held = Held(database, leases, stored, Vendors(lambda: [EBAY]), sessions, [], LEASE_S)
    running = asyncio.create_task(held.run())

    async def reason() -> str | None:
        assert not running.done(), running.exception()
        channel = await stored.get("lacking", None)
        assert channel is not None
        return channel.reason

    try:
        assert "client_secret" in str(await wait_until(reason))
        assert list(held.channels) == ["whole"]
    finally:
        running.cancel()
        await asyncio.wait([running])
