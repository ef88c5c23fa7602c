"""`stockwire channels` as a whole, beside a ledger and a real Vendure: each counts an order once, sent or cancelled."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from followers.database.database import Database
from tests.channels.vendure.shop import LOCATION, USER, NotTaken, Shop
from tests.channels.vendure.starting import vendure
from tests.followers.marketplaces.selling_at import LOCATION as BERLIN
from tests.followers.marketplaces.selling_at import SCOPES_OF_PROCESS, Seller
from tests.followers.running import channels_of
from tests.harness.postgres import PostgresServer
from tests.harness.servers import free_port
from tests.harness.system import ProcessSystem
from tests.harness.waiting import wait_until
from tests.ledger.api import Api, sale

SECRET = "whsec_" + "c2VjcmV0" * 4
PORT = free_port()
NEVER_S = 3600
OFTEN_S = 1


@pytest.fixture(scope="module")
def running(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory, processes: None) -> Iterator[Shop]:
    """Our plugin in it tells the channel ``web``."""
    url = f"http://127.0.0.1:{PORT}/v1/channels/web/notices"
    with vendure(postgres, tmp_path_factory.mktemp("vendure"), notices_url=url, notices_secret=SECRET) as shop:
        yield shop


@dataclass(frozen=True, slots=True)
class Both:
    """A shop there and our ledger here, with one mug of which 10 are here."""

    shop: Shop
    api: Api
    mug: str
    database: Database

    async def oversold(self) -> int:
        """What the shop sold that was not here, for a person to settle."""
        async with self.database.transaction() as connection:
            return int(
                await connection.fetchval("select coalesce(sum(units), 0) from oversold where resolved_at is null")
            )

    async def have(self, units: int, held: int) -> None:
        """Until so many are available here and offered there, beside those that orders there hold."""
        found: dict[str, object] = {}

        async def there() -> bool:
            found["here"] = (await self.api.get(f"/v1/levels/{BERLIN}/MUG")).json()["available"]
            found["there"] = await self.shop.level(self.mug)
            return found == {"here": units, "there": (units + held, held)}

        await wait_until(there, what=f"{units} are here and there, {held} held: {found}")


TOLD, POLLED = "told by the plugin", "polled"


@pytest.fixture(params=[TOLD, POLLED])
async def both(
    request: pytest.FixtureRequest, running: Shop, process_system: ProcessSystem, database: Database
) -> AsyncIterator[Both]:
    told = request.param == TOLD
    await process_system.start(hubs=0)
    more: dict[str, Any] = {
        "STOCKWIRE_CHANNELS_KEY": await process_system.key("channels", *SCOPES_OF_PROCESS),
        "STOCKWIRE_CHANNELS_PORT": PORT,
        "STOCKWIRE_CHANNELS_POLL_EVERY_S": NEVER_S if told else OFTEN_S,
    }
    async with (
        running as shop,
        Api(process_system.ledger_url, await process_system.admin_key()) as api,
        channels_of(process_system, **more) as channels,
    ):
        mug = await shop.offer("MUG", 3)
        await api.stock(BERLIN, "MUG", 10)
        credentials = {"username": USER, "password": shop.password} | ({"notices": SECRET} if told else {})
        seller = Seller(process_system, database)
        await seller.channel("web", "vendure", {"url": shop.url, "location": LOCATION}, credentials, {mug: "MUG"})
        await channels.start()
        yield Both(shop, api, mug, database)


async def test_each_counts_what_the_other_sells_once(both: Both) -> None:
    await both.have(10, held=0)
    order = await both.shop.sell(both.mug, 2)
    await both.have(8, held=2)
    assert (await both.api.move(sale(BERLIN, "MUG", -3))).is_success
    await both.have(5, held=2)
    await both.shop.fulfil(order, {both.mug: 2})
    await both.have(5, held=0)
    other = await both.shop.sell(both.mug, 3, paid=False)
    await both.have(2, held=3)
    await both.shop.pay(other)
    await both.shop.cancel(other, {both.mug: 1})
    await both.have(3, held=2)
    await both.shop.edit(other, {both.mug: 1})
    await both.have(4, held=1)
    await both.shop.cancel(other)
    await both.have(5, held=0)


@pytest.mark.parametrize("both", [TOLD], indirect=True)
async def test_a_last_unit_that_both_sell_is_never_below_zero_and_is_recorded(both: Both) -> None:
    """Buyers there and a till here at once, until neither has any; some of what they bought is sent or cancelled."""
    await both.have(10, held=0)
    chance = random.Random(3)
    orders: list[str] = []

    async def buyers() -> None:
        for _ in range(12):
            try:
                orders.append(await both.shop.sell(both.mug, chance.choice((1, 1, 2))))
            except NotTaken:
                return
            if chance.random() < 0.5:
                await both.shop.fulfil(orders[-1], {both.mug: 1})
            elif chance.random() < 0.5:
                await both.shop.cancel(orders[-1])

    async def till() -> int:
        sold = 0
        while (await both.api.move(sale(BERLIN, "MUG", -1))).is_success:
            sold += 1
        return sold

    _, sold_here = await asyncio.gather(buyers(), till())
    lines = [one for order in orders for one in (await both.shop.order(order))["lines"]]
    sold_there = sum(one["quantity"] for one in lines)

    async def settled() -> bool:
        """All that was sold is gone from here or recorded, and the shop offers what is left."""
        here = (await both.api.get(f"/v1/levels/{BERLIN}/MUG")).json()["available"]
        on_hand, held = await both.shop.level(both.mug)
        left = 10 - sold_here - sold_there + await both.oversold()
        return bool(here == left == max(0, on_hand - held))

    await wait_until(settled, what=f"{sold_here} sold here and {sold_there} there are settled")
