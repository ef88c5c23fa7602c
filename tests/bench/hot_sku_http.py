"""Sales per second of one hot sku over HTTP, against a bare Starlette route that parses the JSON and does nothing."""

import secrets
from collections.abc import Callable

from tests.bench.callers import call
from tests.bench.ratio import Row
from tests.bench.server import BareServer
from tests.bench.shop import LOCATION, Shop

CALLERS = 64
SECONDS = 4.0


async def hot_sku_http(shop: Shop, rounds: int) -> list[Row]:
    row = Row(
        "hot sku, over HTTP",
        "requests/s",
        "higher",
        f"POST /v1/movements to one ledger process, {CALLERS} connections",
        "the same bytes to a bare Starlette route on uvicorn: JSON parsed, an answer of the same size",
    )
    for _ in range(rounds):
        sku = f"http-{secrets.token_hex(4)}"
        await shop.stock_up(sku, 10**9)
        async with shop.http() as http:
            answer_bytes = len((await shop.sell(http, sku)).content)
        rate, counts = await call(shop.ledger_port, CALLERS, SECONDS, sale_requests(shop.key, sku))
        assert set(counts) == {201}, counts
        row.ours.append(rate)
        with BareServer("tests.bench.no_op_app", answer_bytes) as server:
            rate, counts = await call(server.port, CALLERS, SECONDS, sale_requests(shop.key, sku))
        assert set(counts) == {201}, counts
        row.bare.append(rate)
        row.notes["answer"] = f"{answer_bytes} bytes"
    return [row]


def sale_requests(key: str, sku: str) -> Callable[[], bytes]:
    body = f'{{"sku":"{sku}","location":"{LOCATION}","quantity":-1,"kind":"sale"}}'.encode()
    head = (
        "POST /v1/movements HTTP/1.1\r\nHost: ledger\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {key}\r\nContent-Length: {len(body)}\r\nIdempotency-Key: "
    ).encode()

    def request() -> bytes:
        return head + secrets.token_hex(12).encode() + b"\r\n\r\n" + body

    return request
