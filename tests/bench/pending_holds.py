"""What a sale, a reservation and a refusal cost beside a million pending holds, against beside a thousand: CPU of the
ledger and of PostgreSQL together.

One database of each kind, on a server of their own with the memory that docs/how-to/production.md asks for. The same
thousand skus are sold in both. A refused sale looks for overdue holds on its level, of which there are a thousand.
"""

import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

from ledger import migrations
from tests.bench.callers import Caller, MakeCaller, NextRequest, call, post
from tests.bench.growth import Grown, own_ledger, own_server
from tests.bench.hold_pairs import Basket, reservation
from tests.bench.hot_sku_http import sale_requests
from tests.bench.many_holds import hold_many
from tests.bench.many_skus import drawn, zipf
from tests.bench.ratio import Row
from tests.bench.server import cpu_s, cpu_with_children_s
from tests.bench.shop import LOCATION, SHARDS, Shop

SHARE = float(os.environ.get("HOLDS_SHARE", "1"))
"""``HOLDS_SHARE=0.05`` tries it with fewer of the million."""
SKUS = 1_000
EACH = 1, int(1_000 * SHARE)
"""Holds of each sku, and so a thousand and a million of all."""
CALLERS = 64
WARM_UP_S, SECONDS = 2.0, 4.0
TARGET = 1.1
SALE, HOLD, REFUSED = "a sale", "a reservation, made or cancelled", "a sale refused after a look for overdue holds"
LASTS = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Filled:
    postgres_pid: int
    few: str
    many: str
    skus: list[str]
    sold_out: str


async def pending_holds(shop: Shop, rounds: int) -> list[Row]:
    few, many = (SKUS * each for each in EACH)
    rows = {
        what: Row(
            f"{many:,} pending holds, {what}",
            "us",
            "lower",
            f"CPU of the ledger and PostgreSQL for {what}, with {many:,} pending holds of {SKUS:,} skus",
            f"with {few:,}",
            target=TARGET,
        )
        for what in (SALE, HOLD, REFUSED)
    }
    for _ in range(rounds):
        filled = await shop.once("pending holds", lambda: _filled(shop))
        for url, figures in ((filled.few, "bare"), (filled.many, "ours")):  # each with a ledger of its own
            grown = Grown(url, SKUS, (LOCATION,))
            async with own_ledger(shop, grown) as (ledger, key):
                for what, (next_request, caller, status) in _traffic(filled, key).items():
                    port = urlsplit(ledger.url).port or 0
                    await call(port, CALLERS, WARM_UP_S, next_request, caller)
                    before = cpu_s(ledger.pid) + cpu_with_children_s(filled.postgres_pid)
                    _, counts = await call(port, CALLERS, SECONDS, next_request, caller)
                    used_s = cpu_s(ledger.pid) + cpu_with_children_s(filled.postgres_pid) - before
                    assert counts.keys() <= status, counts
                    getattr(rows[what], figures).append(used_s / sum(counts.values()) * 1e6)
    return list(rows.values())


def _traffic(filled: Filled, key: str) -> dict[str, tuple[NextRequest, MakeCaller, set[int]]]:
    wanted = drawn(zipf(filled.skus))

    def reserve() -> bytes:
        return post(key, "/v1/reservations", reservation(wanted()))

    return {
        SALE: (sale_requests(key, wanted), Caller, {201}),
        HOLD: (
            lambda: post(key, "/v1/reservations", reservation(wanted())),
            partial(Basket, key, "cancel"),
            {200, 201},
        ),
        REFUSED: (sale_requests(key, filled.sold_out), Caller, {409}),
    }


async def _filled(shop: Shop) -> Filled:
    postgres = await shop.ends.enter_async_context(own_server())
    name, ends_at = secrets.token_hex(4), datetime.now(UTC) + LASTS
    skus = [f"held-{name}-{number:04}" for number in range(SKUS)]

    async def made(each: int) -> str:
        url = postgres.url(postgres.create_database())
        await migrations.expand(url, SHARDS)
        await hold_many(url, skus[:-1], each, ends_at)
        await hold_many(url, skus[-1:], each, ends_at, available=0)
        return url

    return Filled(postgres.pid, await made(EACH[0]), await made(EACH[1]), skus[:-1], skus[-1])
