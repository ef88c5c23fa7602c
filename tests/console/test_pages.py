"""The console's pages in a real browser: legible to everybody, worked by keyboard alone, honest about what is old."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from urllib.parse import quote

import pytest

from tests.browsers.browser import CHROMIUM, Browser, started
from tests.browsers.tab import SEVERE, Tab
from tests.console.played import CANARIES, SKUS, Played
from tests.console.playing import KEY, Playing, playing
from tests.harness.node import TOOLS, need_tools

pytestmark = pytest.mark.usefixtures("processes")

TAB, ENTER, ESCAPE, DOWN, END = "\ue004", "\ue007", "\ue00c", "\ue015", "\ue010"
STOPS_MAX = 60
"""Of the Tab key, until what is looked for has the focus."""
ROWS_DRAWN_MAX = 80
PAGES = {
    "launch": "/launch",
    "stock": "/stock",
    "level": "/level?location=web&sku=SKU-000001&at=2026-11-22T09:00:00Z",
    "log": "/log",
    "nodes": "/nodes",
    "problems": "/problems",
    "holds": "/holds",
}
WALL = "/launch?wall=1"
WIDE, NARROW = (1280, 900), (320, 640)
READY = "document.querySelector('main.page') !== null && document.querySelector('.empty.waits') === null"
AXE = """axe.run(document, {resultTypes: ['violations']}).then(found => found.violations.map(
  violation => `${violation.id}: ${violation.nodes.slice(0, 3).map(node => node.html).join(' | ')}`))"""
BESIDE = """document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll('body *')].filter(
  one => one.getBoundingClientRect().right > innerWidth + 1).map(one => one.outerHTML.slice(0, 200)).slice(0, 3)"""
"""What reaches beyond the screen."""
FOCUS_SEEN = """document.activeElement === document.body || (() => {
  const {outlineStyle, outlineWidth} = getComputedStyle(document.activeElement);
  return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2; })()"""
INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def chromium(server_folder: object, tmp_path_factory: pytest.TempPathFactory, processes: None) -> Iterator[Browser]:
    with started(CHROMIUM, tmp_path_factory.mktemp("console")) as browser:
        yield browser


@pytest.fixture
async def tab(chromium: Browser) -> AsyncIterator[Tab]:
    created = chromium.bidi.asked("browsingContext.create", {"type": "tab"})
    tab = Tab(chromium, created["context"])
    await tab.set_viewport(*WIDE)
    yield tab
    await tab.close()


async def open_page(tab: Tab, console: Playing, path: str) -> None:
    await tab.open(console.url + path)
    await tab.wait(READY)


async def follow(tab: Tab, name: str, path: str) -> None:
    """To another page without loading anything again."""
    await tab.evaluate(
        f"(history.pushState(null, '', {json.dumps(path)}), dispatchEvent(new PopStateEvent('popstate')))"
    )
    await there(tab, f"main.{name}")
    await tab.wait(READY)


async def there(tab: Tab, selector: str) -> None:
    await tab.wait(f"document.querySelector({json.dumps(selector)}) !== null")


async def tab_to(tab: Tab, condition: str) -> None:
    """By the Tab key alone; wherever it stops, the focus can be seen."""
    for _ in range(STOPS_MAX):
        await tab.press(TAB)
        assert await tab.evaluate(FOCUS_SEEN), await tab.evaluate("document.activeElement.outerHTML")
        if await tab.evaluate(condition):
            return
    pytest.fail(f"the Tab key leads nowhere where {condition}")


@pytest.mark.parametrize(("scheme", "size"), [("light", WIDE), ("dark", WIDE), ("dark", NARROW)])
async def test_every_page_is_accessible_and_shows_the_words_of_others_as_text(
    tab: Tab, scheme: str, size: tuple[int, int]
) -> None:
    """Whatever a sku, a name, a reason or an owner says; on the wall too, and where one signs in."""
    need_tools()
    axe = (TOOLS / "axe-core" / "axe.min.js").read_text()
    await tab.before_each_page(f"() => {{ {axe} }}")
    found: dict[str, object] = {}
    await tab.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    await tab.set_viewport(*size)
    with playing(Played(canaries=True)) as console:
        await tab.open(console.url)
        await there(tab, "input[type=password]")
        found["sign-in"] = await tab.evaluate(AXE)
        console.played.signed_in = True
        await tab.reload()
        for name, path in {**PAGES, "walled": WALL}.items():
            await follow(tab, name, path)
            found[name] = await tab.evaluate(AXE)
            text = await tab.evaluate("document.body.innerText")
            assert not INVISIBLE.search(text), f"{name} has marks in it that nobody can see"
            assert name != "log" or (CANARIES[0] in text and "U+202E" in text)
            assert await tab.evaluate("window.struck === undefined && !document.querySelector('main img')")
            assert await tab.evaluate(BESIDE) == [], f"{name} is cut off"
    assert {name: violations for name, violations in found.items() if violations} == {}
    assert tab.console(SEVERE) == []


async def test_every_task_is_done_by_keyboard_alone(tab: Tab) -> None:
    with playing(Played()) as console:
        await tab.open(console.url)
        await there(tab, "input[type=password]")
        await tab.wait("document.activeElement.name === 'key'")
        await tab.press(*"sw_wrong", ENTER)
        await tab.wait("document.querySelector('[role=alert]').textContent.includes('not valid')")
        await tab.press(*"\ue003" * len("sw_wrong"), *KEY, ENTER)
        await tab.wait("document.title.startsWith('Launch') && document.querySelector('.figures') !== null")

        await tab.press("g", "s")
        await tab.wait("document.title.startsWith('Stock') && document.querySelector('[data-row]') !== null")
        await tab.press("/", *"000042")
        await tab.wait("document.querySelector('.count').textContent.startsWith('1 of')")
        await tab_to(tab, "document.activeElement.dataset.row === '0'")
        await tab.press(ENTER)
        await tab.wait("document.title.startsWith('SKU-000042 at')")
        await tab.wait("document.activeElement.id === 'title'", "the heading of a new page has the focus")
        await tab_to(tab, "document.activeElement.tagName === 'TR'")
        await tab.press(DOWN)
        assert await tab.wait("document.activeElement.tagName === 'TR' && document.activeElement.rowIndex === 2")

        await tab.press("g", "o")
        await tab.wait("document.title.startsWith('Log') && document.querySelector('tbody tr') !== null")
        await tab_to(tab, "document.activeElement.tagName === 'SELECT' && document.activeElement.options.length > 5")
        await tab.press(*"receipt")
        await tab.wait("[...document.querySelectorAll('tbody .kind')].every(kind => kind.textContent === 'receipt')")
        await tab.wait("location.search === '?kind=receipt'")
        await tab_to(tab, "document.activeElement.id === 'pause'")
        await tab.press(ENTER)
        await tab.wait("document.querySelector('.tail .pill').textContent === 'held still'")

        await tab.press("g", "n")
        await tab.wait("document.title.startsWith('Nodes') && document.querySelector('[data-act=drain]') !== null")
        await tab_to(tab, "document.activeElement.dataset.act === 'drain'")
        await tab.press(ENTER)
        await tab.wait("document.activeElement.dataset.act === 'undrain'", "the focus stays where it was")
        assert console.acts == [("drain", {"node": "hub-1"})]

        await tab.press("?")
        await there(tab, "dialog[open]")
        await tab.press(ESCAPE)
        await tab.wait("!document.querySelector('dialog')")
        await tab.press("w")
        await there(tab, ".wall")
        await tab.press(ESCAPE)
        await tab.wait("!document.querySelector('.wall')")
        await tab.go(-1)
        await tab.wait("document.querySelector('.wall') !== null", "back leads to what was shown before")


async def test_of_a_hundred_thousand_rows_only_those_in_sight_are_asked_for_and_drawn(tab: Tab) -> None:
    with playing(Played(signed_in=True)) as console:
        await open_page(tab, console, PAGES["stock"])
        await there(tab, '[data-row="3"]')
        await tab.evaluate("document.querySelector('[data-row=\"0\"]').focus()")
        await tab.press(END)
        await tab.wait(f"document.activeElement.dataset.row === '{SKUS - 1}'", "the focus is on the last row")
        drawn = await tab.evaluate("document.querySelectorAll('.rows > .row').length")
        assert drawn <= ROWS_DRAWN_MAX
        assert await tab.evaluate("document.querySelector('[role=grid]').ariaRowCount") == str(SKUS + 1)
        await tab.evaluate("document.querySelector('.grid').scrollTo(0, 50_000 * 44)")
        await there(tab, '[data-row="50000"]')
        assert max(show["args"]["limit"] for show in console.shows) <= ROWS_DRAWN_MAX


async def test_a_page_that_is_cut_off_says_since_when_and_shows_its_numbers_as_old(tab: Tab) -> None:
    with playing(Played(signed_in=True)) as console:
        await open_page(tab, console, PAGES["launch"])
        await tab.wait("document.querySelector('.badge').textContent === 'live'")
        console.away = True
        await tab.wait("/^reconnecting since .* numbers as of /.test(document.querySelector('.badge').textContent)")
        assert await tab.evaluate("document.querySelector('main').classList.contains('old')")
        shown = await tab.evaluate("document.querySelector('.figures').textContent")
        assert "12.3" in shown, "what was known stays"
        console.away = False
        await tab.wait("document.querySelector('.badge').textContent === 'live'")
        assert not await tab.evaluate("document.querySelector('main').classList.contains('old')")


async def test_an_address_leads_where_it_says_whatever_the_sku_is(tab: Tab) -> None:
    sku = "..%2E&sku=x#'"
    with playing(Played(signed_in=True)) as console:
        await open_page(tab, console, f"/level?location={quote('a&b')}&sku={quote(sku)}")
        await tab.wait(f"document.title.startsWith({json.dumps(sku + ' at a&b')})")
        assert console.shows[-1]["args"]["sku"] == sku
