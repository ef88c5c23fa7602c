"""The how-tos of the badge, from their own lines alone: in a browser, as their reader would."""

import json
import re
import socket
from pathlib import Path

import pytest

from cli.access import SCOPES as UP_SCOPES
from cli.sample_shop import LOCATION
from stockwire import AsyncClient
from tests.browsers.browser import CHROMIUM
from tests.browsers.fixtures import NewTab
from tests.browsers.shopfront import SEEN, Shopfront, says
from tests.browsers.tab import SEVERE, Tab
from tests.conftest import StartHub, StartLedger
from tests.docs.following import Follower
from tests.docs.pages import HOW_TOS, Block, block, blocks
from tests.docs.running import Reader
from tests.harness.node import PACKAGE
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.parametrize("browser", [CHROMIUM], indirect=True)

PAGE, SHOPS, CLIENT = (
    next(page for page in HOW_TOS if page.name == name) for name in ("badge.md", "badge-in-a-shop.md", "javascript.md")
)
STAND_IN = """<script>
  window.jQuery = (selector) => {
    const one = document.querySelector(selector);
    return {on(name, listener) { one?.addEventListener(name, (event) => listener(event, event.detail)); return this; }};
  };
</script>"""
"""As much of jQuery as WooCommerce's events need: it hands its listeners the event and what it was triggered with."""


class Visit(Follower):
    """Follows a page whose reader looks at ``shown`` in a browser, too."""

    def __init__(self, reader: Reader, tab: Tab, shown: str) -> None:
        super().__init__(reader, PAGE)
        self._tab = tab
        self._shown = shown
        self._looks = 0

    async def _do(self, found: Block) -> None:
        match found.verb, found.name:
            case "output", "badge-page":
                await self._see(f"{SEEN}(document.querySelector('stock-badge')).textContent", found.text)
            case "output", "badge-event":
                await self._see("document.querySelector('output').value", found.text)
            case _:
                await super()._do(found)
                if found.language == "html" or found.verb == "open":
                    await self._tab.wait("true")  # a page of before may just be going
                    await self._look()

    async def _look(self) -> None:
        """Once it is served: the first page is saved before there is a server."""
        if "badge-server" in self._open:
            await reached(self._shown)
            self._looks += 1  # what is saved twice within a second is, to a browser that asks again, what it was
            await self._tab.open(f"{self._shown}?{self._looks}")

    async def _see(self, expression: str, text: str) -> None:
        await self._tab.wait(f"{expression} === {json.dumps(text.rstrip())}", text)


async def reached(url: str) -> None:
    host, _, port = url.removeprefix("http://").partition(":")

    async def is_open() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((host, int(port))) == 0

    await wait_until(is_open, PATIENCE_S, what=url)


