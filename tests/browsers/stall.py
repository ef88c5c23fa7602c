"""A location of one test alone, with something to sell."""

import json
from collections.abc import Sequence
from typing import Any, Self
from urllib.parse import urlsplit

from stockwire import AsyncClient
from tests.browsers.tab import Tab

SKUS = ("A", "B", "C")
BEGIN = 1_000_000


def address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port


class Stall:
    """``location``: of this test alone. Of each of ``SKUS`` there are ``BEGIN`` units."""

    def __init__(self, client: AsyncClient, location: str) -> None:
        self.client = client
        self.location = location

    @classmethod
    async def opened(cls, client: AsyncClient, location: str) -> Self:
        await client.locations.put(location, location)
        for sku in SKUS:
            await client.items.put(sku, sku)
            await client.stock.receive(sku, location, BEGIN)
        return cls(client, location)

    def watching(self, hubs: Sequence[str] = (), **client: Any) -> dict[str, Any]:
        """Options of the page ``watch``."""
        return {"location": self.location, "skus": SKUS, "client": {**({"hubs": hubs} if hubs else {}), **client}}

    async def sell(self, sku: str = "A", quantity: int = 1) -> None:
        await self.client.stock.sell(sku, self.location, quantity)

    async def levels(self) -> dict[str, int]:
        return {sku: (await self.client.stock.get(sku, self.location)).available for sku in SKUS}

    async def equal(self, *tabs: Tab) -> None:
        """Until each is live and shows what the ledger has, with no version ever having gone back."""
        wanted = json.dumps(await self.levels(), separators=(",", ":"))
        for tab in tabs:
            await tab.wait(
                f"view.state === 'live' && JSON.stringify(levels()) === {json.dumps(wanted)}", f"a page shows {wanted}"
            )
            assert await tab.evaluate("seen.wentBack") == 0
