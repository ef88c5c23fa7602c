"""Lines of large operations, against executemany of the same rows of events: per second, and per second of CPU."""

import secrets
from collections.abc import Callable

from tests.bench.callers import call
from tests.bench.event_rows import Written, write_again
from tests.bench.many_skus import stock
from tests.bench.ratio import Row
from tests.bench.server import cpu_s, cpu_with_children_s
from tests.bench.shop import LOCATION, Shop

LINES = 500, 1_000
SECONDS = 4.0
TARGET = 0.7


async def bulk(shop: Shop, rounds: int) -> list[Row]:
    return [row for lines in LINES for row in await _of(lines, shop, rounds)]


async def _of(lines: int, shop: Shop, rounds: int) -> list[Row]:
    rows = _rows(lines)
    for _ in range(rounds):
        skus = await shop.once(f"bulk-{lines}", lambda: _stocked(shop, lines))
        ours, written = await _ours(shop, skus)
        bare = await write_again(shop, LOCATION, written, lines)
        for row, (figure, reference) in zip(rows, zip(ours, bare, strict=True), strict=True):
            row.ours.append(figure)
            row.bare.append(reference)
    return rows


def _rows(lines: int) -> list[Row]:
    ours = f"POST /v1/movements of {lines:,} lines over HTTP, one in flight"
    bare = f"executemany of the same events into a table like theirs, unique indexes included, {lines:,} a commit"
    name = f"lines of {lines:,}-line operations"
    return [
        Row(name, "lines/s", "higher", ours, bare, target=TARGET),
        Row(
            f"{name}, CPU",
            "lines per CPU s",
            "higher",
            f"{ours}: ledger and PostgreSQL",
            f"{bare}: loader and PostgreSQL",
            target=TARGET,
        ),
    ]


async def _stocked(shop: Shop, lines: int) -> list[str]:
    name = f"bulk-{secrets.token_hex(4)}"
    skus = [f"{name}-{number}" for number in range(lines)]
    async with shop.http() as http:
        await stock(http, skus, 10**6)
    return skus


async def _ours(shop: Shop, skus: list[str]) -> tuple[Written, int]:
    """And how many lines were written."""
    before = _cpu_s(shop)
    rate, counts = await call(shop.ledger_port, 1, SECONDS, _requests(shop.key, skus))
    assert set(counts) == {201}, counts
    lines = counts[201] * len(skus)
    return Written(rate * len(skus), lines / (_cpu_s(shop) - before)), lines


def _cpu_s(shop: Shop) -> float:
    return cpu_s(shop.ledger_pid) + cpu_with_children_s(shop.postgres_pid)


def _requests(key: str, skus: list[str]) -> Callable[[], bytes]:
    """A sale of one unit of each, with a new key each time; as ready as the rows of executemany are."""
    lines = ",".join(f'{{"sku":"{sku}","location":"{LOCATION}","quantity":-1,"kind":"sale"}}' for sku in skus)
    body = f'{{"lines":[{lines}]}}'
    head = (
        "POST /v1/movements HTTP/1.1\r\nHost: ledger\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {key}\r\nContent-Length: {len(body)}\r\n"
    )

    def request() -> bytes:
        return f"{head}Idempotency-Key: {secrets.token_hex(12)}\r\n\r\n{body}".encode()

    return request
