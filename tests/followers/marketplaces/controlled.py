"""A bench over one of the strict servers of the tests, steered by its control port."""

from collections.abc import Sequence
from secrets import token_hex

import httpx

from followers.marketplaces.adapter import Adapter, Notice
from followers.marketplaces.conformance.bench import Bench
from tests.channels.shared.starting import Market
from tests.followers.marketplaces.inbox import Inbox


class ControlledBench(Bench):
    """``market``: the server. Here a listing's id at the control port is what the adapter calls it, and an order's too;
    a vendor where it is not says so in ``remote_of`` and ``id_of``, ``order_of`` and ``order_id_of``.
    """

    def __init__(self, adapter: Adapter, market: Market, inbox: Inbox | None = None) -> None:
        super().__init__(adapter)
        self.market = market
        self.inbox = inbox
        self.notices_url = inbox.url if inbox else None

    def new_id(self) -> str:
        """Of a listing at the control port."""
        return f"kit-{token_hex(4)}"

    def remote_of(self, listing: str) -> str:
        return listing

    def id_of(self, remote: str) -> str:
        return remote

    def order_of(self, order: str) -> str:
        """From the control port's id to the adapter's."""
        return order

    def order_id_of(self, order: str) -> str:
        return order

    async def offer(self, sku: str, quantity: int, barcode: str = "") -> str:
        listing = self.new_id()
        await self.market.offer(listing, quantity, title=sku, sku=sku, barcode=barcode)
        return self.remote_of(listing)

    async def quantity(self, remote: str) -> int:
        return int((await self.market.truth())["levels"][self.id_of(remote)])

    async def set(self, remote: str, quantity: int) -> None:
        await self.market.set(self.id_of(remote), quantity)

    async def sell(self, remote: str, quantity: int, *, paid: bool = True) -> str:
        return self.order_of(await self.market.sell(self.id_of(remote), quantity, paid=paid))

    async def cancel(self, order: str) -> None:
        await self.market.change("cancel", self.order_id_of(order))

    async def pay(self, order: str) -> None:
        await self.market.change("pay", self.order_id_of(order))

    async def edit(self, order: str, remote: str, quantity: int) -> None:
        await self.market.change("edit", self.order_id_of(order), {self.id_of(remote): quantity})

    async def refund(self, order: str, remote: str, quantity: int) -> None:
        await self.market.change("refund", self.order_id_of(order), {self.id_of(remote): quantity}, restock=True)

    async def notices(self) -> Sequence[Notice]:
        assert self.inbox is not None, "a bench that does not lack notices has an inbox"
        return await self.inbox.taken()

    async def down(self, manner: str | None) -> None:
        await self.market.faults(**({} if manner is None else {"down": manner}))

    async def expire_token(self) -> None:
        await self.market.faults(token_revoked=True)

    async def reset(self) -> None:
        """All goes right again: benches of one file share a server."""
        try:
            await self.market.faults()
        except httpx.HTTPError as error:
            raise AssertionError("the control port does not answer") from error
