"""The client in real browsers, through what they do to pages: they hide them, keep them for "back", take the net."""

from tests.browsers.browser import CHROMIUM
from tests.browsers.fixtures import NewTab
from tests.browsers.site import Site
from tests.browsers.stall import Stall, address
from tests.browsers.tab import SEVERE
from tests.harness.proxy import proxy_to
from tests.harness.system import System

ONE_CONNECTION = "seen.opened.length === 1 && seen.closed === 0"
"""It may have been told that its hub is behind: on a busy machine hubs are."""


async def test_a_change_is_on_two_tabs_at_two_hubs(new_tab: NewTab, site: Site, market: System, stall: Stall) -> None:
    tabs = [await new_tab() for _ in range(3)]
    for tab, hub in zip(tabs, market.stream_urls, strict=False):
        await tab.open(site.page("watch", **stall.watching([hub])))
    await tabs[2].open(site.page("watch", **stall.watching(url=market.ledger_url)))
    await stall.equal(*tabs)
    await stall.sell("A", 3)
    await stall.sell("B", 2)
    await stall.equal(*tabs)
    for tab in tabs:
        assert await tab.evaluate(ONE_CONNECTION)
        assert tab.console(SEVERE) == []


async def test_a_page_without_network_says_so_and_catches_up(
    new_tab: NewTab, site: Site, market: System, stall: Stall
) -> None:
    """Nothing comes through and nobody hears an error, as behind a pulled cable; the browser says it is offline."""
    async with proxy_to(*address(market.stream_urls[0])) as proxy:
        tab = await new_tab()
        await tab.open(site.page("watch", **stall.watching([f"ws://127.0.0.1:{proxy.port}/v1/stream"])))
        await stall.equal(tab)
        proxy.stall()
        await tab.set_offline(True)
        await tab.wait("view.state === 'connecting'")
        assert await tab.evaluate("Date.now() - view.known_ms < 60_000 && view.get('A').available > 0")
        await stall.sell("A", 5)
        proxy.heal()
        await tab.set_offline(False)
        await stall.equal(tab)
        assert await tab.evaluate("seen.since") > 0


async def test_a_page_that_was_left_is_equal_at_once_when_it_comes_back(
    new_tab: NewTab, site: Site, market: System, stall: Stall
) -> None:
    """Chromium keeps it, since the client closes its connection; Firefox keeps none that had one when it was left, and
    loads it anew: it resumes from what is stored."""
    tab = await new_tab()
    await tab.open(site.page("watch", **stall.watching(market.stream_urls, storage=True)))
    await stall.equal(tab)
    await tab.open(site.page("blank"))
    await stall.sell("A", 7)
    await tab.go(-1)
    await tab.wait("location.pathname === '/watch'")
    await stall.equal(tab)
    assert await tab.evaluate("seen.since") == 1
    assert await tab.evaluate("seen.recovered.at(-1)") is True
    assert await tab.evaluate("seen.persisted") == (tab.browser.name == CHROMIUM)


async def test_a_page_that_has_let_its_connection_go_is_kept_for_back_and_resumes(
    new_tab: NewTab, site: Site, market: System, stall: Stall
) -> None:
    tab = await new_tab()
    await tab.open(site.page("watch", **stall.watching(market.stream_urls, hiddenFor_ms=100)))
    await stall.equal(tab)
    front = await new_tab()
    await front.open(site.page("blank"))
    await tab.wait("document.hidden && seen.closed === 1")
    await tab.open(site.page("blank"))
    await stall.sell("A", 7)
    await tab.go(-1)
    await tab.wait("seen.persisted === 1")
    await tab.show()
    await stall.equal(tab)
    assert await tab.evaluate("[seen.opened.length, seen.since, seen.recovered.at(-1)]") == [2, 1, True]


async def test_a_hidden_page_lets_its_connection_go_and_resumes_when_looked_at(
    new_tab: NewTab, site: Site, market: System, stall: Stall
) -> None:
    tab = await new_tab()
    await tab.open(site.page("watch", **stall.watching(market.stream_urls, hiddenFor_ms=200)))
    await stall.equal(tab)
    front = await new_tab()
    await front.open(site.page("blank"))
    await tab.wait("document.hidden && seen.closed === 1 && view.state !== 'live'")
    await stall.sell("C", 9)
    await tab.show()
    await stall.equal(tab)
    assert await tab.evaluate("[seen.opened.length, seen.since, seen.recovered.at(-1)]") == [2, 1, True]


async def test_a_page_that_is_hidden_for_a_moment_keeps_its_connection(
    new_tab: NewTab, site: Site, market: System, stall: Stall
) -> None:
    tab = await new_tab()
    await tab.open(site.page("watch", **stall.watching(market.stream_urls)))
    await stall.equal(tab)
    front = await new_tab()
    await front.open(site.page("blank"))
    await tab.wait("document.hidden")
    await stall.sell("C", 9)
    await stall.equal(tab)
    await tab.show()
    await stall.equal(tab)
    assert await tab.evaluate("seen.opened.length") == 1


async def test_a_reload_resumes_from_what_is_stored(new_tab: NewTab, site: Site, market: System, stall: Stall) -> None:
    tab = await new_tab()
    await tab.open(site.page("watch", **stall.watching(market.stream_urls, storage=True)))
    await stall.equal(tab)
    await tab.reload()
    await stall.equal(tab)
    assert await tab.evaluate("[seen.since, seen.recovered]") == [1, [True]]


async def test_all_tabs_share_one_connection_and_another_leads_when_its_tab_is_gone(
    new_tab: NewTab, site: Site, market: System, stall: Stall
) -> None:
    tabs = [await new_tab() for _ in range(3)]
    for tab in tabs:
        await tab.open(site.page("watch", **stall.watching(market.stream_urls, share=True)))
    await stall.equal(*tabs)
    opened = [await tab.evaluate("seen.opened.length") for tab in tabs]
    assert sorted(opened) == [0, 0, 1]
    await stall.sell("A", 4)
    await stall.equal(*tabs)
    leader = tabs.pop(opened.index(1))
    if leader.browser.name == CHROMIUM:
        await leader.crash()
    else:
        await leader.close()
    await stall.sell("B", 4)
    await stall.equal(*tabs)
    assert sorted([await tab.evaluate("seen.opened.length") for tab in tabs]) == [0, 1]
    await stall.sell("C", 4)
    await stall.equal(*tabs)
