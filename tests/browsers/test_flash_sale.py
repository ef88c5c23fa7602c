"""Fifty units and ten visitors who click as fast as they can, on the sample shop's own page: fifty are sold."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from cli.page_server import serve_page
from cli.shop import Card, Shop
from stockwire import AsyncClient
from tests.browsers.browser import CHROMIUM
from tests.browsers.fixtures import NewTab, sampled_in
from tests.browsers.tab import SEVERE, Tab
from tests.harness.servers import free_port
from tests.harness.system import ResidentSystem
from tests.harness.waiting import PATIENCE_S, wait_until

UNITS = 50
VISITORS = 10
SKU, LOCATION = "A-100", "berlin"
COUNT_SALES = """() => {
  const { fetch } = window;
  window.sold = window.refused = 0;
  window.fetch = async (...given) => {
    const answer = await fetch(...given);
    if (given[0] === "/buy") answer.ok ? window.sold++ : answer.status === 409 && window.refused++;
    return answer;
  };
}"""
CLICK = "document.querySelector('.card button').click()"
STOCK = "document.querySelector('.stock').textContent"
NOTE = "document.querySelector('.note').textContent"


@pytest.fixture
async def page(system: ResidentSystem) -> AsyncIterator[str]:
    """Address of a shop with ``UNITS`` of one product."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    system.plan_hubs(2)
    await system.start_ledger(STOCKWIRE_ALLOWED_ORIGINS=origin)
    for _ in range(2):
        await system.start_hub(STOCKWIRE_ALLOWED_ORIGINS=origin)
    await system.await_fresh()
    key = await system.admin_key()
    async with AsyncClient(system.ledger_url, key) as client:
        await client.locations.put(LOCATION, "Berlin")
        await client.items.put(SKU, "Teapot")
        await client.stock.receive(SKU, LOCATION, UNITS)
        shop = Shop(system.ledger_url, key, system.stream_urls, LOCATION, [Card(SKU, "Teapot", "")], [origin])
        serving = asyncio.ensure_future(serve_page(shop, client, "127.0.0.1", port))
        yield origin
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving


@sampled_in(CHROMIUM)
async def test_ten_tabs_sell_fifty_units_and_not_one_more(new_tab: NewTab, page: str, system: ResidentSystem) -> None:
    tabs = [await new_tab() for _ in range(VISITORS)]
    for tab in tabs:
        await tab.before_each_page(COUNT_SALES)
    await asyncio.gather(*(tab.open(page) for tab in tabs))
    await asyncio.gather(*(tab.wait(f"{STOCK} === '{UNITS}in stock'") for tab in tabs))
    selling = [asyncio.ensure_future(_click_until_sold_out(tab)) for tab in tabs]
    await asyncio.gather(*selling)
    await asyncio.gather(*(tab.wait(f"{STOCK} === 'Sold out' && {NOTE} !== 'buying …'") for tab in tabs))
    sold = [await tab.evaluate("window.sold") for tab in tabs]
    assert sum(sold) == UNITS, sold
    async with AsyncClient(system.ledger_url, await system.admin_key()) as client:
        level = await client.stock.get(SKU, LOCATION)
        assert (level.on_hand, level.available) == (0, 0)
        sales = [event async for event in client.stock.history(SKU, LOCATION) if event.kind == "sale"]
        assert len(sales) == UNITS
        await client.stock.receive(SKU, LOCATION, 7)
    await asyncio.gather(*(tab.wait(f"{STOCK} === '7in stock'") for tab in tabs))
    assert not any("500" in line for tab in tabs for line in tab.console(SEVERE))


async def _click_until_sold_out(tab: Tab) -> None:
    async def sold_out() -> bool:
        await tab.evaluate(CLICK)
        return bool(await tab.evaluate(f"{STOCK} === 'Sold out'"))

    await wait_until(sold_out, PATIENCE_S)
