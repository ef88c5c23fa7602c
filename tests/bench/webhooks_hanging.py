"""What receivers that hang cost all others: how late the others are told, and the memory of the sender."""

import asyncio
import secrets
import time
from collections.abc import Sequence

import psutil

from tests.bench.many_skus import stock
from tests.bench.ratio import Row
from tests.bench.senders import SHARE, Senders, senders, share
from tests.bench.shop import Shop

ENDPOINTS = share(1_000, 20)
HANGING = ENDPOINTS // 10
SKUS = max(1, ENDPOINTS // 10)
"""Each sku has ten webhooks, of which one may hang."""
SALES_PER_S = 20
"""Ten messages each: a third of what one process can send."""
SECONDS = max(3.0, 40.0 * SHARE)
"""Longer than an attempt may take, and than the first two waits together."""


async def webhooks_hanging(shop: Shop, rounds: int) -> list[Row]:
    late = Row(
        f"{ENDPOINTS:,} webhooks, {HANGING} of them hang: p99 of the others",
        "ms",
        "lower",
        f"commit -> received, {SALES_PER_S} sales/s of {SKUS} skus, ten webhooks each, of which one never answers",
        "the same while all answer",
        target=1.3,
    )
    memory = Row(
        f"{ENDPOINTS:,} webhooks, {HANGING} of them hang: memory",
        "MiB",
        "lower",
        "`stockwire channels`, resident, at the end",
        "the same while all answer",
        target=1.1,
    )
    for _ in range(rounds):
        async with senders(shop) as sending:
            skus = await _followed(sending)
            for row, figure in zip((late, memory), await _measured(sending, skus), strict=True):
                row.bare.append(figure)
            await sending.http.get("/hanging")
            for row, figure in zip((late, memory), await _measured(sending, skus), strict=True):
                row.ours.append(figure)
            await sending.http.get("/answering")
    return [late, memory]


async def _followed(sending: Senders) -> list[str]:
    name = f"hung-{secrets.token_hex(4)}"
    skus = [f"{name}-{number:03}" for number in range(SKUS)]
    async with sending.shop.http() as http:
        await stock(http, skus, 10**6)
    paths = [f"{'hang' if number < HANGING else 'good'}/{number}" for number in range(ENDPOINTS)]
    await sending.endpoints(paths, [[skus[number % SKUS]] for number in range(ENDPOINTS)])
    await sending.held(ENDPOINTS)
    await _sell(sending.shop, skus, 3.0)  # every connection that stays is there
    return skus


async def _measured(sending: Senders, skus: Sequence[str]) -> tuple[float, float]:
    """p99 in ms, and MiB."""
    await sending.figures()
    await _sell(sending.shop, skus, SECONDS)
    await asyncio.sleep(1.0)
    figures = await sending.figures()
    assert figures["count"] >= 0.9 * SALES_PER_S * SECONDS * 9, figures
    return figures["p99_ms"], psutil.Process(sending.channels.pid).memory_info().rss / 2**20


async def _sell(shop: Shop, skus: Sequence[str], seconds: float) -> None:
    """At set times, each sku in its turn."""
    began_s = time.monotonic()
    async with shop.http() as http:
        for number in range(int(seconds * SALES_PER_S)):
            await asyncio.sleep(max(0.0, began_s + number / SALES_PER_S - time.monotonic()))
            await shop.sell(http, skus[number % len(skus)])
