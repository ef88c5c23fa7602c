"""The page in real browsers: cards tick, buying works, what is old looks old, a lost hub comes back, and what is
pasted into the console breaks nothing. Beside it: what the operations console offers to try, by keyboard."""

import json
import os
import re
import signal
from typing import Any

import pytest

from stockwire import AsyncClient
from tests.browsers.bidi import BrowserError
from tests.browsers.browser import CHROMIUM
from tests.browsers.fixtures import NewTab, sampled_in
from tests.browsers.keyboard import ENTER, tab_to
from tests.browsers.tab import SEVERE, Tab
from tests.cli.running import RunningUp
from tests.docs.pages import Block, watching_blocks
from tests.harness.source import ROOT
from tests.harness.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.usefixtures("processes")

SNIPPETS = [found for found in watching_blocks() if found.language == "js" and not found.text.startswith("import {")]
"""Those for a page: a program that begins with an import is a file of its own, which no developer console takes."""
WATCHED = re.compile(r"85123A|TEA-1|A-100")
MUTE_SOCKETS = "() => { window.WebSocket = class { send() {} close() {} }; }"
"""A hub that takes the connection and says nothing."""
HOLD_BUYING = """() => {
  const { fetch } = window;
  window.fetch = async (path, init) => {
    if (path === "/buy") await new Promise(done => { window.letBuy = done; });
    return fetch(path, init);
  };
}"""
"""A slow back end: it answers when the test says so."""
RECORD_NUMBERS = """
(() => {{
  window.numbers = [];
  new MutationObserver(() => window.numbers.push({number}))
    .observe(document.querySelector('{selector}'), {{childList: true, characterData: true, subtree: true}});
}})()
"""
"""Whatever a card says, also what it says for a moment only."""
RECORD = """
(() => {
  const looked = [];
  window.look = () => {
    const card = document.querySelector(".card"), button = card.querySelector("button");
    return {state: document.getElementById("state").textContent, card: card.innerText, button: button.innerText,
      filled: getComputedStyle(button).backgroundColor !== "rgba(0, 0, 0, 0)",
      bold: Number(getComputedStyle(card.querySelector("b")).fontWeight) > 400};
  };
  window.seen = looked;
  new MutationObserver(() => looked.push(window.look()))
    .observe(document.body, {attributes: true, attributeFilter: ["data-old"], subtree: true});
})()
"""
"""Looks at the page whenever it becomes old, or live again: before anybody can ask, it may be over."""
STATE = "document.getElementById('state').textContent"
LIVE = f"{STATE} === 'live'"
NUMBERS = "[...document.querySelectorAll('.card b')].map(b => b.textContent)"


async def recorded(page: Tab, part: str) -> Any:
    """The first look at the page while its state named ``part``."""
    return await page.wait(f"window.seen.find(look => look.state.includes({json.dumps(part)}))")


async def changed(page: Tab) -> None:
    before = await page.evaluate(f"JSON.stringify({NUMBERS})")
    await page.wait(f"JSON.stringify({NUMBERS}) !== {json.dumps(before)}")


def card(nth: int, inside: str = "") -> str:
    """A selector: the ``nth`` card of the page, counted from 1."""
    return f".card:nth-child({nth}) {inside}"


def text_of(selector: str) -> str:
    return f"document.querySelector({json.dumps(selector)}).textContent"


def enabled(selector: str) -> str:
    return f"!document.querySelector({json.dumps(selector)}).disabled"


@pytest.fixture
async def page(new_tab: NewTab, up: RunningUp) -> Tab:
    tab = await new_tab()
    await tab.open(up.run["page"])
    await tab.wait(LIVE)
    return tab


async def test_cards_tick_as_stock_changes(page: Tab, up: RunningUp) -> None:
    numbers = await page.evaluate(NUMBERS)
    assert len(numbers) == 24
    assert all(number.replace(",", "").isdigit() for number in numbers)
    await changed(page)
    await page.wait("document.querySelector('b.down') !== null")
    assert page.console(SEVERE) == []


