"""What all pages of proposals cost the ledger, however many skus it has."""

import asyncio
from functools import partial
from typing import Any

import pytest

from followers.log.ledger import Ledger
from followers.marketplaces.mapping import sku_book
from followers.marketplaces.mapping.sku_book import KEEP_S, SkuBook
from server.lookups import Lookups
from tests.harness.waiting import wait_until


class Large(Ledger):
    """Of which all skus are read in longer than they are kept. ``reads``: of the first page."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9", "key")
        self.reads = 0
        self.now_s = 0.0

    async def levels(self, after: str | None, limit: int = 0, *, shard: int | None = None) -> dict[str, Any]:
        await asyncio.sleep(0)
        self.now_s += KEEP_S
        self.reads += after is None
        return {"levels": [{"sku": after or "mug"}], "next": "cap" if after is None else None}

    async def attributes(self, most: int) -> dict[str, dict[str, Any]]:
        return {}


async def test_who_turns_pages_shares_one_reading_that_took_long_and_nothing_is_kept_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ledger = Large()
    monkeypatch.setattr(sku_book, "Lookups", partial(Lookups, clock=lambda: ledger.now_s))
    book = SkuBook(ledger)
    first, second = await asyncio.gather(book.known(), book.known())
    assert first is second is await book.known()
    assert ledger.reads == 1
    monkeypatch.setattr(sku_book, "KEEP_S", 0.01)
    book = SkuBook(ledger)
    await book.known()

    async def is_read_again() -> bool:
        await book.known()
        return ledger.reads == 3

    await wait_until(is_read_again)