async def test_the_badge_works_from_the_lines_of_its_page_alone(
    system: System, start_ledger: StartLedger, start_hub: StartHub, new_tab: NewTab, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    origin = f"http://localhost:{port}"
    system.plan_hubs(2)
    await start_ledger(STOCKWIRE_ALLOWED_ORIGINS=origin)
    for _ in range(2):
        await start_hub(
            STOCKWIRE_ALLOWED_ORIGINS=origin, STOCKWIRE_HUB_PUBLIC_LOCATIONS=LOCATION, STOCKWIRE_HUB_VISITORS=1
        )
    await system.await_fresh()
    async with AsyncClient(system.ledger_url, await system.admin_key()) as client:
        await client.locations.put(LOCATION, "Sample shop")
    meant = {"http.server 8000": f"http.server {port}"}
    for number, hub in enumerate(system.hubs):
        meant[f"http://127.0.0.1:{8091 + 10 * number}"] = hub.url
        meant[f"ws://127.0.0.1:{8090 + 10 * number}"] = hub.stream.removesuffix("/v1/stream")
    reader = Reader.of_system(tmp_path, system, await system.key("up", *UP_SCOPES))
    reader.meant = meant
    tab = await new_tab()
    visit = Visit(reader, tab, origin)
    try:
        await visit.follow_blocks(blocks(PAGE))
        await _watch_by_import_map(reader, tab, origin)
    finally:
        await visit.close()
    assert tab.console(SEVERE) == []


async def _watch_by_import_map(reader: Reader, tab: Tab, origin: str) -> None:
    """The page of the JavaScript how-to, in the place where npm has put the package."""
    installed = reader.folder / "my-shop" / "node_modules" / "@stockwire" / "client"
    installed.parent.mkdir(parents=True)
    installed.symlink_to(PACKAGE)
    await reader.shell("stockwire items put 85123A hearts && stockwire stock receive 85123A shop 20")
    (reader.folder / "my-shop" / "index.html").write_text(reader.here(block(CLIENT, "html", "my-shop/index.html")))
    await tab.open(f"{origin}/my-shop/")
    await tab.wait("document.querySelector('output').value === '10+ (live)'")


async def test_the_lines_for_shopify_follow_the_variants_of_a_theme(front: Shopfront, new_tab: NewTab) -> None:
    await front.open("red", "blue")
    await front.shop.sell("web", "blue", 20)
    text = block(SHOPS, "liquid", "shopify")
    for pattern, value in (
        (r"\{%- assign .*?-%\}\n", ""),
        (r"\{%- if .*?-%\}(.*?)\{%- else -%\}.*?\{%- endif -%\}", r"\1"),
        (r"\{%- for .*?-%\}.*?\{%- endfor -%\}", '"11": "red", "12": "blue",'),
        (r"\{\{ variant\.sku \| escape \}\}", "red"),
        (r"\{\{ product\.title \| escape \}\}", "Tea"),
    ):
        text, count = re.subn(pattern, value, text, flags=re.DOTALL)
        assert count == 1, pattern
    assert "{%" not in text
    assert "{{" not in text
    form = (
        '<form action="/cart/add"><input type="hidden" name="id" value="11"><button type="submit">Add</button></form>'
    )
    tab = await new_tab()
    lines = text.replace("https://hub.example", front.hub.url)
    await tab.open(front.show("shopify", lines + form, head="", inline=True))
    await says(tab, "#stock", "in-stock: In stock")
    await tab.evaluate(
        "void Object.assign(document.forms[0].id, {value: '12'}).dispatchEvent(new Event('change', {bubbles: true}))"
    )
    await says(tab, "#stock", "out: Sold out")
    await tab.wait("document.querySelector('button').disabled")
    await tab.evaluate(
        "void document.body.dispatchEvent(Object.assign(new Event('shopify:product:select', {bubbles: true}),"
        " {promise: Promise.resolve({variant: {id: 'gid://shopify/ProductVariant/11'}})}))"
    )
    await says(tab, "#stock", "in-stock: In stock")
    await tab.wait("!document.querySelector('button').disabled")
    assert tab.console(SEVERE) == []


async def test_the_lines_for_woocommerce_follow_its_variations(front: Shopfront, new_tab: NewTab) -> None:
    await front.open("red", "blue")
    await front.shop.sell("web", "blue", 20)
    php = block(SHOPS, "php", "woocommerce")
    printed = re.search(r"printf\(\s*'(.*?)',\n", php)
    script = re.search(r"<script>.*?</script>", php, re.DOTALL)
    assert printed
    assert script
    button = '<button type="submit" class="single_add_to_cart_button">Add to cart</button>'
    form = f'<form class="cart variations_form">{button}</form>'
    tag = printed[1] % ("tea", "Tea", "In stock")
    head = f'<script type="module" src="{front.hub.url}/v1/badge.js"></script>'
    tab = await new_tab()
    await tab.open(front.show("woocommerce", STAND_IN + tag + form + script[0], head=head, inline=True))
    await tab.wait("document.querySelector('button').id === 'stock-buy'")
    await tab.evaluate(
        "void (chosen = (name, detail) => document.forms[0].dispatchEvent(new CustomEvent(name, {detail})), true)"
    )
    await tab.evaluate("chosen('found_variation', {sku: 'blue'})")
    await says(tab, "#stock", "out: Sold out")
    await tab.wait("document.querySelector('button').disabled")
    await tab.evaluate("chosen('found_variation', {sku: 'red'})")
    await says(tab, "#stock", "in-stock: In stock")
    await tab.evaluate("chosen('reset_data')")
    await tab.wait("!document.querySelector('stock-badge').dataset.state", "its own text while nothing is chosen")
    assert tab.console(SEVERE) == []
