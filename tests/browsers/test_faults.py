"""The client in real browsers when something fails: hubs, tokens, proxies, slow pages; nobody sees a wrong number."""

import asyncio
import random

import pytest

from stockwire import AsyncClient
from tests.browsers.browser import CHROMIUM, FIREFOX
from tests.browsers.fixtures import Browsers, NewTab, sampled_in
from tests.browsers.no_upgrades import no_upgrades
from tests.browsers.site import READS, Site
from tests.browsers.stall import Stall, address
from tests.browsers.tab import Tab
from tests.harness.api_keys import make_token
from tests.harness.proxy import proxy_to
from tests.harness.size import SIZE
from tests.harness.system import ProcessSystem, System
from tests.harness.waiting import PATIENCE_S

CUTS = 500
CHANGES_PER_S = 200


@sampled_in(FIREFOX)
async def test_a_killed_hub_makes_a_page_say_that_it_is_old_and_another_hub_resumes_it(
    new_tab: NewTab, site: Site, process_system: ProcessSystem, unique_name: str
) -> None:
    system = process_system
    system.plan_hubs(2)
    await system.start_ledger(STOCKWIRE_ALLOWED_ORIGINS=site.origin)
    hubs = [await system.start_hub(STOCKWIRE_ALLOWED_ORIGINS=site.origin) for _ in range(2)]
    await system.await_fresh()
    async with AsyncClient(system.ledger_url, await system.admin_key()) as client:
        stall = await Stall.opened(client, unique_name)
        tab = await new_tab()
        await tab.open(site.page("watch", **stall.watching(system.stream_urls)))
        await stall.equal(tab)
        for round_ in range(2):
            of_page = await tab.evaluate("seen.opened.at(-1)")
            killed = next(hub for hub in hubs if hub.stream == of_page)
            killed.kill()
            await stall.sell("A", 1 + round_)
            await stall.equal(tab)
            assert await tab.evaluate("seen.states.includes('connecting', 1) && seen.recovered.at(-1)") is True
            await killed.restart()
            await system.await_fresh()
    assert await tab.evaluate("seen.states.filter(state => state === 'live').length") >= 3


@sampled_in(CHROMIUM)
async def test_tokens_that_end_are_renewed_and_getting_them_may_fail_or_hang(
    new_tab: NewTab, site: Site, market: System, stall: Stall
) -> None:
    """``refresh``: long enough to be renewed in time. ``ends``: not; the next two attempts fail, then hang."""

    async def mint(name: str) -> str:
        if name == "ends" and site.asked[name] == 2:
            raise RuntimeError("the shop's back end is away")
        if name == "ends" and site.asked[name] == 3:
            await asyncio.sleep(PATIENCE_S)
        return make_token(READS, ttl_s=8 if name == "refresh" else 2 if site.asked[name] == 1 else 3600)

    site.mint = mint
    refresh, ends = await new_tab(), await new_tab()
    for tab, name in ((ends, "ends"), (refresh, "refresh")):
        await tab.open(site.page("watch", token=name, **stall.watching(market.stream_urls)))
        await stall.equal(tab)
    await ends.wait("seen.closed === 1 && view.state !== 'live'", "the token has ended")
    await ends.wait("seen.opened.length === 2", "a fresh one opens another connection")
    await stall.sell("A", 2)
    await stall.equal(ends, refresh)
    assert site.asked["ends"] == 4
    assert site.at_once["ends"] <= 2  # the one that hangs is given up, and goes on hanging here
    assert site.asked["refresh"] >= 2
    assert await refresh.evaluate("[seen.opened.length, seen.closed]") == [1, 0]


@sampled_in(CHROMIUM)
async def test_where_a_proxy_refuses_websockets_the_page_reads_the_event_stream(
    new_tab: NewTab, site: Site, market: System, stall: Stall
) -> None:
    async with no_upgrades(*address(market.hubs[0].url)) as proxy:
        options = stall.watching([f"ws://127.0.0.1:{proxy.port}/v1/stream"], storage=True)
        tab = await new_tab()
        await tab.open(site.page("watch", **options))
        await stall.equal(tab)
        assert proxy.refused == 2
        await stall.sell("B", 2)
        await stall.equal(tab)
        await tab.reload()
        await stall.equal(tab)
        assert proxy.refused == 2, "what was found out once is remembered"


@sampled_in(FIREFOX)
async def test_a_page_that_stands_still_is_conflated_and_harms_nobody_else(
    new_tab: NewTab, site: Site, market: System, stall: Stall
) -> None:
    slow, other = await new_tab(), await new_tab()
    options = stall.watching(market.stream_urls)
    await slow.open(site.page("watch", **options))
    await other.open(site.page("watch", **options).replace(site.origin, site.other_origin))
    await stall.equal(slow, other)
    calls = await slow.evaluate("seen.calls")
    blocked = asyncio.ensure_future(
        slow.evaluate("(() => { const end = Date.now() + 3000; while (Date.now() < end); return seen.calls; })()")
    )
    for _ in range(30):
        await stall.sell("A", 1)
    await stall.equal(other)
    assert not blocked.done(), "the other page has it all while this one stands still"
    await blocked
    await stall.equal(slow)
    assert await slow.evaluate("seen.calls") - calls < 15
    assert await other.evaluate("seen.opened.length") == 1


@pytest.mark.timeout(SIZE.timeout_s)
async def test_a_page_whose_line_is_cut_at_any_moment_never_goes_back_and_ends_equal(
    browsers: Browsers, site: Site, market: System, stall: Stall, sized: None
) -> None:
    browser, chance = browsers(CHROMIUM), random.Random()
    context = browser.bidi.asked("browsingContext.create", {"type": "tab"})["context"]
    tab = Tab(browser, context)
    enough = asyncio.Event()
    selling = asyncio.ensure_future(_sell_until(enough, stall))
    async with proxy_to(*address(market.stream_urls[0])) as proxy:
        await tab.open(site.page("watch", **stall.watching([f"ws://127.0.0.1:{proxy.port}/v1/stream"])))
        await tab.wait("view.state === 'live'")
        for cut in range(SIZE.of(CUTS)):
            await proxy.connected(cut + 1)
            if chance.random() < 0.5:  # in the middle of something, however early
                proxy.down.reset_after(chance.randrange(1, 20_000))
                await proxy.was_reset("down")
            else:
                await asyncio.sleep(chance.random() * 0.1)
                proxy.cut()
        enough.set()
        await selling  # what is cut off may be sold yet
        await stall.equal(tab)
        assert await tab.evaluate("seen.calls") > SIZE.of(CUTS) / 5
    await tab.close()


async def _sell_until(enough: asyncio.Event, stall: Stall) -> None:
    """CHANGES_PER_S, if the machine can."""
    async with asyncio.TaskGroup() as group:
        for sku in ("A", "B", "C", "A"):
            group.create_task(_sell_at(enough, stall, sku, CHANGES_PER_S / 4))


async def _sell_at(enough: asyncio.Event, stall: Stall, sku: str, per_s: float) -> None:
    loop = asyncio.get_running_loop()
    due_s = loop.time()
    while not enough.is_set():
        await stall.sell(sku)
        due_s = max(due_s + 1 / per_s, loop.time() - 1)
        await asyncio.sleep(max(0.0, due_s - loop.time()))
