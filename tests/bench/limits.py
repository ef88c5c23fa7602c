"""The commit path with rate limits on and off: one hot sku over HTTP, on two ledgers of one system."""

import secrets
from urllib.parse import urlsplit

from tests.bench.callers import call
from tests.bench.hot_sku_http import CALLERS, SECONDS, sale_requests
from tests.bench.ratio import Row
from tests.bench.shop import Shop

RATE_PER_S = 100_000
"""More than one process takes: leases, counting and headers are measured, and no refusals."""


async def limits(shop: Shop, rounds: int) -> Row:
    row = Row(
        "limits",
        "requests/s",
        "higher",
        f"POST /v1/movements to a ledger that counts the owner's requests with Redis, {CALLERS} connections",
        "the same to a ledger without a rate limit",
    )
    limited = await shop.system.start_ledger(STOCKWIRE_LEDGER_RATE_PER_S=RATE_PER_S)
    port = urlsplit(limited.url).port
    assert port is not None
    sides = [(row.ours, port), (row.bare, shop.ledger_port)]
    for _ in range(rounds):
        for figures, where in sides:
            sku = f"limits-{secrets.token_hex(4)}"
            await shop.stock_up(sku, 10**9)
            rate, counts = await call(where, CALLERS, SECONDS, sale_requests(shop.key, sku))
            assert set(counts) == {201}, counts
            figures.append(rate)
        sides.reverse()  # neither is always the one that finds a warm machine
    assert await limited.stop() == 0
    return row
