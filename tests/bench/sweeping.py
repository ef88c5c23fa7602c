"""Sales while a ledger lets go of 10,000 holds whose time is over, as after an outage, against sales before that."""

import asyncio
import secrets
import time
from datetime import UTC, datetime, timedelta

import asyncpg

from tests.bench.callers import calling
from tests.bench.hot_sku_http import sale_requests
from tests.bench.many_holds import hold_many
from tests.bench.ratio import Row
from tests.bench.shop import Shop

HOLDS = 10_000
SKUS = 1_000
CALLERS = 64
WARM_UP_S, BEFORE_S = 1.0, 3.0
FILLING_S = 8.0
"""From before the holds are made until they end: they are there, and pending, while sales are measured before."""
DEADLINE_S = 120.0
POLL_S = 0.2
LEFT = "select count(*) from hold where state = 'pending' and expires_at = $1"
TARGET = 0.8


async def sweeping(shop: Shop, rounds: int) -> list[Row]:
    rows = {skus: _row(skus) for skus in (SKUS, 1)}
    for _ in range(rounds):
        for skus, row in rows.items():
            name = f"swept-{secrets.token_hex(4)}"
            held = [f"{name}-{number}" for number in range(skus)]
            ends_at = datetime.now(UTC) + timedelta(seconds=FILLING_S)
            await hold_many(shop.system.database_url, held, HOLDS // skus, ends_at)
            before, beside, took_s = await _sales_per_s(shop, held[0], ends_at)
            row.bare.append(before)
            row.ours.append(beside)
            row.notes["let go of in the last round"] = f"{took_s:.1f} s"
    return list(rows.values())


def _row(skus: int) -> Row:
    of = "the sku that is sold" if skus == 1 else f"{skus:,} skus"
    return Row(
        f"{HOLDS:,} overdue holds of {of}",
        "sales/s",
        "higher",
        f"POST /v1/movements of one sku, {CALLERS} connections, while {HOLDS:,} holds of {of} are let go of",
        "the same before their time is over",
        target=TARGET,
    )


async def _sales_per_s(shop: Shop, sku: str, ends_at: datetime) -> tuple[float, float, float]:
    """Before ``ends_at``; from then until no such hold is pending; and how long that took."""
    database = await asyncpg.connect(shop.system.database_url)
    try:
        async with calling(shop.ledger_port, CALLERS, sale_requests(shop.key, sku)) as counts:
            await asyncio.sleep(max(WARM_UP_S, (ends_at - datetime.now(UTC)).total_seconds() - BEFORE_S))
            began, sold = time.perf_counter(), counts[201]
            await asyncio.sleep((ends_at - datetime.now(UTC)).total_seconds())
            over, sold_before = time.perf_counter(), counts[201]
            async with asyncio.timeout(DEADLINE_S):
                while await database.fetchval(LEFT, ends_at):  # noqa: ASYNC110  nothing says when the last one has gone
                    await asyncio.sleep(POLL_S)
            took_s, sold_beside = time.perf_counter() - over, counts[201]
        assert counts.keys() == {201}, counts
        return (sold_before - sold) / (over - began), (sold_beside - sold_before) / took_s, took_s
    finally:
        await database.close()
