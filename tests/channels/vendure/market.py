"""A real Vendure shop, driven as a strict server is: with random buyers, faults, and its truth in its own words."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from tests.channels.shared.buyers import UNITS
from tests.channels.shared.faults import Faults
from tests.channels.vendure.relay import Relay
from tests.channels.vendure.shop import NotTaken, Shop
from tests.channels.vendure.starting import started
from tests.harness.postgres import PostgresServer
from tests.harness.proxy import Proxy, proxy_to

ORDERS_MAX = 1_000
"""What Vendure gives at once."""


@dataclass(slots=True)
class VendureMarket:
    """Methods as those of ``tests.channels.shared.starting.Market``. Its buyers use the shop API; whoever sells there
    reaches the admin API by ``url``, a link that fails when it shall be down."""

    shop: Shop
    relay: Relay
    link: Proxy
    turned_away: Counter[str] = field(default_factory=Counter)
    """By what the shop said."""
    _listings: list[str] = field(default_factory=list)
    _buying: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Of the admin API."""
        return f"http://127.0.0.1:{self.link.port}{urlsplit(self.shop.url).path}"

    async def offer(self, sku: str, quantity: int) -> str:
        """The new listing's id."""
        self._listings.append(await self.shop.offer(sku, quantity))
        return self._listings[-1]

    async def set(self, listing: str, quantity: int) -> None:
        """By hand: that it sells so many from now on."""
        _, held = await self.shop.level(listing)
        await self.shop.set(listing, quantity + held)

    async def truth(self) -> dict[str, Any]:
        """``levels``: what is left to be sold; below 0 Vendure has oversold by itself."""
        found = await self.shop.admin(_TRUTH, take=ORDERS_MAX, ids=self._listings)
        assert found["orders"]["totalItems"] <= ORDERS_MAX
        levels = {
            one["id"]: level["stockOnHand"] - level["stockAllocated"]
            for one in found["productVariants"]["items"]
            for level in one["stockLevels"]
        }
        orders = [
            {
                "id": one["id"],
                "at": datetime.fromisoformat(one["orderPlacedAt"]).timestamp(),
                "lines": [{"id": line["productVariant"]["id"], "quantity": line["quantity"]} for line in one["lines"]],
            }
            for one in found["orders"]["items"]
        ]
        sold: Counter[str] = Counter()
        for order in orders:
            sold.update({line["id"]: line["quantity"] for line in order["lines"]})
        return {"levels": levels, "orders": orders, "sold": dict(sold)}

    async def counts(self) -> dict[str, Any]:
        """It has no quotas, and no rules but those that it enforces itself."""
        return {"throttled": 0, "broken": {}, "notices": dict(self.relay.counts), "turned away": dict(self.turned_away)}

    async def buyers(self, ids: Sequence[str], per_s: float, seconds: float, seed: int = 1) -> None:
        self._buying = asyncio.create_task(self._buy(ids, per_s, seconds, seed), name="buyers at Vendure")

    async def still_buying(self) -> bool:
        if self._buying is None or not self._buying.done():
            return self._buying is not None
        self._buying.result()
        return False

    async def faults(self, **asked: object) -> None:
        """As in ``faults.py``: those of notices, and ``down``: refuses or hangs; with none, all goes right again."""
        faults = msgspec.convert(asked, Faults)
        self.relay.fault(faults.notices)
        self.link.heal()
        if faults.down is not None:
            {"refuses": self.link.refuse, "hangs": self.link.stall}[faults.down]()

    async def _buy(self, ids: Sequence[str], per_s: float, seconds: float, seed: int) -> None:
        chance = random.Random(seed)
        async with asyncio.TaskGroup() as buyers:
            for _ in range(round(per_s * seconds)):
                await asyncio.sleep(1 / per_s)
                listing, units, paid = chance.choice(ids), chance.choice(UNITS), chance.random() < 0.9
                buyers.create_task(self._buy_one(listing, units, paid=paid))

    async def _buy_one(self, listing: str, units: int, *, paid: bool) -> None:
        try:
            await self.shop.sell(listing, units, paid=paid)
        except NotTaken as error:
            self.turned_away[str(error)] += 1


@asynccontextmanager
async def vendure_market(postgres: PostgresServer, folder: Path, secret: str) -> AsyncIterator[VendureMarket]:
    """With our plugin in it, whose notices go nowhere yet: ``market.relay.lead_to``."""
    async with Relay() as relay, started(postgres, folder, notices_url=relay.url, notices_secret=secret) as shop:
        address = urlsplit(shop.base_url)
        assert address.hostname
        assert address.port
        async with shop, proxy_to(address.hostname, address.port) as link:
            yield VendureMarket(shop, relay, link)


_TRUTH = """query($take: Int!, $ids: [String!]!) {
  productVariants(options: {filter: {id: {in: $ids}}}) { items { id stockLevels { stockOnHand stockAllocated } } }
  orders(options: {take: $take, filter: {orderPlacedAt: {isNull: false}}}) {
    totalItems items { id orderPlacedAt lines { quantity productVariant { id } } }
  }
}"""
