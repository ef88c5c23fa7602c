"""The sample shop's page in Chromium while stock changes as fast as on a launch.

Changes are published on the broker as a ledger would: see realistic.py.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cli.page_server import serve_page
from cli.shop import Card
from cli.shop import Shop as SampleShop
from stockwire import AsyncClient
from tests.bench.busy_page import CHANGES_PER_S, Seen, add, missing, page_rows, recorded_tab, watch
from tests.bench.hubs import own_hub
from tests.bench.many_skus import stock
from tests.bench.ratio import Row
from tests.bench.realistic import SETTLED_S, STEP_S, Publisher, publishing
from tests.bench.shop import LOCATION, Shop
from tests.browsers.tab import Tab
from tests.harness.servers import free_port

CARDS = 24
STATE = "document.getElementById('state').textContent"
NEWEST = """() => {
  const newest = window.newest = new Map();
  window.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", ({data}) => {
        const found = /"sku":"([^"]+)".*?"version":(\\d+)/.exec(data);
        if (found) newest.set(found[1], Number(found[2]));
      });
    }
  };
}"""
VERSIONS = "window.newest.values().reduce((sum, version) => sum + version, 0)"
"""Of all products together: how far it has come is what has changed, whatever was conflated on the way."""


async def busy_shop(shop: Shop, rounds: int) -> list[Row]:
    rows = page_rows("shop's page", f"cards of {CARDS} products")
    for _ in range(rounds):
        if why := missing():
            for row in rows:
                row.missing = why
            break
        add(rows, await _measure(shop))
    return rows


async def _measure(shop: Shop) -> Seen:
    prefix = f"busy-{secrets.token_hex(4)}-"
    cards = [Card(f"{prefix}{number:06}", f"Product {number}", "") for number in range(CARDS)]
    async with shop.http() as http:
        await stock(http, [card.sku for card in cards], 10**6)
    async with publishing(shop, prefix) as publisher, _page(shop, cards, publisher.channels) as tab:
        await asyncio.sleep(SETTLED_S)
        changing = asyncio.ensure_future(_change(publisher))
        try:
            seen = await watch(tab, lambda: tab.evaluate(VERSIONS))
            assert not changing.done(), changing
            assert await tab.evaluate(STATE) == "live"
            return seen
        finally:
            changing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await changing


@asynccontextmanager
async def _page(shop: Shop, cards: list[Card], channels: str) -> AsyncIterator[Tab]:
    """The sample shop's, live."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    async with (
        own_hub(shop, STOCKWIRE_ALLOWED_ORIGINS=origin, STOCKWIRE_CHANNEL_PREFIX=channels) as hub,
        AsyncClient(shop.system.ledger_url, shop.key) as client,
    ):
        sample = SampleShop(shop.system.ledger_url, shop.key, [hub.stream], LOCATION, cards, [origin])
        serving = asyncio.ensure_future(serve_page(sample, client, "127.0.0.1", port))
        try:
            async with recorded_tab() as tab:
                await tab.before_each_page(NEWEST)
                await tab.open(origin)
                await tab.wait(f"{STATE} === 'live'")
                yield tab
        finally:
            serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await serving


async def _change(publisher: Publisher) -> None:
    """All products in turn, CHANGES_PER_S; what was late is made up for by a larger batch."""
    done, started_s = 0, time.monotonic()
    while True:
        due = int((time.monotonic() - started_s) * CHANGES_PER_S)
        if due > done:
            await publisher.send(publisher.events([number % CARDS for number in range(done, due)]))
            done = due
        await asyncio.sleep(STEP_S)
