"""Sales per second of one hot sku over HTTP, against a bare Starlette route that parses the JSON and does nothing."""

import secrets
from collections.abc import Callable

from tests.bench.callers import call
from tests.bench.ratio import Row
from tests.bench.server import BareServer, cpu_s
from tests.bench.shop import LOCATION, Shop

CALLERS = (64, 512)
SECONDS = 3.0


async def hot_sku_http(shop: Shop, rounds: int) -> list[Row]:
    return [await _with(callers, shop, rounds) for callers in CALLERS]


async def _with(callers: int, shop: Shop, rounds: int) -> Row:
    row = Row(
        f"hot sku, over HTTP, {callers} connections",
        "requests/s",
        "higher",
        "POST /v1/movements to one ledger process",
        "the same bytes to a bare Starlette route on uvicorn: JSON parsed, an answer of the same size",
        target=0.6,
    )
    for _ in range(rounds):
        sku = f"http-{secrets.token_hex(4)}"
        await shop.stock_up(sku, 10**9)
        async with shop.http() as http:
            answer_bytes = len((await shop.sell(http, sku)).content)
        next_request = sale_requests(shop.key, sku)
        rate, ours_us = await _measure(shop.ledger_port, shop.ledger_pid, callers, next_request)
        row.ours.append(rate)
        with BareServer("tests.bench.no_op_app", answer_bytes) as server:
            rate, bare_us = await _measure(server.port, server.pid, callers, next_request)
        row.bare.append(rate)
        row.notes["answer"] = f"{answer_bytes} bytes"
        row.notes["CPU of the last round"] = f"{ours_us:.0f} us against {bare_us:.0f} us"
    return row


async def _measure(port: int, pid: int, callers: int, next_request: Callable[[], bytes]) -> tuple[float, float]:
    """Requests per second, and CPU us of the server for each."""
    before = cpu_s(pid)
    rate, counts = await call(port, callers, SECONDS, next_request)
    assert set(counts) == {201}, counts
    return rate, (cpu_s(pid) - before) / counts[201] * 1e6


def sale_requests(key: str, sku: str | Callable[[], str]) -> Callable[[], bytes]:
    """A sale of one unit with a new key each time. ``sku`` is one for all, or asked for each."""
    head = (
        "POST /v1/movements HTTP/1.1\r\nHost: ledger\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {key}\r\n"
    )

    def request() -> bytes:
        sold = sku if isinstance(sku, str) else sku()
        body = f'{{"sku":"{sold}","location":"{LOCATION}","quantity":-1,"kind":"sale"}}'
        lengths = f"Content-Length: {len(body)}\r\nIdempotency-Key: {secrets.token_hex(12)}\r\n\r\n"
        return (head + lengths + body).encode()

    return request
