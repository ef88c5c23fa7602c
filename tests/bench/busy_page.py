"""The sample shop's page in Chromium while stock changes as fast as on a launch: a drawing a frame, and no standstill.

The reference is what a page may do at most: one drawing in each frame, 50 ms in one piece, the memory that it had.
"""

import asyncio
import contextlib
import secrets
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from cli.page_server import serve_page
from cli.shop import Card
from cli.shop import Shop as SampleShop
from stockwire import AsyncClient
from tests.bench.hubs import own_hub
from tests.bench.many_skus import stock
from tests.bench.ratio import Row
from tests.bench.realistic import SETTLED_S, STEP_S, Publisher, publishing
from tests.bench.shop import LOCATION, Shop
from tests.browsers.browser import CHROMIUM, PROGRAMS, started
from tests.browsers.tab import Tab
from tests.harness.servers import free_port

CARDS = 24
CHANGES_PER_S = 5_000
SETTLES_S = 10.0
"""The page has loaded and drawn everything; what it holds from here on, it holds for good."""
MEASURED_S = 50.0
TASK_MS_MAX = 50.0
"""From here on a browser calls a task long, and tells of it: a shorter one counts as this."""
HEAP_FLAT = 1.1
"""What a garbage collection leaves differs by so much from one to the next."""
RECORD = """() => {
  const kept = window.kept = {frames: 0, drawn: 0, longest_ms: 0, messages: 0};
  const newest = window.newest = new Map();
  const Real = window.WebSocket;
  window.WebSocket = class extends Real {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", ({data}) => {
        kept.messages++;
        const found = /"sku":"([^"]+)".*?"version":(\\d+)/.exec(data);
        if (found) newest.set(found[1], Number(found[2]));
      });
    }
  };
  const frame = () => { kept.frames++; requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
  addEventListener("DOMContentLoaded", () => {
    const options = {subtree: true, childList: true, characterData: true, attributes: true};
    new MutationObserver(() => kept.drawn++).observe(document.getElementById("cards"), options);
  });
  new PerformanceObserver(list => {
    for (const {startTime, duration} of list.getEntries()) {
      if (startTime > 1000) kept.longest_ms = Math.max(kept.longest_ms, duration);
    }
  }).observe({type: "longtask"});
}"""
VERSIONS = "window.newest.values().reduce((sum, version) => sum + version, 0)"
"""Of all products together: how far it has come is what has changed, whatever was conflated on the way."""
RESTART = "void Object.assign(window.kept, {frames: 0, drawn: 0, longest_ms: 0, messages: 0})"


async def busy_page(shop: Shop, rounds: int) -> list[Row]:
    drawings, longest, heap = (
        Row(
            f"shop's page at {CHANGES_PER_S:,} changes/s, {name}",
            unit,
            "lower",
            ours_is,
            bare_is,
            target=target,
        )
        for name, unit, ours_is, bare_is, target in (
            ("drawings", "", "drawings of cards in Chromium, of 24 products", "its frames", 1.0),
            ("longest task", "ms", "longest piece of work after the first second", "50 ms, the bound", 1.0),
            ("heap", "MB", f"after a minute, swept, {CARDS} products", "after 10 s, swept", HEAP_FLAT),
        )
    )
    absent = [program for program in PROGRAMS[CHROMIUM] if shutil.which(program) is None]
    if rounds and absent:
        for row in (drawings, longest, heap):
            row.missing = f"needs {' and '.join(absent)}"
        return [drawings, longest, heap]
    for _ in range(rounds):
        figures = await _measure(shop)
        drawings.ours.append(figures["drawn"])
        drawings.bare.append(figures["frames"])
        longest.ours.append(max(figures["longest_ms"], TASK_MS_MAX))
        longest.bare.append(TASK_MS_MAX)
        heap.ours.append(figures["heap_end_mb"])
        heap.bare.append(figures["heap_begin_mb"])
        for name in ("changes_per_s", "messages_per_s", "frames_per_s"):
            drawings.notes[name.replace("_per_s", "/s")] = f"{figures[name]:,.0f}"
    return [drawings, longest, heap]


async def _measure(shop: Shop) -> dict[str, float]:
    prefix = f"busy-{secrets.token_hex(4)}-"
    cards = [Card(f"{prefix}{number:06}", f"Product {number}", "") for number in range(CARDS)]
    async with shop.http() as http:
        await stock(http, [card.sku for card in cards], 10**6)
    async with publishing(shop, prefix) as publisher, _page(shop, cards, publisher.channels) as tab:
        await asyncio.sleep(SETTLED_S)
        changing = asyncio.ensure_future(_change(publisher))
        try:
            await asyncio.sleep(SETTLES_S)
            heap_begin_mb, versions = await _heap_mb(tab), await tab.evaluate(VERSIONS)
            await tab.evaluate(RESTART)
            started_s = time.monotonic()
            await asyncio.sleep(MEASURED_S)
            figures: dict[str, float] = await tab.evaluate("({...window.kept})")
            took_s = time.monotonic() - started_s
            changes_per_s = (await tab.evaluate(VERSIONS) - versions) / took_s
            heap_end_mb = await _heap_mb(tab)
            assert not changing.done(), changing
            assert await tab.evaluate("document.getElementById('state').textContent") == "live"
        finally:
            changing.cancel()
    return {
        **figures,
        "changes_per_s": changes_per_s,
        "messages_per_s": figures["messages"] / took_s,
        "frames_per_s": figures["frames"] / took_s,
        "heap_begin_mb": heap_begin_mb,
        "heap_end_mb": heap_end_mb,
    }


@asynccontextmanager
async def _page(shop: Shop, cards: list[Card], channels: str) -> AsyncIterator[Tab]:
    """The sample shop's, live."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    async with (
        own_hub(shop, STOCKWIRE_ALLOWED_ORIGINS=origin, STOCKWIRE_CHANNEL_PREFIX=channels) as hub,
        AsyncClient(shop.system.ledger_url, shop.key) as client,
    ):
        sample = SampleShop(shop.system.ledger_url, shop.key, [hub.stream], LOCATION, cards, [origin])
        serving = asyncio.ensure_future(serve_page(sample, client, "127.0.0.1", port))
        try:
            with (
                tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
                started(CHROMIUM, Path(folder)) as browser,
            ):
                tab = Tab(browser, browser.bidi.asked("browsingContext.create", {"type": "tab"})["context"])
                await tab.before_each_page(RECORD)
                await tab.open(origin)
                await tab.wait("document.getElementById('state').textContent === 'live'")
                yield tab
        finally:
            serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await serving


async def _change(publisher: Publisher) -> None:
    """All products in turn, CHANGES_PER_S; what was late is made up for by a larger batch."""
    done, started_s = 0, time.monotonic()
    while True:
        due = int((time.monotonic() - started_s) * CHANGES_PER_S)
        if due > done:
            await publisher.send(publisher.events([number % CARDS for number in range(done, due)]))
            done = due
        await asyncio.sleep(STEP_S)


async def _heap_mb(tab: Tab) -> float:
    await tab.cdp("HeapProfiler.collectGarbage")
    usage: dict[str, Any] = await tab.cdp("Runtime.getHeapUsage")
    return float(usage["usedSize"]) / 1e6
