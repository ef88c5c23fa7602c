"""A launch that has sold out: refusals per second over HTTP, against sales of the same sku while there was stock."""

import secrets

from tests.bench.callers import call
from tests.bench.hot_sku_http import SECONDS, sale_requests
from tests.bench.ratio import Row
from tests.bench.shop import Shop

CALLERS = 512
REFUSED = 409


async def sold_out(shop: Shop, rounds: int) -> list[Row]:
    row = Row(
        "sold-out storm",
        "requests/s",
        "higher",
        f"POST /v1/movements refused for want of stock, {CALLERS} connections",
        "the same while there is stock",
        target=0.9,
    )
    for _ in range(rounds):
        plenty, none = (f"storm-{secrets.token_hex(4)}" for _ in range(2))
        await shop.stock_up(plenty, 10**9)
        await shop.stock_up(none, 1)
        async with shop.http() as http:
            await shop.sell(http, none)
        for figures, sku, status in ((row.ours, none, REFUSED), (row.bare, plenty, 201)):
            rate, counts = await call(shop.ledger_port, CALLERS, SECONDS, sale_requests(shop.key, sku))
            assert set(counts) == {status}, counts
            figures.append(rate)
    return [row]
