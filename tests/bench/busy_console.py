"""The console's pages in Chromium while a ledger commits as much as on a launch, each for a minute by itself."""

import asyncio
import contextlib
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.bench.busy_page import CHANGES_PER_S, Seen, add, missing, page_rows, recorded_tab, watch
from tests.bench.consoles import own_console, viewer_key
from tests.bench.many_skus import stock
from tests.bench.ratio import Row
from tests.bench.shop import LOCATION, Shop
from tests.browsers.tab import Tab

SKUS, LINES = 500, 250
"""An operation sells one of each of so many skus, the next one of the others: on two cores as many operations as
changes would leave nothing to the page."""
PAGES = (
    ("console's launch page", "/launch", "what sells most, two charts, segments"),
    ("console's stock page", "/stock?search={name}", "the rows in sight"),
    ("console's wall", "/launch?wall=1", "five skus, large"),
)
LIVE = "document.querySelector('p.badge.live') !== null && document.querySelector('.empty.waits') === null"


async def busy_console(shop: Shop, rounds: int) -> list[Row]:
    rows_of = [(address, page_rows(page, drawn)) for page, address, drawn in PAGES]
    rows = [row for _, of_page in rows_of for row in of_page]
    for _ in range(rounds):
        if why := missing():
            for row in rows:
                row.missing = why
            break
        async with _sales(shop) as sales, own_console(shop) as url, _signed_in(shop, url) as tab:
            for address, of_page in rows_of:
                add(of_page, await _measure(tab, url + address.format(name=sales.name), sales))
    return rows


class Sales:
    """``name``: what all skus begin with."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.skus = [f"{name}-{number:03}" for number in range(SKUS)]
        self.lines = 0

    async def sell(self, shop: Shop) -> None:
        """CHANGES_PER_S, at set times; until cancelled."""
        bodies = [_body(self.skus[at : at + LINES]) for at in range(0, SKUS, LINES)]
        began_s, number = time.monotonic(), 0
        async with shop.http() as http:
            while True:
                await asyncio.sleep(max(0.0, began_s + number * LINES / CHANGES_PER_S - time.monotonic()))
                headers = {"Content-Type": "application/json", "Idempotency-Key": secrets.token_hex(12)}
                body = bodies[number % len(bodies)]
                (await http.post("/v1/movements", content=body, headers=headers)).raise_for_status()
                number += 1
                self.lines += LINES

    async def count(self) -> float:
        return self.lines


def _body(skus: list[str]) -> bytes:
    lines = [{"sku": sku, "location": LOCATION, "quantity": -1, "kind": "sale"} for sku in skus]
    return json.dumps({"lines": lines}).encode()


@asynccontextmanager
async def _sales(shop: Shop) -> AsyncIterator[Sales]:
    sales = Sales(f"busy-{secrets.token_hex(4)}")
    async with shop.http() as http:
        await stock(http, sales.skus, 10**6)
    selling = asyncio.ensure_future(sales.sell(shop))
    try:
        yield sales
        assert not selling.done(), selling
    finally:
        selling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await selling


@asynccontextmanager
async def _signed_in(shop: Shop, url: str) -> AsyncIterator[Tab]:
    """A tab that shows something else than a page of the console's, and has its cookie."""
    async with recorded_tab() as tab:
        await tab.open(f"{url}/favicon.svg")
        key = json.dumps(await viewer_key(shop))
        headers = "headers: {'Content-Type': 'application/json'}"
        asked = f"fetch('/api/session', {{method: 'POST', {headers}, body: JSON.stringify({{key: {key}}})}})"
        assert await tab.evaluate(f"{asked}.then(({{status}}) => status)") == 200
        yield tab


async def _measure(tab: Tab, address: str, sales: Sales) -> Seen:
    await tab.open(address)
    await tab.wait(LIVE)
    seen = await watch(tab, sales.count)
    assert await tab.evaluate(LIVE)
    return seen
