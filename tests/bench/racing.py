"""Two ledgers on one database, against one: sales for each second of CPU that ledgers and PostgreSQL take together."""

import asyncio
import secrets
from urllib.parse import urlsplit

from tests.bench.callers import call
from tests.bench.hot_sku_http import SECONDS, sale_requests
from tests.bench.many_skus import SKUS, drawn, stock, zipf
from tests.bench.ratio import Row
from tests.bench.server import cpu_s, cpu_with_children_s
from tests.bench.shop import Shop
from tests.harness.processes import ServerProcess

CALLERS = 64
"""Of all ledgers together."""
WARM_UP_S = 1.0


async def racing(shop: Shop, rounds: int) -> list[Row]:
    rows = [_row("hot sku", 0.85), _row(f"{SKUS:,} skus", 0.95)]
    for _ in range(rounds):
        name = f"race-{secrets.token_hex(4)}"
        many = [f"{name}-{number}" for number in range(SKUS)]
        async with shop.http() as http:
            await stock(http, many, 10**6)
        second = await shop.system.start_ledger(STOCKWIRE_LEDGER_RATE_PER_S=0)
        try:
            for row, sold in zip(rows, (many[:1], zipf(many)), strict=True):
                row.ours.append(await _per_cpu_s(shop, [shop.system.ledgers[0], second], sold))
                row.bare.append(await _per_cpu_s(shop, [shop.system.ledgers[0]], sold))
        finally:
            assert await second.stop() == 0
    return rows


def _row(what: str, target: float) -> Row:
    return Row(
        f"two ledgers, {what}",
        "sales per CPU s",
        "higher",
        f"two ledger processes and PostgreSQL, {CALLERS} connections, half to each",
        f"one ledger process and PostgreSQL, {CALLERS} connections",
        target=target,
    )


async def _per_cpu_s(shop: Shop, ledgers: list[ServerProcess], sold: list[str]) -> float:
    next_request = sale_requests(shop.key, drawn(sold))
    ports = [urlsplit(ledger.url).port or 0 for ledger in ledgers]

    async def load(seconds: float) -> int:
        done = await asyncio.gather(*(call(port, CALLERS // len(ports), seconds, next_request) for port in ports))
        assert all(set(counts) == {201} for _, counts in done), done
        return sum(counts[201] for _, counts in done)

    def used_s() -> float:
        return cpu_with_children_s(shop.postgres_pid) + sum(cpu_s(ledger.pid) for ledger in ledgers)

    await load(WARM_UP_S)
    before = used_s()
    sales = await load(SECONDS)
    return sales / (used_s() - before)
