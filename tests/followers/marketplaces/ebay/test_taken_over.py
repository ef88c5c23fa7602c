"""Who takes a channel over knows what of a day is used up: eBay would refuse what another process used up before."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from followers.database.database import Database
from followers.database.leases import CHANNELS, Leases
from followers.database.schema import expand
from followers.log.ledger import SCOPES, Ledger
from followers.marketplaces.ebay.adapter import Ebay
from followers.marketplaces.ebay.revisions import A_DAY, FOR_ZEROS
from followers.marketplaces.held import Held
from followers.marketplaces.pushing import outgoing
from followers.marketplaces.pushing.dry_run import dry_run
from followers.marketplaces.pushing.outgoing import Sending
from followers.marketplaces.pushing.pushes import Pushes
from followers.marketplaces.pushing.rounds import Pushing
from followers.marketplaces.remote import Remote
from followers.marketplaces.vendors import GROUP, Vendors
from followers.outward.addresses import Addresses
from followers.outward.sessions import Sessions
from server.settings.addresses import networks_of
from stockwire import AsyncClient
from tests.channels.ebay.tokens import CLIENT_ID
from tests.channels.shared.starting import market
from tests.followers.marketplaces.ebay.bench import CREDENTIALS
from tests.followers.marketplaces.selling_at import LOCATION, Seller, offered
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.usefixtures("processes")
LEASE_S = 15.0


class EbayAtNoon(Ebay):
    """Where it is noon now, so that no day ends meanwhile."""

    days = timezone(timedelta(hours=12 - datetime.now(UTC).hour))


async def test_a_listing_that_another_process_set_too_often_today_waits_and_its_zero_goes(
    shared_system: System, unique_name: str, tmp_path: Path
) -> None:
    vendors = Vendors(lambda: [EntryPoint("ebay", f"{__name__}:EbayAtNoon", GROUP)])
    async with (
        market("ebay", tmp_path) as there,
        Database(shared_system.database_url) as database,
        Ledger(shared_system.ledger_url, await shared_system.key("channels", *SCOPES)) as ledger,
        AsyncClient(shared_system.ledger_url, await shared_system.admin_key()) as client,
        Sessions(Addresses(networks_of(["127.0.0.0/8"])), {}, timeout_s=PATIENCE_S) as sessions,
    ):
        await expand(database)
        await there.offer("mug", 9)
        await client.locations.put(LOCATION, LOCATION)
        await client.items.put(unique_name, unique_name)
        await client.stock.receive(unique_name, LOCATION, 5)
        seller = Seller(shared_system, database)
        settings = {"client_id": CLIENT_ID, "api_url": there.url}
        channel = await seller.channel(unique_name, "ebay", settings, CREDENTIALS, {"mug": unique_name})
        async with database.transaction() as connection:
            for number in range(A_DAY - FOR_ZEROS):
                sendings = [Sending("mug", 9, 9, f"key-{number}", 0, datetime.now(UTC))]
                await outgoing.begin(connection, unique_name, sendings, EbayAtNoon.days)
            await outgoing.applied(connection, unique_name, [("mug", 9)])
            await connection.execute("update outgoing set state = 'due' where channel = $1", unique_name)
        dry = Remote(sessions, Ebay.quotas, dry=True)
        shown = await dry_run(database, ledger, channel, EbayAtNoon(settings, CREDENTIALS, dry), dry)
        assert (len(shown["listings"]), shown["requests"]) == (1, []), "nothing of it would go now"
        leases = Leases(database, LEASE_S, "test", CHANNELS)
        held = Held(
            database, leases, seller.channels, vendors, sessions, [Pushing(database, ledger, Pushes())], LEASE_S
        )
        running = asyncio.create_task(held.run())

        async def waits() -> bool:
            assert not running.done(), running.exception()
            wait_s = await outgoing.Outgoing(database).next_in_s(unique_name)
            return wait_s is not None and wait_s > 3600

        try:
            await wait_until(waits)
            await offered(there, {"mug": 9})
            await client.stock.sell(unique_name, LOCATION, 5)
            async with database.transaction() as connection:
                await connection.execute("update outgoing set changes = changes + 1 where channel = $1", unique_name)
            await offered(there, {"mug": 0})
        finally:
            await held.end()
            running.cancel()
            await asyncio.wait([running])
