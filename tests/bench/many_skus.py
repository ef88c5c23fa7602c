"""Sales of many skus over HTTP, drawn as a launch draws them, against those of one hot sku."""

import random
import secrets
from collections.abc import Callable
from itertools import cycle

import httpx

from tests.bench.callers import call
from tests.bench.hot_sku_http import SECONDS, sale_requests
from tests.bench.ratio import Row
from tests.bench.shop import LOCATION, Shop

CALLERS = 64
SKUS = 1_000
EXPONENT = 1.0
"""Of Zipf's law: the n-th sku sells 1/n of what the first does."""


async def many_skus(shop: Shop, rounds: int) -> list[Row]:
    row = Row(
        f"{SKUS:,} skus over HTTP, Zipf",
        "requests/s",
        "higher",
        f"POST /v1/movements of {SKUS:,} skus, the n-th as often as 1/n, {CALLERS} connections",
        "the same of one sku",
        target=0.75,
    )
    for _ in range(rounds):
        name = f"zipf-{secrets.token_hex(4)}"
        skus = [f"{name}-{number}" for number in range(SKUS)]
        async with shop.http() as http:
            await stock(http, skus, 10**6)
        for figures, sold in ((row.ours, zipf(skus)), (row.bare, skus[:1])):
            rate, counts = await call(shop.ledger_port, CALLERS, SECONDS, sale_requests(shop.key, drawn(sold)))
            assert set(counts) == {201}, counts
            figures.append(rate)
    return [row]


def zipf(skus: list[str], many: int = 1_000_000) -> list[str]:
    weights = [1 / rank**EXPONENT for rank in range(1, len(skus) + 1)]
    return random.Random(1).choices(skus, weights, k=many)


def drawn(skus: list[str]) -> Callable[[], str]:
    """One after the other, and again from the first."""
    endless = cycle(skus)
    return lambda: next(endless)


async def stock(http: httpx.AsyncClient, skus: list[str], quantity: int) -> None:
    (await http.put(f"/v1/locations/{LOCATION}", json={"name": LOCATION})).raise_for_status()
    items = [{"sku": sku, "name": sku} for sku in skus]
    (await http.put("/v1/items", json={"items": items})).raise_for_status()
    for at in range(0, len(skus), 500):
        lines = [
            {"sku": sku, "location": LOCATION, "quantity": quantity, "kind": "receipt"} for sku in skus[at : at + 500]
        ]
        answer = await http.post(
            "/v1/operations", json={"operations": [{"key": secrets.token_hex(12), "lines": lines}]}
        )
        answer.raise_for_status()
