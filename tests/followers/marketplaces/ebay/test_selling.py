"""`stockwire channels` as a whole, beside a ledger and eBay's strict server: its challenge is answered by the process,
stock goes out, orders come in by notices, cancellations by polls, and no rule of eBay's is broken."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from followers.database.database import Database
from tests.channels.ebay.asking import NOTICES
from tests.channels.ebay.tokens import CLIENT_ID
from tests.channels.shared.starting import Market, market
from tests.followers.marketplaces.ebay.bench import CREDENTIALS
from tests.followers.marketplaces.selling_at import LOCATION, SCOPES_OF_PROCESS, Seller, offered
from tests.followers.running import channels_of
from tests.harness.system import ProcessSystem
from tests.harness.waiting import wait_until
from tests.ledger.api import Api, sale

SKUS = ("A", "B", "C")
SUBSCRIBED = f"POST {NOTICES}/subscription"


@dataclass(frozen=True, slots=True)
class Shop:
    api: Api
    market: Market

    async def available(self, sku: str, wanted: int) -> None:
        """Until so much is there."""

        async def is_there() -> bool:
            level = await self.api.get(f"/v1/levels/{LOCATION}/{sku}")
            return bool(level.json()["available"] == wanted)

        await wait_until(is_there, what=f"{wanted} of {sku}")


@pytest.fixture
async def shop(process_system: ProcessSystem, database: Database, tmp_path: Path) -> AsyncIterator[Shop]:
    await process_system.start(hubs=0)
    seller = Seller(process_system, database)
    key = await process_system.key("channels", *SCOPES_OF_PROCESS)
    async with (
        market("ebay", tmp_path) as there,
        Api(process_system.ledger_url, await process_system.admin_key()) as api,
        channels_of(process_system, STOCKWIRE_CHANNELS_KEY=key, STOCKWIRE_CHANNELS_POLL_EVERY_S=2) as channels,
    ):
        for sku in SKUS:
            await there.offer(sku, 3)
            await api.stock(LOCATION, sku, 10)
        await channels.start()
        settings = {"client_id": CLIENT_ID, "api_url": there.url, "alert_email": "us@example.com"}
        settings["orders_late_s"] = "0"
        url = f"{channels.ready['url']}/v1/channels/ours/notices"
        listings = {sku: sku for sku in SKUS}
        await seller.channel("ours", "ebay", settings, CREDENTIALS, listings, buffer=1, notices_url=url)
        yield Shop(api, there)


async def test_ebay_is_told_what_changes_here_and_tells_what_is_sold_there(shop: Shop) -> None:
    await offered(shop.market, {"A": 9, "B": 9, "C": 9})
    assert (await shop.api.move(sale(LOCATION, "A", -4))).is_success
    assert (await shop.api.move(sale(LOCATION, "B", -10))).is_success
    await offered(shop.market, {"A": 5, "B": 0, "C": 9})

    async def subscribed() -> bool:
        return bool((await shop.market.counts())["requests"].get(SUBSCRIBED))

    await wait_until(subscribed)
    order = await shop.market.sell("C", 2)
    await shop.available("C", 8)
    await shop.market.change("cancel", order)
    await shop.available("C", 10)
    await offered(shop.market, {"A": 5, "B": 0, "C": 9})
    counts = await shop.market.counts()
    assert counts["notices"]["sent"] >= 1
    assert not counts["notices"].get("failed")
    assert counts["broken"] == {}
