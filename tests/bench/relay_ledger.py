"""What a relay costs ledger and PostgreSQL: CPU of a commit of one hot sku while it follows."""

import secrets
import statistics

from tests.bench.callers import call
from tests.bench.hot_sku_http import sale_requests
from tests.bench.ratio import Row
from tests.bench.relaying import broker, caught_up, fresh_prefix, head, relay
from tests.bench.senders import SHARE
from tests.bench.server import cpu_s, cpu_with_children_s
from tests.bench.shop import Shop

CALLERS = 64
SECONDS = max(1.0, 8.0 * SHARE)
IN_TURNS = (True, False, False, True)
"""Whatever grows or warms up from one to the next falls on both sides alike."""


async def relay_ledger(shop: Shop, rounds: int) -> list[Row]:
    row = Row(
        "a relay follows a hot sku: ledger and PostgreSQL",
        "CPU us",
        "lower",
        f"both, for each POST /v1/movements of one sku, {CALLERS} connections; `stockwire relay` follows, to NATS",
        "the same without",
        target=1.05,
    )
    for _ in range(rounds):
        found = [(following, await _measured(shop, following=following)) for following in IN_TURNS]
        for figures, wanted in ((row.ours, True), (row.bare, False)):
            figures.append(statistics.mean(cpu_us for following, (cpu_us, _) in found if following is wanted))
        row.notes["sales/s"] = ", ".join(f"{per_s:,.0f}{' (relay)' if it else ''}" for it, (_, per_s) in found)
    return [row]


async def _measured(shop: Shop, *, following: bool) -> tuple[float, float]:
    """CPU us of a sale, and sales a second."""
    sku = f"relayed-{secrets.token_hex(4)}"
    await shop.stock_up(sku, 10**9)
    if not following:
        return await _sold(shop, sku)
    with broker("nats", shop.system.folder) as url:
        async with relay(shop, url, fresh_prefix()) as process:
            await caught_up(process, await head(shop))
            return await _sold(shop, sku)


async def _sold(shop: Shop, sku: str) -> tuple[float, float]:
    before_s = _used_s(shop)
    rate, counts = await call(shop.ledger_port, CALLERS, SECONDS, sale_requests(shop.key, sku))
    assert set(counts) == {201}, counts
    return (_used_s(shop) - before_s) / counts[201] * 1e6, rate


def _used_s(shop: Shop) -> float:
    return cpu_s(shop.ledger_pid) + cpu_with_children_s(shop.postgres_pid)
