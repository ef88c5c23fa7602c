"""The client in React, Vue and Svelte: rendered by a server, hydrated, live, and gone without a trace.

Each page is bundled by Vite from the packed package, with the card that docs/how-to/javascript.md shows.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from stockwire import AsyncClient
from tests.browsers.browser import CHROMIUM
from tests.browsers.fixtures import NewTab, sampled_in
from tests.browsers.site import Site
from tests.browsers.tab import SEVERE, Tab
from tests.docs.pages import block
from tests.harness.node import run_node
from tests.harness.packed import project_with_client
from tests.harness.source import ROOT
from tests.harness.system import System

pytestmark = pytest.mark.usefixtures("processes")

SOURCES = Path(__file__).with_name("frameworks")
HOW_TO = ROOT / "docs" / "how-to" / "javascript.md"
CARDS = {"jsx": "Card.jsx", "vue": "Card.vue", "svelte": "Card.svelte"}
RECIPE_LINES_MAX = 15
SERVERS = {"react": "react.server.js", "vue": "vue.server.js", "svelte": "svelte.server.js"}
frameworks = pytest.mark.parametrize("name", SERVERS)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = project_with_client(tmp_path_factory.mktemp("frameworks"))
    shutil.copytree(SOURCES, folder, dirs_exist_ok=True)
    for language, card in CARDS.items():
        (folder / card).write_text(block(HOW_TO, language, f"my-shop/{card}"))
    run_node("build.mjs", cwd=folder)
    return folder


@dataclass
class Shop:
    client: AsyncClient
    tab: Tab

    async def seen(self, name: str) -> object:
        return await self.tab.evaluate(f"seen.{name}")

    async def wait_for(self, selector: str, text: str) -> None:
        await self.tab.wait(f"document.querySelector({selector!r})?.textContent === {text!r}")


async def opened(name: str, project: Path, system: System, site: Site, tab: Tab) -> AsyncClient:
    """The page as a server renders it, hydrated."""
    system.plan_hubs(1)
    ledger = await system.start_ledger(STOCKWIRE_ALLOWED_ORIGINS=site.origin)
    await system.start_hub(STOCKWIRE_ALLOWED_ORIGINS=site.origin)
    key = await system.admin_key()
    client = AsyncClient(ledger.url, key)
    await client.locations.put("web", "Web")
    for sku, units in (("A-100", 10), ("B-200", 3)):
        await client.items.put(sku, sku)
        await client.stock.receive(sku, "web", units)

    async def mint(_name: str) -> str:
        return key

    site.mint = mint
    site.built = project / "built"
    options = {"url": ledger.url, "initial": {"available": 10}}
    rendered = run_node(project / "built" / f"{name}.server" / SERVERS[name], json.dumps(options), cwd=project)
    assert "…" in rendered, "on a server nothing is known"
    assert name != "react" or '<p id="first">10</p>' in rendered, "but for what it is given"
    script = f'<script type="module" src="/built/{name}/page.js"></script>'
    site.html[name] = f'<link rel="icon" href="data:,"><div id="app">{rendered}</div>{script}'
    await tab.open(site.page(name, **options))
    return client


@sampled_in(CHROMIUM)
@frameworks
async def test_a_page_is_hydrated_ticks_sells_and_leaves_nobody_watching(
    name: str, project: Path, system: System, site: Site, new_tab: NewTab
) -> None:
    tab = await new_tab()
    client = await opened(name, project, system, site, tab)
    async with client:
        shop = Shop(client, tab)
        await tab.wait("document.body.dataset.mounted")
        await shop.wait_for("#card .stock", "10")
        await client.stock.sell("A-100", "web")
        await shop.wait_for("#card .stock", "9")
        await tab.click("#buy")
        await shop.wait_for("#card .stock", "8")
        if name == "react":
            await shop.wait_for("#first", "8")
            await shop.wait_for("#sum", "11")
            await shop.wait_for("#state", "live")
        else:
            await tab.click("#other")
            await shop.wait_for("#card .stock", "3")
        before = await shop.seen("subscribes")
        await tab.click("#many")
        await tab.wait("document.querySelectorAll('.stock').length > 200")
        await tab.wait("seen.watching > 200")
        await tab.wait(f"seen.subscribes === {before} + 1", "200 cards that appear at once are one subscription")
        await tab.click("#leave")
        await shop.wait_for("#gone", "gone")
        await tab.wait("seen.watching === 0", "nobody watches any more")
        assert await shop.seen("mismatches") == []
        assert tab.console(SEVERE) == []


@pytest.mark.parametrize("language", ["vue", "svelte"])
def test_a_recipe_is_short(language: str) -> None:
    assert len(block(HOW_TO, language, f"my-shop/{CARDS[language]}").splitlines()) <= RECIPE_LINES_MAX
