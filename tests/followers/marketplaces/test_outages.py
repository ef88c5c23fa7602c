"""Whatever is away, one after the other: a marketplace, the ledger, the database, our right to come in, the history.

Two shops at Shopify sell the same: what is wrong with one is no business of the other, and nothing is lost.
"""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from followers.database.database import Database
from ledger import migrations
from tests.channels.shared.starting import Market, market
from tests.channels.shopify.access import CLIENT_ID, CLIENT_SECRET, STATIC_TOKEN
from tests.channels.shopify.shop import MAIN
from tests.followers.marketplaces.held_back import HeldBack
from tests.followers.marketplaces.selling_at import LOCATION, SCOPES_OF_PROCESS, Seller, offered, sets_of
from tests.followers.running import channels_of
from tests.harness.node_peers import need_node_peer
from tests.harness.postgres import PostgresServer
from tests.harness.processes import ServerProcess
from tests.harness.proxy import Proxy, proxy_to, proxy_to_socket
from tests.harness.system import ProcessSystem
from tests.harness.waiting import wait_until
from tests.ledger.api import Api, sale

LISTINGS = {"101": "A", "102": "B"}
STOCK = 40
BUFFER = 1
DOWN = ("refuses", "hangs", "html", "errors_in_200")


@dataclass(slots=True)
class Sale:
    """Two shops that sell from one location, and the links over which `stockwire channels` reaches ledger and database.
    ``left``: of each sku, here."""

    api: Api
    web: Market
    other: Market
    seller: Seller
    channels: ServerProcess
    ledger: Proxy
    database: Proxy
    owner: httpx.AsyncClient
    left: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LISTINGS.values(), STOCK))

    async def sell(self, sku: str) -> None:
        assert (await self.api.move(sale(LOCATION, sku, -1))).is_success
        self.left[sku] -= 1

    async def sell_at(self, shop: Market, listing: str) -> None:
        await shop.sell(listing)
        self.left[LISTINGS[listing]] -= 1

    async def agree(self, *shops: Market) -> None:
        """Until these offer what is here."""
        for shop in shops:
            await offered(shop, {listing: self.left[sku] - BUFFER for listing, sku in LISTINGS.items()})

    async def is_told(self, words: str) -> None:
        """Until ``doctor`` would say so."""

        async def told() -> bool:
            return any(words in one for one in await self.troubles())

        await wait_until(told, what=words, swallow=httpx.HTTPError)

    async def troubles(self) -> list[str]:
        async with httpx.AsyncClient() as http:
            stated = (await http.get(f"{self.channels.admin}/troubles")).json()["troubles"]
        return [one["detail"] for one in stated]

    async def channel(self) -> dict[str, Any]:
        return dict((await self.owner.get("/v1/channels/web")).raise_for_status().json())


@pytest.fixture
async def selling(
    process_system: ProcessSystem, postgres: PostgresServer, database: Database, tmp_path: Path
) -> AsyncIterator[Sale]:
    need_node_peer("shopify")
    folders = tmp_path / "web", tmp_path / "other"
    for folder in folders:
        folder.mkdir()
    await process_system.start(hubs=0)
    admin = await process_system.admin_key()
    at, named = urlsplit(process_system.ledger_url), urlsplit(process_system.database_url).path.strip("/")
    async with AsyncExitStack() as stack:
        ledger = await stack.enter_async_context(proxy_to("127.0.0.1", at.port or 0))
        link = await stack.enter_async_context(proxy_to_socket(postgres.socket))
        settings = {
            "STOCKWIRE_URL": f"http://127.0.0.1:{ledger.port}",
            "STOCKWIRE_DATABASE_URL": (named_by := postgres.proxied_url(link.port, named)),
            **await of_process(process_system),
        }
        shops = [await stack.enter_async_context(market("shopify", folder, "--pace", "20")) for folder in folders]
        api = await stack.enter_async_context(Api(process_system.ledger_url, admin))
        channels = await stack.enter_async_context(channels_of(process_system, **settings))
        seller = Seller(process_system, database)
        for sku in LISTINGS.values():
            await api.stock(LOCATION, sku, STOCK)
        for name, shop in zip(("web", "other"), shops, strict=True):
            await sells(seller, name, shop, shop.url)
        await channels.start()
        headers = {"Authorization": f"Bearer {admin}"}
        owner = await stack.enter_async_context(httpx.AsyncClient(base_url=channels.url, headers=headers))
        yield Sale(api, shops[0], shops[1], seller, channels, ledger, link, owner)
        assert not re.search(f"shpat_|{CLIENT_SECRET}|{STATIC_TOKEN}|{urlsplit(named_by).password}", channels.stderr())


async def test_what_is_away_stops_nothing_else_and_all_goes_on_when_it_is_back(selling: Sale) -> None:
    """One after the other, in one process."""
    web, other = selling.web, selling.other
    await selling.agree(web, other)
    for manner in DOWN:
        await web.faults(down=manner)
        await selling.sell("A")
        await selling.agree(other)
        await selling.sell_at(web, "102")
        assert (await selling.channel())["state"] == "enabled", "who is away is not stopped"
        await web.faults()
        await selling.agree(web, other)
    await revoked(selling)
    for link, words in ((selling.database, "the database cannot be reached"), (selling.ledger, "do not follow")):
        link.refuse()
        await selling.is_told(words)
        await selling.sell("A")
        await selling.sell_at(web, "102")
        link.heal()
        await selling.agree(web, other)
    await another_epoch(selling)
    assert await selling.troubles() == []
    orders = (await web.truth())["orders"]
    booked = (await selling.owner.get("/v1/channels/web/orders")).raise_for_status().json()["orders"]
    assert sorted(one["id"] for one in booked) == sorted(one["id"] for one in orders)


