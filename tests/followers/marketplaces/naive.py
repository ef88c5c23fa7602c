"""What many plugins do: a notice comes in, the order is booked, and what is left goes out to everybody, absolute."""

from collections.abc import Mapping

from followers.marketplaces.adapter import Adapter
from followers.marketplaces.terms import Notice
from tests.channels.shared.starting import Market
from tests.channels.vendure.market import VendureMarket
from tests.ledger.api import Api, sale


class Naive:
    """Sells ``listings`` of ``markets``, by channel, out of ``sku``. Knows each order once, and no notice that is lost.

    ``adapters``: verify and read notices, by channel. It sets by hand there, without a quota.
    """

    def __init__(
        self,
        api: Api,
        location: str,
        sku: str,
        listings: Mapping[str, str],
        markets: Mapping[str, Market | VendureMarket],
        adapters: Mapping[str, Adapter],
    ) -> None:
        self._api = api
        self._location = location
        self._sku = sku
        self._listings = listings
        self._markets = markets
        self._adapters = adapters
        self._known: set[tuple[str, str]] = set()

    async def heard(self, channel: str, notice: Notice) -> None:
        if channel not in self._adapters:
            return
        received = await self._adapters[channel].receive(notice)
        for order in [*(one.id for one in received.orders), *received.changed_orders]:
            if (channel, order) not in self._known:
                self._known.add((channel, order))
                await self._book(channel, order)

    async def push(self) -> None:
        """What the ledger has, to all of them."""
        level = (await self._api.get(f"/v1/levels/{self._location}/{self._sku}")).json()
        for channel, market in self._markets.items():
            await market.set(self._listings[channel], level["available"])

    async def _book(self, channel: str, identifier: str) -> None:
        orders = (await self._markets[channel].truth())["orders"]
        lines = [line for one in orders if one["id"] == identifier for line in one["lines"]]
        units = sum(line["quantity"] for line in lines if line["id"] == self._listings[channel])
        if units:
            await self._api.move(sale(self._location, self._sku, -units))
            await self.push()
