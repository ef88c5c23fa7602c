"""What a sale costs the ledger more since it tells how long everything takes, and is asked for it every 5 s."""

import asyncio
import contextlib
import random
import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx

from tests.bench.callers import call
from tests.bench.hot_sku_http import sale_requests
from tests.bench.ratio import Row
from tests.bench.server import cpu_s
from tests.bench.shop import Shop
from tests.harness.processes import ServerProcess, ledger_process

OURS, BARE = "ledger", "tests.bench.unmeasured_ledger"
CALLERS = 64
WARM_UP_S, SECONDS, SCRAPE_S = 1.0, 10.0, 5.0
SCRAPES = 100
"""To tell what one costs, in clock ticks of 10 ms."""


async def histograms(shop: Shop, rounds: int) -> list[Row]:
    row = Row(
        "all histograms and a scrape every 5 s",
        "CPU us",
        "lower",
        f"ledger process, POST /v1/movements of one sku, {CALLERS} connections, `/metrics` read every {SCRAPE_S:g} s",
        "the same with every histogram left out, and nobody who asks",
        target=1.03,
    )
    for _ in range(rounds):
        scrapes_ms = {}
        for figures, module in random.sample([(row.ours, OURS), (row.bare, BARE)], 2):
            ledger = own_ledger(shop, module, {})
            try:
                await ledger.start()
                figures.append(await cpu_of_sales(shop, ledger, scraped=figures is row.ours))
                scrapes_ms[module] = await _scrape_ms(ledger)
            finally:
                assert await ledger.stop() == 0
        row.notes["CPU of a scrape"] = f"{scrapes_ms[OURS]:.1f} ms against {scrapes_ms[BARE]:.1f} ms"
    return [row]


def own_ledger(shop: Shop, module: str, besides: Mapping[str, str]) -> ServerProcess:
    """Of this tree, beside those of the shop: two processes of the same code may differ for as long as they run."""
    system = shop.system
    settings = {
        "STOCKWIRE_DATABASE_URL": system.database_url,
        "STOCKWIRE_REDIS_URL": system.redis_url,
        "STOCKWIRE_CHANNEL_PREFIX": system.channel_prefix,
        "STOCKWIRE_TOKEN_SECRET": system.token_secret,
        "STOCKWIRE_LEDGER_RATE_PER_S": 0,
        **besides,
    }
    ledger = ledger_process(f"measured-{secrets.token_hex(4)}", system.folder, settings)
    ledger.arguments = ["-m", module]
    return ledger


async def cpu_of_sales(shop: Shop, ledger: ServerProcess, *, scraped: bool) -> float:
    sku = f"measured-{secrets.token_hex(4)}"
    await shop.stock_up(sku, 10**9)
    port = urlsplit(ledger.url).port
    assert port is not None
    await call(port, CALLERS, WARM_UP_S, sale_requests(shop.key, sku))
    before = cpu_s(ledger.pid)
    scraping = asyncio.create_task(_scrape_for_ever(ledger)) if scraped else None
    _, counts = await call(port, CALLERS, SECONDS, sale_requests(shop.key, sku))
    if scraping is not None:
        scraping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await scraping
    assert set(counts) == {201}, counts
    return (cpu_s(ledger.pid) - before) / counts[201] * 1e6


async def _scrape_for_ever(ledger: ServerProcess) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        while True:
            await asyncio.sleep(SCRAPE_S / 2)
            (await http.get(f"{ledger.admin}/metrics")).raise_for_status()
            await asyncio.sleep(SCRAPE_S / 2)


async def _scrape_ms(ledger: ServerProcess) -> float:
    """With all that has been asked for."""
    before = cpu_s(ledger.pid)
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        for _ in range(SCRAPES):
            (await http.get(f"{ledger.admin}/metrics")).raise_for_status()
    return (cpu_s(ledger.pid) - before) / SCRAPES * 1e3
