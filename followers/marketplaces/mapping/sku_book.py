"""All skus that the ledger knows, to look among for what a listing could be."""

import asyncio
import math

from followers.log.ledger import Ledger
from followers.marketplaces.mapping.proposals import KnownSkus
from server.lookups import Lookups

SKUS_MAX = 1_000_000
"""That proposals are looked for among."""
BARCODES = ("barcode", "gtin", "ean", "upc")
"""Attributes of an item that hold one."""
KEEP_S = 10.0
"""From when it was read, which may take longer. All pages of proposals that somebody turns meanwhile cost one reading,
and nothing is kept after it."""


class SkuBook:
    """Whoever asks at the same time, or soon after, shares one reading."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._read = Lookups(self._load, entries_max=1, keep_s=lambda _: math.inf)

    async def known(self) -> KnownSkus:
        """Raises LedgerAway."""
        return await self._read.get(None)

    async def _load(self, _: None) -> KnownSkus:
        """All that have moved, with the barcodes of items."""
        skus: set[str] = set()
        cursor: str | None = None
        while len(skus) < SKUS_MAX:
            page = await self._ledger.levels(cursor)
            skus.update(one["sku"] for one in page["levels"])
            if (cursor := page["next"]) is None:
                break
        barcodes = {
            sku: found
            for sku, attributes in (await self._ledger.attributes(SKUS_MAX)).items()
            if (found := [str(attributes[name]) for name in BARCODES if attributes.get(name)])
        }
        known = await asyncio.to_thread(KnownSkus, skus | set(barcodes), barcodes)
        asyncio.get_running_loop().call_later(KEEP_S, self._read.clear)
        return known
