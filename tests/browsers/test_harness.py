"""The browsers do what the tests of this room rely on: hide tabs, cut them off, keep pages, print what fails."""

from tests.browsers.fixtures import NewTab
from tests.browsers.site import Site
from tests.browsers.tab import SEVERE


async def test_a_tab_is_hidden_by_the_next_one_and_sees_what_it_is_asked(new_tab: NewTab, site: Site) -> None:
    first, second = await new_tab(), await new_tab()
    await first.open(site.page("blank"))
    await second.open(site.page("blank"))
    await first.wait("document.visibilityState === 'hidden'")
    await first.show()
    await first.wait("document.visibilityState === 'visible'")
    await second.wait("document.visibilityState === 'hidden'")
    assert await first.evaluate("new Promise(done => requestAnimationFrame(() => done(7)))") == 7


async def test_a_tab_without_network_knows_it_and_gets_it_back(new_tab: NewTab, site: Site) -> None:
    tab = await new_tab()
    await tab.open(site.page("blank"))
    await tab.set_offline(True)
    await tab.wait("navigator.onLine === false")
    await tab.set_offline(False)
    await tab.wait("navigator.onLine")


async def test_what_fails_on_a_page_is_not_missed(new_tab: NewTab, site: Site) -> None:
    tab = await new_tab()
    await tab.open(site.page("blank"))
    await tab.evaluate("console.log('all is well')")
    await tab.evaluate("void setTimeout(() => { throw new Error('out of order'); })")
    await tab.wait("new Promise(done => setTimeout(() => done(true), 50))")
    assert "all is well" in tab.console()
    assert any("out of order" in line for line in tab.console(SEVERE))


async def test_a_page_without_connections_comes_back_from_the_cache(new_tab: NewTab, site: Site) -> None:
    tab = await new_tab()
    await tab.open(site.page("blank"))
    await tab.evaluate("addEventListener('pageshow', event => { globalThis.persisted = event.persisted; })")
    await tab.open(site.page("blank", other=True))
    await tab.go(-1)
    assert await tab.wait("globalThis.persisted")
