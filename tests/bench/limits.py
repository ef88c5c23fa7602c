"""The commit path with rate limits on and off: one hot sku over HTTP, on two ledgers of one system.

Two processes of the same code may differ by a tenth for as long as they run, so each round has two of its own, and what
is compared is their CPU: how fast they answer swings more than what the limits cost.
"""

import random
import secrets
from urllib.parse import urlsplit

from tests.bench.callers import call
from tests.bench.hot_sku_http import SECONDS, sale_requests
from tests.bench.ratio import Row
from tests.bench.server import cpu_s
from tests.bench.shop import Shop

CALLERS = 64
RATE_PER_S = 100_000
"""More than one process takes: leases, counting and headers are measured, and no refusals."""
WARM_UP_S = 1.0


async def limits(shop: Shop, rounds: int) -> list[Row]:
    row = Row(
        "limits, CPU per request",
        "us",
        "lower",
        f"ledger process that counts the owner's requests with Redis, POST /v1/movements, {CALLERS} connections",
        "the same to a ledger without a rate limit",
    )
    sides = [(row.ours, RATE_PER_S), (row.bare, 0)]
    for _ in range(rounds):
        for figures, per_second in random.sample(sides, 2):  # neither is always the one that finds a warm machine
            ledger = await shop.system.start_ledger(STOCKWIRE_LEDGER_RATE_PER_S=per_second)
            sku = f"limits-{secrets.token_hex(4)}"
            await shop.stock_up(sku, 10**9)
            port = urlsplit(ledger.url).port
            assert port is not None
            for seconds in (WARM_UP_S, SECONDS):
                before = cpu_s(ledger.pid)
                _, counts = await call(port, CALLERS, seconds, sale_requests(shop.key, sku))
                assert set(counts) == {201}, counts
            figures.append((cpu_s(ledger.pid) - before) / counts[201] * 1e6)
            assert await ledger.stop() == 0
    return [row]
