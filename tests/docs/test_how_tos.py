"""What the how-tos print is what runs: their commands and programs, in the order of the page."""

import asyncio
import json
from collections.abc import Callable, Mapping

import pytest

from hub.settings import read_settings as read_hub_settings
from ledger.database import create_engine
from ledger.keys import list_keys
from ledger.settings import read_settings as read_ledger_settings
from stockwire import AsyncClient
from tests.docs.pages import HOW_TOS, block, blocks
from tests.docs.running import DEADLINE_S, Reader, line_of, node_command
from tests.shown import shown_by_hubs
from tests.source import ROOT
from tests.system import System
from tests.waiting import wait_until

PAGES = ROOT / "docs" / "how-to"
VERBS = {"run", "output", "file", "env"}
HELD = {
    ("README.md", "sell"),
    ("README.md", "watch"),
    ("README.md", "subscribe"),
    ("storefront.md", "storefront"),
    ("storefront.md", "storefront-public"),
    ("storefront.md", "storefront-back"),
    ("till.md", "till"),
    ("till.md", "till-view"),
    ("import-sales.md", "import"),
    ("import-sales.md", "sales.csv"),
    ("import-sales.md", "opening.csv"),
    ("back-up-and-restore.md", "back-up"),
    ("back-up-and-restore.md", "restore"),
    ("production.md", "production"),
    ("production.md", "ledger"),
    ("production.md", "hub"),
}
"""What a test of this folder takes from a page."""


@pytest.fixture
async def berlin(shop: AsyncClient, pages_system: System) -> AsyncClient:
    """A location with five units of A-100 and of B-200."""
    await shop.locations.put("berlin", "Berlin")
    for sku in ("A-100", "B-200"):
        await shop.items.put(sku, sku)
        counted = await shop.stock.count(sku, "berlin", 5, if_version=None)
        await shown_by_hubs(pages_system, "berlin", sku, counted.level.version)
    return shop


def test_every_fenced_block_of_the_guides_is_held_by_a_test() -> None:
    pages = (ROOT / "README.md", *HOW_TOS)
    found = [found for page in pages for found in blocks(page) if found.verb != "capture"]  # see test_captures
    assert [found for found in found if found.verb not in VERBS] == []
    assert {(found.page.name, found.name) for found in found} == HELD


async def test_the_storefront_shows_stock_and_sells_a_click_once(
    reader: Reader, berlin: AsyncClient, pages_system: System
) -> None:
    page = PAGES / "storefront.md"
    reader.variables["STOCKWIRE_API_KEY"] = (await reader.shell(block(page, "sh", "storefront"))).strip()
    minted = json.loads(await reader.shell(block(page, "sh", "storefront", 1)))
    assert minted["scopes"] == ["stock:read:berlin"]
    sold = await reader.python(block(page, "python", "storefront"), "click-1", "click-1", "click-2")
    assert sold.splitlines() == ["click-1 sold, 4 left", "click-1 sold, 4 left", "click-2 sold, 3 left"]
    none = await berlin.stock.count("A-100", "berlin", 0, if_version=None)
    await shown_by_hubs(pages_system, "berlin", "A-100", none.level.version)
    assert await reader.python(block(page, "python", "storefront"), "click-3") == "click-3 sold out, 0 left\n"
    node = node_command()
    if node is not None:
        constants = {"HUB_URL": pages_system.stream_urls[1], "READ_TOKEN": minted["token"]}
        async with reader.script_running(node, block(page, "js", "storefront"), **constants) as lines:
            assert await level_line_of(lines) == "A-100 sold out"
            await berlin.stock.receive("A-100", "berlin", 7)
            assert await level_line_of(lines) == "A-100 7"


async def level_line_of(lines: asyncio.StreamReader) -> str:
    """The next line that does not say how old everything is."""
    while (line := await line_of(lines)).startswith("as of"):
        pass
    return line


async def test_the_storefront_shows_no_numbers_and_tells_what_is_back(
    reader: Reader, berlin: AsyncClient, pages_system: System
) -> None:
    page = PAGES / "storefront.md"
    reader.variables["STOCKWIRE_API_KEY"] = (await reader.shell(block(page, "sh", "storefront-public"))).strip()
    async with reader.python_running(block(page, "python", "storefront-public")) as lines:
        assert await line_of(lines) == "A-100 in_stock 5+"
        await berlin.stock.sell("A-100", "berlin", 3)
        assert await line_of(lines) == "A-100 low 1+"
        last = await berlin.stock.sell("A-100", "berlin", 2)
        assert await line_of(lines) == "A-100 out 0"
    await shown_by_hubs(pages_system, "berlin", "A-100", last.level.version)
    async with reader.python_running(block(page, "python", "storefront-back")) as lines:
        assert await line_of(lines) == "waiting for A-100"
        await berlin.stock.receive("A-100", "berlin", 1)
        assert await line_of(lines) == "A-100 is back"


async def test_the_till_sells_a_receipt_once_and_counts(
    reader: Reader, berlin: AsyncClient, pages_system: System
) -> None:
    page = PAGES / "till.md"
    reader.variables["STOCKWIRE_API_KEY"] = (await reader.shell(block(page, "sh", "till"))).strip()
    sold = await reader.python(block(page, "python", "till"), "r-1", "r-1", "r-2", "r-3")
    assert sold.splitlines() == ["r-1: sold", "r-1: sold (before)", "r-2: sold", "r-3: only 1 of B-200"]
    assert await reader.python(block(page, "python", "till", 1)) == "counted 2\n"
    counted = await berlin.stock.get("A-100", "berlin")
    await shown_by_hubs(pages_system, "berlin", "A-100", counted.version)

    async def fresh() -> bool:
        printed = await reader.python(block(page, "python", "till-view"))
        assert printed in ("2 available\n", "2 available, as far as we know\n")
        return printed == "2 available\n"

    await wait_until(fresh, DEADLINE_S)


async def test_the_import_accounts_for_every_line_as_printed(reader: Reader) -> None:
    page = PAGES / "import-sales.md"
    for found in blocks(page):
        if found.verb == "file":
            (reader.folder / found.name).write_text(found.text)
    for number in (0, 1):
        printed = await reader.shell(block(page, "sh", "import", number))
        assert json.loads(printed.splitlines()[-1]) == json.loads(block(page, "json", "import", number))
    assert await reader.shell(block(page, "sh", "import", 1)) == printed


async def test_the_commands_of_production_migrate_and_make_keys(reader: Reader, empty_database_url: str) -> None:
    page = PAGES / "production.md"
    reader.variables["STOCKWIRE_DATABASE_URL"] = empty_database_url
    hub_key, ops_key = (await reader.shell(block(page, "sh", "production"))).splitlines()[-2:]
    assert hub_key.startswith("sw_")
    assert ops_key.startswith("sw_")
    engine = create_engine(empty_database_url, 1)
    try:
        async with engine.connect() as connection:
            scopes = {key.owner: set(key.scopes) for key in await list_keys(connection, "", 10)}
    finally:
        await engine.dispose()
    assert scopes == {"hubs": {"hub"}, "ops": {"admin", "stock:read:*", "stock:write:*"}}


@pytest.mark.parametrize(("process", "read"), [("ledger", read_ledger_settings), ("hub", read_hub_settings)])
def test_the_printed_settings_are_taken(process: str, read: Callable[[Mapping[str, str]], object]) -> None:
    lines = block(PAGES / "production.md", "sh", process).splitlines()
    read(dict(line.split("=", 1) for line in lines))
