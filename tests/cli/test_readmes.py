"""The programs of the README and of the client's, run as they are printed where a `stockwire up` runs."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from stockwire import AsyncClient
from tests.cli.running import RunningUp
from tests.docs.pages import block
from tests.docs.running import Reader, line_of
from tests.harness.source import ROOT

pytestmark = pytest.mark.usefixtures("processes")

README = ROOT / "README.md"
CLIENT_README = ROOT / "client-sdk" / "python" / "README.md"
SKU, LOCATION = "85123A", "shop"


@pytest.fixture
def reader(up: RunningUp, tmp_path: Path) -> Reader:
    return Reader(tmp_path, up.data, up.run["ledger"], up.run["hubs"])


@pytest.fixture
async def shop(up: RunningUp) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(up.run["ledger"], up.run["key"]) as client:
        yield client


async def test_the_curl_line_sells_one_unit_once(reader: Reader, shop: AsyncClient) -> None:
    first = json.loads(await reader.shell(block(README, "sh", "sell")))
    assert json.loads(await reader.shell(block(README, "sh", "sell"))) == first
    history = [event async for event in shop.stock.history(SKU, LOCATION)]
    sold = [event.on_hand_delta for event in history if str(event.operation) == first["operation"]]
    assert sold == [-1]


async def test_the_python_program_holds_and_pays(reader: Reader, shop: AsyncClient) -> None:
    async with reader.python_running(block(README, "python", "hold")) as lines:
        held, paid = await line_of(lines), await line_of(lines)
        assert await lines.read() == b""
    assert held.startswith("pending until 20")
    assert paid == "committed"
    (order,) = [one async for one in shop.reservations.list(reference="order-4712")]
    assert (order.state, order.lines[0].committed) == ("committed", 2)
    await shop.reservations.cancel(order.id)


async def test_the_client_s_readme_holds_pays_and_sends(reader: Reader, shop: AsyncClient) -> None:
    async with reader.python_running(block(CLIENT_README, "python", "hold")) as lines:
        printed = [await line_of(lines) for _ in range(3)]
        assert await lines.read() == b""
    assert printed == ["pending [('85123A', 'shop', 2), ('71053', 'shop', 1)]", "committed", "fulfilled"]
    (order,) = [one async for one in shop.reservations.list(customer="c-17")]
    assert [(line.sku, line.quantity, line.fulfilled) for line in order.lines] == [("85123A", 1, 1), ("71053", 1, 1)]


async def test_the_python_program_shows_a_sale(reader: Reader, shop: AsyncClient) -> None:
    async with reader.python_running(block(README, "python", "watch")) as lines:
        printed = asyncio.create_task(line_of(lines))
        while not printed.done():  # what was sold before it had subscribed is part of its snapshot
            await shop.stock.sell(SKU, LOCATION)
            await asyncio.wait([printed], timeout=0.2)
        sku, available = printed.result().split()
        assert sku == SKU
        assert available.isdigit()


async def test_the_script_shows_the_stock_and_a_sale(reader: Reader, shop: AsyncClient, up: RunningUp) -> None:
    text = block(README, "js", "subscribe")
    async with reader.script_running(text, READ_TOKEN=up.run["read_token"]) as lines:
        sku, before = (await line_of(lines)).split()
        assert sku == SKU
        await shop.stock.sell(SKU, LOCATION)
        assert (await line_of(lines)).split()[1] != before


async def test_the_client_s_readme_sells(reader: Reader, shop: AsyncClient) -> None:
    async with reader.python_running(block(CLIENT_README, "python", "sell")) as lines:
        there, left = await line_of(lines), await line_of(lines)
        assert await lines.read() == b""
    assert "available at version" in there
    assert left.startswith("left: ")
    last = [event async for event in shop.stock.history("71053", LOCATION)][-1]
    assert last.actor == "stockwire-up"
