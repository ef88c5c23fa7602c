"""What webhooks cost the ledger: CPU of a commit of one hot sku while a hundred of them follow it."""

import secrets
import statistics
from dataclasses import dataclass

from tests.bench.beside import busy
from tests.bench.callers import call
from tests.bench.hot_sku_http import sale_requests
from tests.bench.ratio import Row
from tests.bench.senders import SHARE, senders
from tests.bench.server import cpu_s
from tests.bench.shop import Shop

ENDPOINTS = 100
CALLERS = 64
SECONDS = max(1.0, 8.0 * SHARE)
IN_TURNS = (ENDPOINTS, 0, 0, ENDPOINTS)
"""Whatever grows or warms up from one to the next falls on both sides alike."""


async def webhooks_ledger(shop: Shop, rounds: int) -> list[Row]:
    row = Row(
        f"{ENDPOINTS} webhooks follow a hot sku: ledger",
        "CPU us",
        "lower",
        f"ledger process, POST /v1/movements of one sku, {CALLERS} connections; {ENDPOINTS} webhooks follow it, half of"
        " them are sent every event",
        "the same without `stockwire channels`",
        target=1.05,
    )
    for _ in range(rounds):
        found = [(count, await _measured(shop, count)) for count in IN_TURNS]
        for figures, followed in ((row.ours, ENDPOINTS), (row.bare, 0)):
            figures.append(statistics.mean(one.cpu_us for count, one in found if count == followed))
        beside = statistics.mean(one.beside for count, one in found if count)
        with busy(beside):
            shared = await _measured(shop, 0)
        row.notes["sales/s"] = ", ".join(f"{one.sales_per_s:,.0f} ({count})" for count, one in found)
        row.notes["messages/s"] = ", ".join(f"{one.messages_per_s:,.0f}" for count, one in found if count)
        row.notes["without webhooks, with as much CPU used beside it"] = (
            f"{shared.cpu_us / row.bare[-1]:.2f} ({shared.cpu_us:.0f} us, {beside:.0%} of a core)"
        )
    return [row]


@dataclass(frozen=True, slots=True)
class Measured:
    """``cpu_us``: of the ledger for each sale. ``beside``: cores that `stockwire channels` and the receiver used."""

    cpu_us: float
    sales_per_s: float
    messages_per_s: float = 0.0
    beside: float = 0.0


async def _measured(shop: Shop, count: int) -> Measured:
    sku = f"followed-{secrets.token_hex(4)}"
    await shop.stock_up(sku, 10**9)
    if not count:
        return Measured(*await _sold(shop, sku))
    async with senders(shop) as sending:
        for mode in ("every", "latest"):
            paths = [f"{mode}/{number}" for number in range(count // 2)]
            await sending.endpoints(paths, [[sku]] * len(paths), mode=mode)
        await sending.held(count)
        await sending.figures()
        pids = sending.channels.pid, sending.receiver.pid
        before = sum(map(cpu_s, pids))
        cpu_us, sales_per_s = await _sold(shop, sku)
        beside = (sum(map(cpu_s, pids)) - before) / SECONDS
        return Measured(cpu_us, sales_per_s, (await sending.figures())["all"] / SECONDS, beside)


async def _sold(shop: Shop, sku: str) -> tuple[float, float]:
    before = cpu_s(shop.ledger_pid)
    rate, counts = await call(shop.ledger_port, CALLERS, SECONDS, sale_requests(shop.key, sku))
    assert set(counts) == {201}, counts
    return (cpu_s(shop.ledger_pid) - before) / counts[201] * 1e6, rate
