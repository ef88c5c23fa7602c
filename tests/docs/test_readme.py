"""The README's three snippets, run as they are printed, and the figures it names."""

import asyncio
import json
from decimal import Decimal

import pytest

from hub.limits import Limits
from ledger.bodies import LINES_MAX
from ledger.limits import BODY_BYTES_MAX
from stockwire import AsyncClient
from tests.docs.pages import block, text_of
from tests.docs.running import Reader, line_of, node_command
from tests.shown import shown_by_hubs
from tests.source import ROOT
from tests.system import System

README = ROOT / "README.md"
SKU, LOCATION = "85123A", "shop"
STOCK = 100


@pytest.fixture
async def stocked(shop: AsyncClient, pages_system: System) -> AsyncClient:
    await shop.items.put(SKU, "White hanging heart T-light holder", price=Decimal("2.55"), currency="GBP")
    await shop.locations.put(LOCATION, "Sample shop")
    counted = await shop.stock.count(SKU, LOCATION, STOCK, if_version=None)
    await shown_by_hubs(pages_system, LOCATION, SKU, counted.level.version)
    return shop


async def test_the_curl_line_sells_one_unit_once(reader: Reader, stocked: AsyncClient) -> None:
    before = await stocked.stock.get(SKU, LOCATION)
    first = json.loads(await reader.shell(block(README, "sh", "sell")))
    assert first["levels"][0]["available"] == before.available - 1
    assert json.loads(await reader.shell(block(README, "sh", "sell"))) == first
    assert (await stocked.stock.get(SKU, LOCATION)).available == before.available - 1


async def test_the_python_program_shows_a_sale(reader: Reader, stocked: AsyncClient) -> None:
    async with reader.python_running(block(README, "python", "watch")) as lines:
        printed = asyncio.create_task(line_of(lines))
        while not printed.done():  # what was sold before it had subscribed is part of its snapshot
            left = (await stocked.stock.sell(SKU, LOCATION)).level.available
            await asyncio.wait([printed], timeout=0.2)
        sku, available = printed.result().split()
        assert sku == SKU
        assert left <= int(available) < STOCK


async def test_the_script_shows_the_stock_and_a_sale(
    reader: Reader, stocked: AsyncClient, pages_system: System
) -> None:
    node = node_command()
    if node is None:
        pytest.skip("no node with WebSocket here; tests/cli/test_page.py runs it in a browser")
    text = block(README, "js", "subscribe")
    async with reader.script_running(node, text, READ_TOKEN=await pages_system.admin_key()) as lines:
        assert await line_of(lines) == f"{SKU} {STOCK}"
        await stocked.stock.sell(SKU, LOCATION)
        assert await line_of(lines) == f"{SKU} {STOCK - 1}"


def test_the_limits_are_the_defaults() -> None:
    limits = Limits()
    sentence = (
        f"Per request {BODY_BYTES_MAX // 1024} KiB and {LINES_MAX:,} lines; per stream connection "
        f"{limits.subscriptions_max} subscriptions of up to {limits.skus_max:,} skus (or whole locations), messages of "
        f"{limits.message_bytes_max // 1024} KiB, {limits.messages_per_minute} a minute after a burst of "
        f"{limits.messages_burst}."
    )
    assert sentence in " ".join(text_of(README).split())
