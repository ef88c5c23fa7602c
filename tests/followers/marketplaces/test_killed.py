"""Processes that are killed or stand still while two marketplaces and a till sell: each order there is one here.

A hundred kills make a whole campaign; ``make test`` has a few of them, since each waits for a start.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest

from followers.database.database import Database, DatabaseAway
from followers.database.schema import expand
from tests.channels.shared.starting import Market, market
from tests.followers.marketplaces.accounts import Account, at_ebay, at_shopify
from tests.followers.marketplaces.books import Books
from tests.followers.marketplaces.selling_at import LOCATION, SCOPES_OF_PROCESS, Seller
from tests.followers.running import channels_of
from tests.harness.chance import SEED
from tests.harness.node_peers import need_node_peer
from tests.harness.postgres import PostgresServer
from tests.harness.processes import ServerProcess
from tests.harness.size import SIZE
from tests.harness.system import ProcessSystem
from tests.harness.waiting import wait_until
from tests.ledger.api import Api, receipt, sale

pytestmark = [pytest.mark.usefixtures("campaign"), pytest.mark.timeout(SIZE.timeout_s)]

Fault = Literal["replica", "database", "stands still"]
IS_WHOLE = SIZE.share >= 1
FAULTS: dict[Fault, int] = {
    "replica": SIZE.of(75 if IS_WHOLE else 10),
    "database": SIZE.of(25 if IS_WHOLE else 5),
    "stands still": SIZE.of(10 if IS_WHOLE else 5),
}
"""How often each of them: the first two are kills."""
LEASE_S = 3
POLL_EVERY_S = 2
VENDORS = {"web": "shopify", "ebay": "ebay"}
ACCOUNTS: dict[str, Callable[[Market], Account]] = {"web": at_shopify, "ebay": at_ebay}
LISTINGS = {f"{101 + number}": f"S{number}" for number in range(SIZE.of(60))}
"""Of both marketplaces. So many, since eBay lets each be revised a hundred times a day, and then rarely."""
BEGUN_WITH = 6
PACES = {"web": "20", "ebay": "400"}
"""Shopify's quota is no matter here. eBay's days are short, so that none of its listings is revised too often in one,
however long this takes."""
BUYERS_PER_S = 1.5
"""At each marketplace."""
BUYING_S = 36_000.0
TILL_S = 0.3
SALES = 0.5
"""Of what a till does; the others bring three units."""
THOUGHT_S = 1.5
PAYS = 0.7
"""Of those who have not paid yet: the others cancel."""
NOTICES = {"doubled": 0.3, "dropped": 0.2, "late_s": 1.0, "reordered": 0.2}
APART_S_MAX = 0.3
ORDERS_MAX = 4
"""That are booked between two faults, at least."""
WITHIN_S = 180.0
MET = {"change-from-stale", "notices.subscription"}
"""No rule is broken but these, as in the flash sale."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Field:
    """All that is broken and what it is held to. ``replicas`` of `stockwire channels`."""

    postgres: PostgresServer
    database: Database
    replicas: list[ServerProcess]
    markets: Mapping[str, Market]
    books: Books

    async def strike(self, fault: Fault, chance: random.Random) -> None:
        one = chance.choice(self.replicas)
        if fault == "database":
            self.postgres.kill()
            self.postgres.start()
        elif fault == "replica":
            one.kill()
            await one.start()
        else:
            one.pause()
            await wait_until(self._one_has_all, WITHIN_S, swallow=DatabaseAway)
            one.resume()

    async def booked(self) -> int:
        """Orders of which all that could be was booked."""
        return int(await self._one("select count(*) from channel_order where settled_at is not null"))

    async def takeovers(self, channel: str) -> int:
        return int(await self._one("select fence from channel_lease where channel = $1", channel))

    async def _one_has_all(self) -> bool:
        """The lease of whoever stands still is over, and another has taken what it had."""
        return bool(
            await self._one(
                "select array(select name from replica where until > clock_timestamp())"
                " = array(select distinct holder from channel_lease)"
                " and (select min(until) > clock_timestamp() from channel_lease)"
            )
        )

    async def _one(self, statement: str, *arguments: object) -> Any:
        async with self.database.transaction() as connection:
            return await connection.fetchval(statement, *arguments)


