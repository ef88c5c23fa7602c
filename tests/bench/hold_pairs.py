"""A sale in two steps of one hot sku, held and then paid for, against two plain sales of it: over HTTP, one ledger."""

import random
import secrets
from functools import partial
from typing import NamedTuple

from tests.bench.callers import Caller, MakeCaller, NextRequest, call, post
from tests.bench.hot_sku_http import SECONDS, sale_requests
from tests.bench.ratio import Row
from tests.bench.server import cpu_s, cpu_with_children_s
from tests.bench.shop import LOCATION, Shop

CALLERS = 64
WARM_UP_S = 1.0
TARGET = 0.7
ID, UUID_BYTES = b'"id":"', 36


class Measured(NamedTuple):
    """Requests per second, and the CPU of each."""

    per_s: float
    ledger_us: float
    postgres_us: float


class Basket(Caller):
    """Makes a reservation, then what is to become of it (``then``), then the next one."""

    def __init__(self, key: str, then: str, next_request: NextRequest, counts: dict[int, int]) -> None:
        super().__init__(next_request, counts)
        self._key = key
        self._then = then
        self._holds = True

    def next_after(self, answer: bytes) -> bytes:
        self._holds = not self._holds
        if self._holds:
            return self._next_request()
        made = answer.partition(ID)[2][:UUID_BYTES].decode()
        return post(self._key, f"/v1/reservations/{made}/{self._then}", "{}")


async def hold_pairs(shop: Shop, rounds: int) -> list[Row]:
    pair, sales = "POST /v1/reservations and the commit of what it made", "two sales, POST /v1/movements"
    by_time = Row(
        "hold plus commit, hot sku",
        "pairs/s",
        "higher",
        f"{pair}, to one ledger process, {CALLERS} connections",
        sales,
        target=TARGET,
    )
    by_cpu = Row(
        "hold plus commit, hot sku, CPU",
        "pairs per CPU s",
        "higher",
        f"{pair}: ledger and PostgreSQL",
        f"{sales}: ledger and PostgreSQL",
        target=TARGET,
    )
    for _ in range(rounds):
        sku = f"pairs-{secrets.token_hex(4)}"
        await shop.stock_up(sku, 10**9)
        reserve = partial(post, shop.key, "/v1/reservations", reservation(sku))
        baskets: tuple[NextRequest, MakeCaller] = reserve, partial(Basket, shop.key, "commit")
        sales_alone: tuple[NextRequest, MakeCaller] = sale_requests(shop.key, sku), Caller
        sides = [("pair", by_time.ours, by_cpu.ours, baskets), ("sales", by_time.bare, by_cpu.bare, sales_alone)]
        for what, rates, costs, asking in random.sample(sides, 2):  # neither always finds the machine the same
            measured = await _measure(shop, *asking)
            rates.append(measured.per_s / 2)
            costs.append(1e6 / (measured.ledger_us + measured.postgres_us) / 2)
            by_cpu.notes[f"a request of {what}"] = (
                f"{measured.ledger_us:.0f} us of the ledger, {measured.postgres_us:.0f} us of PostgreSQL"
            )
    return [by_time, by_cpu]


def reservation(sku: str) -> str:
    return f'{{"lines":[{{"sku":"{sku}","location":"{LOCATION}","quantity":1}}]}}'


async def _measure(shop: Shop, next_request: NextRequest, caller: MakeCaller) -> Measured:
    await call(shop.ledger_port, CALLERS, WARM_UP_S, next_request, caller)
    before = cpu_s(shop.ledger_pid), cpu_with_children_s(shop.postgres_pid)
    rate, counts = await call(shop.ledger_port, CALLERS, SECONDS, next_request, caller)
    after = cpu_s(shop.ledger_pid), cpu_with_children_s(shop.postgres_pid)
    assert counts.keys() <= {200, 201}, counts
    ledger_us, postgres_us = ((after[at] - before[at]) / sum(counts.values()) * 1e6 for at in range(2))
    return Measured(rate, ledger_us, postgres_us)
