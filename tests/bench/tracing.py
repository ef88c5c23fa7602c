"""What traces cost: a sale, and a delivery, where one request in a hundred is traced; and where none is."""

import random
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench.fan_out import cpu_of_deliveries
from tests.bench.histograms import cpu_of_sales, own_ledger
from tests.bench.ratio import Row
from tests.bench.shop import Shop
from tests.harness.source import ROOT

LEDGER, NOT_INSTALLED = "ledger", "tests.bench.untraced_ledger"
CALLERS_SAY = "one request in a hundred traced, a collector in another process"
SUBSCRIBERS = 1_000
RATIO = "0.01"


async def tracing_sale(shop: Shop, rounds: int) -> list[Row]:
    """Off is measured once in each round, and is one side of both rows."""
    served = "ledger process, POST /v1/movements of one sku, 64 connections"
    off = Row("a sale, traces off", "CPU us", "lower", served, "the same, OpenTelemetry not installed", target=1.01)
    on = Row("a sale, 1% traced", "CPU us", "lower", f"{served}; {CALLERS_SAY}", "the same, traces off", target=1.05)
    for _ in range(rounds):
        with collector() as url:
            ways = [(LEDGER, {}), (NOT_INSTALLED, {}), (LEDGER, traced_to(url))]
            used = [0.0, 0.0, 0.0]
            for place in random.sample(range(len(ways)), len(ways)):
                used[place] = await _cpu_us(shop, *ways[place])
        off.ours.append(used[0])
        off.bare.append(used[1])
        on.ours.append(used[2])
        on.bare.append(used[0])
    return [off, on]


async def tracing_fan_out(shop: Shop, rounds: int) -> list[Row]:
    row = Row(
        "fan-out, 1% traced, CPU per delivery",
        "us",
        "lower",
        f"hub process, {SUBSCRIBERS:,} subscribers of one sku, one change in flight; {CALLERS_SAY}",
        "the same, traces off",
        target=1.02,
    )
    for _ in range(rounds):
        with collector() as url:
            for figures, settings in random.sample([(row.ours, traced_to(url)), (row.bare, {})], 2):
                ledger = own_ledger(shop, LEDGER, settings)
                try:
                    await ledger.start()
                    figures.append(await cpu_of_deliveries(shop, SUBSCRIBERS, ledger.url, settings))
                finally:
                    assert await ledger.stop() == 0
    return [row]


def traced_to(url: str) -> dict[str, str]:
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "OTEL_TRACES_SAMPLER_ARG": RATIO,
        "OTEL_SERVICE_NAME": secrets.token_hex(4),
    }


@contextmanager
def collector() -> Iterator[str]:
    """Where it listens."""
    command = [sys.executable, "-m", "tests.bench.trace_receiver"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate("")


async def _cpu_us(shop: Shop, module: str, settings: dict[str, str]) -> float:
    ledger = own_ledger(shop, module, settings)
    try:
        await ledger.start()
        return await cpu_of_sales(shop, ledger, scraped=False)
    finally:
        assert await ledger.stop() == 0
