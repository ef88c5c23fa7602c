"""`stockwire channels` beside a ledger, our strict Amazon and a queue: stock goes out late, orders come in."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from followers.database.database import Database
from tests.channels.amazon.catalogue import MARKETPLACE, SELLER
from tests.channels.amazon.queues import ACCESS_KEY, SECRET_KEY, create_queue, queue_service
from tests.channels.shared.starting import Market, market
from tests.followers.marketplaces.amazon.bench import CREDENTIALS
from tests.followers.marketplaces.selling_at import LOCATION, SCOPES_OF_PROCESS, Seller, offered
from tests.followers.running import channels_of
from tests.harness.processes import ServerProcess
from tests.harness.system import ProcessSystem
from tests.harness.waiting import wait_until
from tests.ledger.api import Api, sale

LISTINGS = {"mug": "A", "cup, red": "B", "jug": "C"}
PACE, NEVER_S = "1000", 3600
"""So that the search for orders is a tenth of a second behind."""


@dataclass(frozen=True, slots=True)
class Shop:
    api: Api
    market: Market
    channels: ServerProcess

    async def available(self, sku: str) -> int:
        return int((await self.api.get(f"/v1/levels/{LOCATION}/{sku}")).json()["available"])

    async def requests(self) -> dict[str, int]:
        return dict((await self.market.counts())["requests"])


@pytest.fixture
async def shop(process_system: ProcessSystem, database: Database, tmp_path: Path) -> AsyncIterator[Shop]:
    """With 10 of each here and 3 there. Orders are not polled by themselves."""
    async with queue_service(tmp_path) as queues:
        arn = await create_queue(queues, "orders")
        await process_system.start(hubs=0)
        more: dict[str, Any] = {
            "STOCKWIRE_CHANNELS_KEY": await process_system.key("channels", *SCOPES_OF_PROCESS),
            "STOCKWIRE_CHANNELS_POLL_EVERY_S": NEVER_S,
        }
        async with (
            market("amazon", tmp_path, "--pace", PACE, "--queues", queues) as there,
            Api(process_system.ledger_url, await process_system.admin_key()) as api,
            channels_of(process_system, **more) as channels,
        ):
            for remote, sku in LISTINGS.items():
                await there.offer(remote, 3)
                await api.stock(LOCATION, sku, 10)
            settings = {"seller": SELLER, "marketplace": MARKETPLACE, "endpoint": there.url, "read_after_s": "0"}
            settings |= {"login": f"{there.url}/auth/o2/token", "queue": arn, "queue_endpoint": queues}
            settings |= {"aws_access_key_id": ACCESS_KEY, "feeds_from": "3"}
            credentials = {**CREDENTIALS, "aws_secret_access_key": SECRET_KEY}
            await Seller(process_system, database).channel("amazon", "amazon", settings, credentials, LISTINGS)
            yield Shop(api, there, channels)


async def test_what_changes_here_is_offered_there_and_what_is_sold_there_is_booked_here(shop: Shop) -> None:
    await shop.channels.start()
    await offered(shop.market, dict.fromkeys(LISTINGS, 10))
    requests = await shop.requests()
    assert requests["createFeed"] == 1, "three raises at once go by a feed"
    assert requests.get("patchListingsItem", 0) == 0
    assert (await shop.api.move(sale(LOCATION, "B", -4))).is_success
    await offered(shop.market, {"mug": 10, "cup, red": 6, "jug": 10})

    async def subscribed() -> bool:
        return (await shop.requests()).get("createSubscription", 0) > 0

    await wait_until(subscribed)
    order = await shop.market.sell("jug", 2)

    async def booked() -> bool:
        return await shop.available("C") == 8

    await wait_until(booked)
    assert (await shop.market.truth())["levels"]["jug"] == 8
    await shop.market.change("cancel", order)

    async def put_back() -> bool:
        return await shop.available("C") == 10

    await wait_until(put_back)
    await offered(shop.market, {"mug": 10, "cup, red": 6, "jug": 10})
    assert set((await shop.market.counts())["broken"]) <= {"notices.subscription"}
    assert (await shop.market.counts())["throttled"] == 0