@sampled_in(CHROMIUM)
async def test_buying_one_makes_the_stock_fall(page: Tab, up: RunningUp) -> None:
    last = card(24, "button")
    assert (await page.evaluate(f"document.querySelector('{last}').ariaLabel")).startswith("Buy one ")
    before = await page.evaluate(text_of(card(24, "b")))
    await page.click(last)
    await page.wait(f"{text_of(card(24, '.note'))} === 'bought, thank you'")
    await page.wait(f"{text_of(card(24, 'b'))} !== {json.dumps(before)}")
    assert await page.evaluate(enabled(last))


@sampled_in(CHROMIUM)
async def test_the_number_falls_at_the_click_and_rises_again_when_somebody_was_faster(
    new_tab: NewTab, up: RunningUp
) -> None:
    tab = await new_tab()
    await tab.before_each_page(HOLD_BUYING)
    await tab.open(up.run["page"])
    await tab.wait(LIVE)
    number, note = text_of(card(22, "b")), text_of(card(22, ".note"))
    sku = await tab.evaluate(f"document.querySelector('{card(22)}').dataset.sku")
    await tab.evaluate(RECORD_NUMBERS.format(number=number, selector=card(22, "b")))

    async def was_refused(client: AsyncClient) -> bool:
        """No, if the replay, which sells this too, restocked it meanwhile."""
        await client.stock.receive(sku, "shop", 5)
        await tab.wait(f"{enabled(card(22, 'button'))} && {number} !== '1'")
        before, after, said = await tab.evaluate(
            f"(() => {{ const before = {number}; document.querySelector('{card(22, 'button')}').click();"
            f" return [before, {number}, {note}]; }})()"
        )
        assert int(after.replace(",", "")) == int(before.replace(",", "")) - 1
        assert said == "buying …"
        await tab.evaluate("window.numbers.length = 0")
        await client.stock.count(sku, "shop", 0, if_version=None)
        await tab.wait("window.letBuy && (window.letBuy(), window.letBuy = null, true)")
        await tab.wait(f"{note} !== 'buying …' && window.numbers.length > 0")
        return bool(
            await tab.evaluate(f"{note} === 'sold out, somebody was faster' && window.numbers.includes('Sold out')")
        )

    async with AsyncClient(up.run["ledger"], up.run["key"]) as client:
        await wait_until(lambda: was_refused(client), what="a click that came too late")
        await client.stock.receive(sku, "shop", 500)
    await tab.wait(f"Number({number}.replaceAll(',', '')) > 400")


@sampled_in(CHROMIUM)
async def test_the_page_looks_old_while_its_hub_is_away_and_comes_back(page: Tab, up: RunningUp) -> None:
    await page.evaluate(RECORD)
    pids = up.run["pids"]
    for name in ("hub-1", "hub-2"):
        os.kill(pids[name], signal.SIGKILL)
    old = await recorded(page, "reconnecting")
    moment = old["state"].removeprefix("as of ").removesuffix(", reconnecting")
    assert len(moment.split(":")) == 3
    assert f"in stock at {moment}" in old["card"]
    assert (old["button"], old["filled"], old["bold"]) == ("Try to buy one", False, False)
    await page.wait(LIVE)
    now = await page.evaluate("window.look()")
    assert "in stock at" not in now["card"]
    assert (now["button"], now["filled"], now["bold"]) == ("Buy one", True, True)
    await changed(page)
    await up.replaced(pids, "hub-1", "hub-2")  # one of them is enough for the page


@sampled_in(CHROMIUM)
async def test_what_a_hub_that_is_behind_shows_looks_old(page: Tab, up: RunningUp) -> None:
    await page.evaluate(RECORD)
    broker = up.run["pids"]["valkey"]
    os.kill(broker, signal.SIGSTOP)
    try:
        old = await recorded(page, "the hub is behind")
    finally:
        os.kill(broker, signal.SIGCONT)
    assert old["state"].startswith("as of ")
    assert (old["button"], old["filled"], old["bold"]) == ("Try to buy one", False, False)
    await page.wait(f"{LIVE} && !document.querySelector('body[data-old]')")