async def revoked(selling: Sale) -> None:
    """The channel is stopped, with its reason, and goes on when its credentials are renewed."""
    await selling.web.faults(token_revoked=True)
    await selling.sell("A")
    await selling.agree(selling.other)
    reason = "gives no token (400): check client_id and secret, and install the app"
    await selling.is_told(f"channel web is stopped: {reason}")
    stopped = await selling.channel()
    assert (stopped["state"], stopped["reason"]) == ("stopped", reason)
    await selling.web.faults()
    wish = {name: stopped[name] for name in ("settings", "locations", "buffer")}
    renewed = await selling.owner.put("/v1/channels/web", json={**wish, "credentials": {"secret": CLIENT_SECRET}})
    assert renewed.json()["state"] == "enabled"
    await selling.agree(selling.web, selling.other)


async def another_epoch(selling: Sale) -> None:
    """All is compared, and nothing is sent that stands there already."""

    async def at_rest() -> bool:
        states = [await selling.seller.states(name) for name in ("web", "other")]
        return all(set(one.values()) == {"rest"} for one in states)

    await wait_until(at_rest, what="a number that orders there have moved was sent once more")
    before = [sets_of(await shop.moved()) for shop in (selling.web, selling.other)]
    asked = [(await shop.counts())["requests"]["inventorySetQuantities"] for shop in (selling.web, selling.other)]
    await migrations.new_epoch(selling.seller.system.database_url)

    async def compared() -> bool:
        async with selling.seller.database.transaction() as connection:
            epochs = await connection.fetch("select distinct epoch from channel_position")
        return await at_rest() and [row["epoch"] for row in epochs] == [(await shards(selling.api))["epoch"]]

    await wait_until(compared)
    shops = (selling.web, selling.other)
    assert [sets_of(await shop.moved()) for shop in shops] == before
    assert [(await shop.counts())["requests"]["inventorySetQuantities"] for shop in shops] == asked
    await selling.sell("A")
    await selling.agree(*shops)


async def test_what_a_replica_that_stood_still_past_its_lease_sends_late_turns_no_listing_back(
    process_system: ProcessSystem, database: Database, tmp_path: Path
) -> None:
    """Its push is on the way when it stands still, and arrives when another has sent a newer number."""
    need_node_peer("shopify")
    await process_system.start(hubs=0)
    seller, settings = Seller(process_system, database), await of_process(process_system)
    async with (
        market("shopify", tmp_path) as shop,
        HeldBack(shop.url) as way,
        Api(process_system.ledger_url, await process_system.admin_key()) as api,
        channels_of(process_system, "channels-0", **settings) as one,
        channels_of(process_system, "channels-1", **settings) as another,
    ):
        for sku in LISTINGS.values():
            await api.stock(LOCATION, sku, STOCK)
        await sells(seller, "web", shop, way.address)
        await one.start()
        await offered(shop, {"101": STOCK - BUFFER})
        way.hold()
        assert (await api.move(sale(LOCATION, "A", -1))).is_success
        await wait_until(lambda: there(way))
        one.pause()
        assert (await api.move(sale(LOCATION, "A", -1))).is_success
        await another.start()
        await offered(shop, {"101": STOCK - BUFFER - 2})
        way.let_go()
        await wait_until(lambda: refused(shop))
        one.resume()
        assert (await api.move(sale(LOCATION, "A", -1))).is_success
        await offered(shop, {"101": STOCK - BUFFER - 3})
        sets = [quantity for listing, quantity in sets_of(await shop.moved()) if listing == "101"]
        assert sets == [STOCK - BUFFER, STOCK - BUFFER - 2, STOCK - BUFFER - 3]


async def there(way: HeldBack) -> bool:
    return way.held.is_set()


async def refused(shop: Market) -> bool:
    """A push that expected another number."""
    return bool((await shop.counts())["broken"].get("change-from-stale"))


async def sells(seller: Seller, name: str, shop: Market, url: str) -> None:
    for listing, sku in LISTINGS.items():
        await shop.offer(listing, 3, sku=sku)
    settings = {"shop": url, "location": MAIN, "client_id": CLIENT_ID}
    await seller.channel(name, "shopify", settings, {"secret": CLIENT_SECRET}, LISTINGS, buffer=BUFFER)


async def of_process(system: ProcessSystem) -> Mapping[str, Any]:
    return {
        "STOCKWIRE_CHANNELS_KEY": await system.key("channels", *SCOPES_OF_PROCESS),
        "STOCKWIRE_CHANNELS_POLL_EVERY_S": 2,
    }


async def shards(api: Api) -> dict[str, Any]:
    return dict((await api.get("/v1/shards")).raise_for_status().json())