@pytest.fixture
async def field(
    private_system: ProcessSystem, private_postgres: PostgresServer, tmp_path: Path
) -> AsyncIterator[Field]:
    need_node_peer("shopify")
    await private_system.start(hubs=0)
    settings: dict[str, Any] = {
        "STOCKWIRE_CHANNELS_KEY": await private_system.key("channels", *SCOPES_OF_PROCESS),
        "STOCKWIRE_CHANNELS_POLL_EVERY_S": POLL_EVERY_S,
        "STOCKWIRE_CHANNELS_LEASE_S": LEASE_S,
    }
    admin = await private_system.admin_key()
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        database = await enter(Database(private_system.database_url))
        await expand(database)
        starting = [_market(vendor, tmp_path / name, PACES[name]) for name, vendor in VENDORS.items()]
        markets = dict(zip(VENDORS, await asyncio.gather(*map(enter, starting)), strict=True))
        api = await enter(Api(private_system.ledger_url, admin))
        replicas = [await enter(channels_of(private_system, f"channels-{number}", **settings)) for number in range(2)]
        await asyncio.gather(*(one.start() for one in replicas))
        for sku in LISTINGS.values():
            await api.stock(LOCATION, sku, BEGUN_WITH)
        seller = Seller(private_system, database)
        for (name, there), told in zip(markets.items(), replicas, strict=True):
            for listing, sku in LISTINGS.items():
                await there.offer(listing, 0, sku=sku)
            notices = f"{told.url}/v1/channels/{name}/notices"
            await seller.channel(name, VENDORS[name], *ACCOUNTS[name](there), LISTINGS, notices_url=notices)
        headers = {"Authorization": f"Bearer {admin}"}
        owner = await enter(httpx.AsyncClient(base_url=replicas[0].url, headers=headers, timeout=60))
        books = Books(api, owner, seller, markets, dict.fromkeys(markets, LISTINGS))
        yield Field(private_postgres, database, replicas, markets, books)


def _market(vendor: str, folder: Path, pace: str) -> AbstractAsyncContextManager[Market]:
    folder.mkdir()
    return market(vendor, folder, "--pace", pace)


async def test_killed_again_and_again_it_books_each_order_once_and_offers_what_is_left(field: Field) -> None:
    chance = random.Random(SEED)
    faults = [fault for fault, times in FAULTS.items() for _ in range(times)]
    chance.shuffle(faults)
    logger.info("seed %d: %s", SEED, faults)
    await field.books.agree(WITHIN_S)
    async with crowds(field):
        for number, fault in enumerate(faults, 1):
            await progress(field, chance.randint(1, ORDERS_MAX))
            await asyncio.sleep(chance.uniform(0, APART_S_MAX))  # any moment is right
            await field.strike(fault, chance)
            logger.info("%d of %d: %s", number, len(faults), fault)
    await field.books.known(WITHIN_S)
    await field.books.agree(WITHIN_S)
    await judge(field)


@asynccontextmanager
async def crowds(field: Field) -> AsyncIterator[None]:
    """Buyers at both marketplaces, some of whom pay later or think better of it, and a till that is supplied too."""
    for number, there in enumerate(field.markets.values()):
        await there.faults(notices=NOTICES)
        await there.buyers([*LISTINGS], BUYERS_PER_S, BUYING_S, seed=SEED + number)
    async with asyncio.TaskGroup() as tasks:
        busy = [tasks.create_task(one) for one in (till(field.books.api), second_thoughts([*field.markets.values()]))]
        try:
            yield
        finally:
            for task in busy:
                task.cancel()
    for there in field.markets.values():
        await there.send_home()
        await there.faults()


async def till(api: Api) -> None:
    """What the ledger cannot take is left out."""
    chance = random.Random(SEED)
    while True:
        sku = chance.choice([*LISTINGS.values()])
        move = sale(LOCATION, sku) if chance.random() < SALES else receipt(LOCATION, sku, 3)
        with suppress(httpx.HTTPError):
            await api.move(move)
        await asyncio.sleep(TILL_S)


async def second_thoughts(markets: list[Market]) -> None:
    chance = random.Random(SEED)
    while True:
        await asyncio.sleep(THOUGHT_S)
        there = chance.choice(markets)
        orders = [one for one in (await there.truth())["orders"] if one["state"] in ("paid", "unpaid")]
        if orders:
            order = chance.choice(orders)
            pays = order["state"] == "unpaid" and chance.random() < PAYS
            await there.change("pay" if pays else "cancel", order["id"])


async def progress(field: Field, orders: int) -> None:
    """Until so many more are booked."""
    before: int | None = None

    async def enough() -> bool:
        nonlocal before
        booked = await field.booked()
        before = booked if before is None else before
        return booked >= before + orders

    await wait_until(enough, WITHIN_S, swallow=DatabaseAway)


async def judge(field: Field) -> None:
    """Whoever takes a channel begins its quotas anew, and may go beyond each once: that is what a restart costs."""
    for name, there in field.markets.items():
        kept, counts, takeovers = await field.books.kept(name), await there.counts(), await field.takeovers(name)
        logger.info(
            "%s: %d orders, %d units booked, %d oversold, taken over %d times, %s",
            *(name, len(kept.there), kept.booked, kept.oversold, takeovers, counts),
        )
        assert kept.booked
        assert counts["throttled"] <= takeovers, counts
        assert set(counts["broken"]) <= MET, counts
    await field.books.each_is_booked_once()