@sampled_in(CHROMIUM)
async def test_what_is_sold_out_says_so_and_cannot_be_bought(page: Tab, up: RunningUp) -> None:
    stock, button = card(23, ".stock"), card(23, "button")
    sku = await page.evaluate(f"document.querySelector('{card(23)}').dataset.sku")
    async with AsyncClient(up.run["ledger"], up.run["key"]) as client:
        await client.stock.count(sku, "shop", 0, if_version=None)
        await page.wait(f"{text_of(stock)} === 'Sold out'")
        assert not await page.evaluate(enabled(button))
        await client.stock.receive(sku, "shop", 500)
    await page.wait(f"{text_of(stock)}.endsWith('in stock')")
    assert await page.evaluate(enabled(button))


@pytest.mark.parametrize("browser", [CHROMIUM], indirect=True)
async def test_what_there_is_to_try_is_begun_by_keyboard_and_its_end_is_told(new_tab: NewTab, up: RunningUp) -> None:
    tab, before = await new_tab(), up.run["pids"]
    (link,) = re.findall(r"http://\S+/in/\S+", up.printed_line("/in/"))  # which lets in once

    async def opened() -> bool:
        await tab.open(link)
        return True

    await wait_until(opened, PATIENCE_S, what="`up` does not wait for its console", swallow=BrowserError)
    await tab.wait("document.querySelector('#try, .try') !== null")
    told = "[...document.querySelectorAll('ol.said li')].map(line => line.textContent)"
    for label, lines in (("Kill a hub", 1), ("Cut the broker", 1), ("Start a flash sale", 2)):
        enough = len(await tab.evaluate(told)) + lines
        await tab_to(tab, f"document.activeElement.textContent === {json.dumps(label)}")
        await tab.press(ENTER)
        await tab.wait(f"{told}.length >= {enough} && !document.querySelector('.actions [aria-disabled]')")
    assert [line for line in await tab.evaluate(told) if " ! " in line] == []
    assert "oversold" in (await tab.evaluate(told))[-1]
    killed = [name for name, pid in up.run["pids"].items() if name.startswith("hub") and pid != before[name]]
    assert len(killed) == 1


@sampled_in(CHROMIUM)
async def test_before_the_first_snapshot_nothing_is_said_to_be_in_stock(new_tab: NewTab, up: RunningUp) -> None:
    tab = await new_tab()
    await tab.before_each_page(MUTE_SOCKETS)
    await tab.open(up.run["page"])
    await tab.wait("document.querySelectorAll('.card').length === 24")
    assert await tab.evaluate(STATE) == "connecting"
    assert "not known yet" in await tab.evaluate(text_of(card(1)))
    assert not await tab.evaluate(enabled(card(1, "button")))


@sampled_in(CHROMIUM)
@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda found: str(found.page.relative_to(ROOT)))
async def test_a_snippet_pasted_twice_into_the_console_leaves_the_page_alive(
    page: Tab, up: RunningUp, snippet: Block
) -> None:
    """As a plain script, which is stricter than the console of some browsers: nothing may be declared twice."""
    text = snippet.text.replace("READ_TOKEN", json.dumps(up.run["read_token"]))
    for number, hub in enumerate(up.run["hubs"]):
        text = text.replace(f"ws://127.0.0.1:{8090 + 10 * number}/v1/stream", hub)
    for _ in range(2):
        await page.run(text)
    await wait_until(lambda: _printed(page), PATIENCE_S, what="the snippet prints what it watches")
    sku = await page.evaluate("document.querySelector('.card').dataset.sku")
    async with AsyncClient(up.run["ledger"], up.run["key"]) as client:
        await client.stock.sell(sku, "shop")
        await wait_until(lambda: _equal(page, client, sku), PATIENCE_S, what="the page shows what the ledger has")
    assert await page.evaluate(LIVE)


async def _printed(page: Tab) -> bool:
    return any(WATCHED.search(line) for line in page.console())


async def _equal(page: Tab, client: AsyncClient, sku: str) -> bool:
    return bool(await page.evaluate(text_of(card(1, "b"))) == f"{(await client.stock.get(sku, 'shop')).available:,}")
