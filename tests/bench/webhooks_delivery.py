"""What a delivery costs: signed, sent, recorded, against the same client that posts the same bytes in a bare loop."""

import asyncio
import json
import secrets
import sys

from tests.bench.many_skus import stock
from tests.bench.ratio import Row
from tests.bench.senders import DEADLINE_S, Senders, senders, share
from tests.bench.server import ROOT, cpu_s, cpu_with_children_s
from tests.bench.shop import LOCATION, Shop
from tests.harness.waiting import wait_until

ENDPOINTS = 20
SKUS = 100
AT_ONCE = 8 * ENDPOINTS
"""As many as webhooks may have in flight."""
SALES = share(2_500, SKUS) // SKUS * SKUS
"""Each is sent to every endpoint. CPU is told in ticks of 10 ms."""


async def webhooks_delivery(shop: Shop, rounds: int) -> list[Row]:
    row = Row(
        "webhook delivered, CPU",
        "us",
        "lower",
        f"`stockwire channels`, {ENDPOINTS} webhooks of {SKUS} skus, every event: read, signed, sent, recorded",
        "aiohttp's client in a loop: the same bytes to the same receiver, as many at once",
        target=2.0,
    )
    for _ in range(rounds):
        async with senders(shop) as sending:
            ours_us, postgres_us, shown = await _delivered(sending)
            row.ours.append(ours_us)
            row.bare.append(await _posted(sending, shown))
            row.notes["CPU of PostgreSQL, sales too"] = f"{postgres_us:.0f} us"
    return [row]


async def _delivered(sending: Senders) -> tuple[float, float, str]:
    """CPU us of the process and of PostgreSQL for each message, from the first sale on until all is
    recorded; and a request as it came."""
    shop = sending.shop
    name = f"sent-{secrets.token_hex(4)}"
    skus = [f"{name}-{number:03}" for number in range(SKUS)]
    async with shop.http() as http:
        await stock(http, skus, 10**6)
        await sending.endpoints([f"at/{number}" for number in range(ENDPOINTS)], [skus] * ENDPOINTS)
        await sending.held(ENDPOINTS)
        before = cpu_s(sending.channels.pid), cpu_with_children_s(shop.postgres_pid)
        lines = [{"sku": sku, "location": LOCATION, "quantity": -1, "kind": "sale"} for sku in skus]
        for _ in range(SALES // SKUS):
            headers = {"Idempotency-Key": secrets.token_hex(12)}
            (await http.post("/v1/movements", json={"lines": lines}, headers=headers)).raise_for_status()
    expected, came, shown = SALES * ENDPOINTS, 0, ""

    async def recorded() -> bool:
        nonlocal came, shown
        figures = await sending.figures()
        came, shown = came + figures["all"], figures["last"]
        async with sending.database.transaction() as connection:
            return came >= expected and not await connection.fetchval("select count(*) from behind")

    await wait_until(recorded, DEADLINE_S)
    used, postgres = cpu_s(sending.channels.pid) - before[0], cpu_with_children_s(shop.postgres_pid) - before[1]
    return used / expected * 1e6, postgres / expected * 1e6, shown


async def _posted(sending: Senders, shown: str) -> float:
    """CPU us of a process that does nothing else. ``shown``: a request as it came."""
    head, _, body = shown.partition("\r\n\r\n")
    lines = [line.partition(": ") for line in head.split("\r\n")[1:]]
    left_to_aiohttp = ("host", "content-length", "accept")
    headers = {name: value for name, _, value in lines if name.lower() not in left_to_aiohttp}
    url = f"{sending.receiver_url}/bare"
    asked = {"url": url, "headers": headers, "body": body, "count": SALES * ENDPOINTS, "at_once": AT_ONCE}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.bare_poster"),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    found, _ = await process.communicate(json.dumps(asked).encode())
    assert process.returncode == 0, process.returncode
    return float(json.loads(found))
