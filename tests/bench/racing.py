"""Ledgers that share a database, against one: sales for each second of CPU that they and PostgreSQL take together."""

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
NUMBERS = {2: "two", 4: "four"}
HOT, MANY = "hot sku", f"{SKUS:,} skus"
TARGETS = {(2, HOT): 0.85, (2, MANY): 0.95}
WARM_UP_S = 1.0


async def racing(shop: Shop, rounds: int) -> list[Row]:
    rows = {(ledgers, what): _row(ledgers, what) for what in (HOT, MANY) for ledgers in NUMBERS}
    for _ in range(rounds):
        name = f"race-{secrets.token_hex(4)}"
        many = [f"{name}-{number}" for number in range(SKUS)]
        async with shop.http() as http:
            await stock(http, many, 10**6)
        ledgers = [shop.system.ledgers[0]]
        try:
            for _ in range(max(NUMBERS) - 1):
                ledgers.append(await shop.system.start_ledger(STOCKWIRE_LEDGER_RATE_PER_S=0))
            for what, sold in ((HOT, many[:1]), (MANY, zipf(many))):
                bare = await _per_cpu_s(shop, ledgers[:1], sold)
                for number in NUMBERS:
                    rows[number, what].ours.append(await _per_cpu_s(shop, ledgers[:number], sold))
                    rows[number, what].bare.append(bare)
        finally:
            for ledger in ledgers[1:]:
                assert await ledger.stop() == 0
    return list(rows.values())


def _row(ledgers: int, what: str) -> Row:
    return Row(
        f"{NUMBERS[ledgers]} ledgers, {what}",
        "sales per CPU s",
        "higher",
        f"{NUMBERS[ledgers]} ledger processes and PostgreSQL, {CALLERS} connections, as many to each",
        f"one ledger process and PostgreSQL, {CALLERS} connections",
        target=TARGETS.get((ledgers, what)),
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
