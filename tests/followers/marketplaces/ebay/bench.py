"""eBay as the strict server of the tests has it, for the kit and for tests of its own adapter."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar

import httpx

from followers.marketplaces.conformance.bench import remote_of
from followers.marketplaces.ebay.adapter import Ebay
from followers.marketplaces.remote import Remote
from tests.channels.ebay.asking import APPLICATION, BASIC, ITEMS, NOTICES, REFRESH
from tests.channels.ebay.tokens import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from tests.channels.shared.starting import Market
from tests.followers.marketplaces.controlled import ControlledBench
from tests.followers.marketplaces.inbox import Inbox

CREDENTIALS = {"client_secret": CLIENT_SECRET, "refresh_token": REFRESH_TOKEN}


class EbayBench(ControlledBench):
    """A listing's id is its sku here."""

    lacks: ClassVar[frozenset[str]] = frozenset({"edited", "refunded"})
    missing = "no such sku"

    def __init__(self, adapter: Ebay, remote: Remote, market: Market, inbox: Inbox) -> None:
        super().__init__(adapter, market, inbox)
        self.remote = remote

    async def offer(self, sku: str, quantity: int, barcode: str = "") -> str:
        await self.market.offer(sku, quantity, title=sku, **({"barcode": barcode} if barcode else {}))
        return sku

    async def expire_token(self) -> None:
        """The server knows none of this name, as it knows none that it gave too long ago."""
        self.remote.keep("user", "one that has ended", 3600)

    async def refuse_access(self) -> None:
        await self.market.faults(token_revoked=True)

    async def throttle(self) -> None:
        """Somebody else uses up the day's calls."""
        headers = await self.bearer()
        async with httpx.AsyncClient(base_url=self.market.url) as http:
            while (await http.get(f"{ITEMS}/inventory_item?limit=1", headers=headers)).status_code != 429:
                pass

    async def forget_subscriptions(self) -> None:
        """As eBay marks a destination down."""
        headers = await self.bearer(APPLICATION)
        async with httpx.AsyncClient(base_url=self.market.url) as http:
            found = (await http.get(f"{NOTICES}/destination", headers=headers)).json()["destinations"]
            for one in found:
                body = {**one, "status": "DISABLED"}
                if one["deliveryConfig"]["endpoint"] == self.notices_url:
                    await http.put(f"{NOTICES}/destination/{one['destinationId']}", json=body, headers=headers)

    async def bearer(self, grant: dict[str, str] = REFRESH) -> dict[str, str]:
        async with httpx.AsyncClient(base_url=self.market.url) as http:
            given = await http.post("/identity/v1/oauth2/token", data=grant, headers=BASIC)
        return {"Authorization": f"Bearer {given.json()['access_token']}"}


@asynccontextmanager
async def ebay_bench(market: Market) -> AsyncIterator[EbayBench]:
    async with remote_of(Ebay.quotas) as remote, Inbox() as inbox:
        settings = {"client_id": CLIENT_ID, "api_url": market.url, "alert_email": "us@example.com"}
        adapter = Ebay(settings, CREDENTIALS, remote)
        inbox.adapter = adapter
        yield EbayBench(adapter, remote, market, inbox)
