"""A location that a hub does not hold yet: until a watcher of all of it has the first part, and the last.

Against reading the same rows and encoding them by hand.
"""

import asyncio
import secrets
import time

import asyncpg
import orjson

from tests.bench.hubs import own_hub
from tests.bench.ratio import Row
from tests.bench.shop import Shop
from tests.harness.stream import open_stream

LEVELS = 100_000
LINES = 1_000
"""Of an operation, at most."""

READ = """
select sku, location, on_hand, reserved, version, view_version from stock_level where location = $1 order by sku
"""


async def cold(shop: Shop, rounds: int) -> list[Row]:
    first, whole = _row("first part", 0.1), _row("whole", 2.0)
    for _ in range(rounds):
        location = await shop.once("cold", lambda: _filled(shop))
        first_s, whole_s = await _ours(shop, location)
        bare_s = await _bare(shop, location)
        for row, took_s in ((first, first_s), (whole, whole_s)):
            row.ours.append(took_s)
            row.bare.append(bare_s)
    return [first, whole]


def _row(part: str, target: float) -> Row:
    return Row(
        f"cold location of {LEVELS:,} levels, {part}",
        "s",
        "lower",
        f"from subscribing to all of a location that the hub does not hold until the {part} is here",
        "the same rows read with asyncpg and encoded with orjson, whole",
        target=target,
    )


async def _filled(shop: Shop) -> str:
    location = f"cold-{secrets.token_hex(4)}"
    async with shop.http() as http:
        (await http.put(f"/v1/locations/{location}", json={"name": location})).raise_for_status()
        for at in range(0, LEVELS, LINES):
            skus = [f"cold-{number:06}" for number in range(at, at + LINES)]
            items = [{"sku": sku, "name": sku} for sku in skus]
            (await http.put("/v1/items", json={"items": items, "existing": "keep"})).raise_for_status()
            lines = [{"sku": sku, "location": location, "quantity": 7, "kind": "receipt"} for sku in skus]
            key = {"Idempotency-Key": secrets.token_hex(12)}
            (await http.post("/v1/movements", json={"lines": lines}, headers=key)).raise_for_status()
    return location


async def _ours(shop: Shop, location: str) -> tuple[float, float]:
    """Seconds until the first part, and until the last."""
    async with own_hub(shop) as hub, open_stream(hub.stream, shop.key, max_size=None) as stream:
        started = time.perf_counter()
        await stream.request("subscribe", location=location)
        heard, first_s = 0, 0.0
        while True:
            data = await asyncio.wait_for(stream.connection.recv(decode=False), 60)
            if b'"type":"snapshot"' not in data[:200]:
                continue
            first_s = first_s or time.perf_counter() - started
            heard += data.count(b'"version":')
            if b'"last":true' in data:
                assert heard == LEVELS, heard
                return first_s, time.perf_counter() - started


async def _bare(shop: Shop, location: str) -> float:
    connection = await asyncpg.connect(shop.system.database_url)
    try:
        started = time.perf_counter()
        rows = await connection.fetch(READ, location)
        encoded = orjson.dumps([dict(row) for row in rows])
        took_s = time.perf_counter() - started
        assert encoded.count(b'"version":') == LEVELS
        return took_s
    finally:
        await connection.close()
