"""What a relay costs ledger and PostgreSQL: CPU of a commit of one hot sku while it follows."""

import secrets
import statistics
from dataclasses import dataclass

from tests.bench.beside import busy
from tests.bench.callers import call
from tests.bench.hot_sku_http import sale_requests
from tests.bench.ratio import Row
from tests.bench.relaying import caught_up, fresh_prefix, head, relay
from tests.bench.senders import SHARE
from tests.bench.server import cpu_s, cpu_with_children_s
from tests.bench.shop import Shop
from tests.harness.brokers.nats_server import NatsServer

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
            figures.append(statistics.mean(one.cpu_us for following, one in found if following is wanted))
        beside = statistics.mean(one.beside for following, one in found if following)
        with busy(beside):
            shared = await _measured(shop, following=False)
        row.notes["sales/s"] = ", ".join(f"{one.sales_per_s:,.0f}{' (relay)' if it else ''}" for it, one in found)
        row.notes["without a relay, with as much CPU used beside it"] = (
            f"{shared.cpu_us / row.bare[-1]:.2f} ({shared.cpu_us:.0f} us, {beside:.0%} of a core)"
        )
    return [row]


@dataclass(frozen=True, slots=True)
class Measured:
    """``cpu_us``: of ledger and PostgreSQL for each sale. ``beside``: cores that the relay and its broker used."""

    cpu_us: float
    sales_per_s: float
    beside: float = 0.0


async def _measured(shop: Shop, *, following: bool) -> Measured:
    sku = f"relayed-{secrets.token_hex(4)}"
    await shop.stock_up(sku, 10**9)
    if not following:
        return Measured(*await _sold(shop, sku))
    with NatsServer(shop.system.folder / "nats") as nats:
        async with relay(shop, nats.url, fresh_prefix()) as process:
            await caught_up(process, await head(shop))
            pids = process.pid, nats.pid
            before_s = sum(map(cpu_s, pids))
            cpu_us, sales_per_s = await _sold(shop, sku)
            return Measured(cpu_us, sales_per_s, (sum(map(cpu_s, pids)) - before_s) / SECONDS)


async def _sold(shop: Shop, sku: str) -> tuple[float, float]:
    before_s = _used_s(shop)
    rate, counts = await call(shop.ledger_port, CALLERS, SECONDS, sale_requests(shop.key, sku))
    assert set(counts) == {201}, counts
    return (_used_s(shop) - before_s) / counts[201] * 1e6, rate


def _used_s(shop: Shop) -> float:
    return cpu_s(shop.ledger_pid) + cpu_with_children_s(shop.postgres_pid)
