"""Lines per second of operations of 500 lines, against executemany of the same rows of events."""

import secrets
import time
from typing import Any

import asyncpg
import httpx

from tests.bench.many_skus import stock
from tests.bench.ratio import Row
from tests.bench.shop import LOCATION, Shop

LINES = 500
OPERATIONS = 20

COPY = "create table if not exists bare_lines (like stock_event including defaults)"


async def bulk(shop: Shop, rounds: int) -> list[Row]:
    row = Row(
        f"lines of {LINES}-line operations",
        "lines/s",
        "higher",
        f"POST /v1/movements of {LINES} lines over HTTP, one operation in flight",
        "executemany of the same rows of events into a table without indexes, a commit for each operation",
        target=0.7,
    )
    for _ in range(rounds):
        skus = await shop.once("bulk", lambda: _stocked(shop))
        async with shop.http() as http:
            row.ours.append(await _ours(http, skus))
        row.bare.append(await _bare(shop, skus))
    return [row]


async def _stocked(shop: Shop) -> list[str]:
    name = f"bulk-{secrets.token_hex(4)}"
    skus = [f"{name}-{number}" for number in range(LINES)]
    async with shop.http() as http:
        await stock(http, skus, 10**6)
    return skus


async def _ours(http: httpx.AsyncClient, skus: list[str]) -> float:
    lines = [{"sku": sku, "location": LOCATION, "quantity": -1, "kind": "sale"} for sku in skus]
    started = time.perf_counter()
    for _ in range(OPERATIONS):
        answer = await http.post(
            "/v1/movements", json={"lines": lines}, headers={"Idempotency-Key": secrets.token_hex(12)}
        )
        answer.raise_for_status()
    return OPERATIONS * LINES / (time.perf_counter() - started)


async def _bare(shop: Shop, skus: list[str]) -> float:
    connection = await asyncpg.connect(shop.system.database_url)
    try:
        await connection.execute(COPY)
        rows = await connection.fetch("select * from stock_event where sku = any($1) limit $2", skus, LINES)
        columns: list[Any] = list(rows[0].keys())
        places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
        insert = f"insert into bare_lines ({', '.join(columns)}) values ({places})"
        started = time.perf_counter()
        for _ in range(OPERATIONS):
            async with connection.transaction():
                await connection.executemany(insert, [tuple(row.values()) for row in rows])
        return OPERATIONS * LINES / (time.perf_counter() - started)
    finally:
        await connection.close()
