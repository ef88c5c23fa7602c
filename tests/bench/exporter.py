"""How fast the exporter follows the log from its start, against reading the same and doing nothing; and
whether its memory grows with it."""

import asyncio
import json
import os
import secrets
import sys
import time
from dataclasses import dataclass

import httpx
import psutil

from followers.exporter.process import SCOPES
from tests.bench.many_skus import stock
from tests.bench.ratio import Row
from tests.bench.server import ROOT
from tests.bench.shop import LOCATION, Shop
from tests.harness.processes import ServerProcess, exporter_process

SKUS = 1_000
EVENTS = max(20 * SKUS, int(os.environ.get("EXPORTER_EVENTS", "1000000"))) // SKUS * SKUS
"""In one shard, as on launch day."""
SETTLED = 0.2
"""Of the events: from there on memory is to be flat, and there the clock begins to run."""
LOOK_S = 0.25
"""A look takes the exporter some 10 ms: real ones are seconds apart."""


async def exporter(shop: Shop, rounds: int) -> list[Row]:
    speed = Row(
        "exporter follows the log",
        "events/s",
        "higher",
        f"`stockwire exporter --from-start`, {EVENTS:,} events of {SKUS:,} skus in one shard: all audited",
        "httpx and orjson read and decode the same pages, and do nothing",
        target=0.5,
    )
    memory = Row(
        f"exporter, memory over {EVENTS:,} events",
        "MiB",
        "lower",
        "resident, when all are audited",
        "when a fifth was",
        target=1.15,
    )
    for _ in range(rounds):
        key = await shop.system.key("exporter", *SCOPES)
        events = await shop.once("exporter", lambda: sold(shop, EVENTS))
        speed.bare.append(events / (await read(shop.system.ledger_url, key)).s)
        per_s, settled, whole = await _audited(shop, key, events)
        speed.ours.append(per_s)
        memory.bare.append(settled)
        memory.ours.append(whole)
    return [speed, memory]


async def sold(shop: Shop, count: int) -> int:
    """``count`` more events of SKUS in one shard. How many the log has then."""
    skus = [f"audited-{secrets.token_hex(4)}-{number:03}" for number in range(SKUS)]
    lines = [{"sku": sku, "location": LOCATION, "quantity": -1, "kind": "sale"} for sku in skus]
    async with shop.http() as http:
        await stock(http, skus, 10**6)
        for _ in range(count // SKUS - 1):
            headers = {"Idempotency-Key": secrets.token_hex(12)}
            (await http.post("/v1/movements", json={"lines": lines}, headers=headers)).raise_for_status()
        shards = (await http.get("/v1/shards")).json()["shards"]
    return sum(one["head"] for one in shards)


@dataclass(frozen=True, slots=True)
class Reading:
    """Seconds, and those of the reader's processor."""

    s: float
    cpu_s: float


async def read(url: str, key: str) -> Reading:
    """The whole log, and nothing is done with it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.bare_reader"),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    found, _ = await process.communicate(json.dumps({"url": url, "key": key}).encode())
    assert process.returncode == 0, process.returncode
    return Reading(**json.loads(found))


async def _audited(shop: Shop, key: str, events: int) -> tuple[float, float, float]:
    """Events a second; MiB when ``SETTLED`` of them were audited, and when all were."""
    settings = {
        "STOCKWIRE_URL": shop.system.ledger_url,
        "STOCKWIRE_EXPORTER_KEY": key,
        "STOCKWIRE_EXPORTER_FROM_START": 1,
    }
    process = exporter_process("exporter", shop.system.folder, settings)
    try:
        await process.start()
        done, began_s, settled = await _until(process, SETTLED * events)
        all_done, ended_s, whole = await _until(process, events)
        process.check_log()
    finally:
        await process.stop()
    return (all_done - done) / (ended_s - began_s), settled, whole


async def _until(process: ServerProcess, events: float) -> tuple[float, float, float]:
    """How many events were audited, when, and MiB. Raises AssertionError for any violation."""
    async with httpx.AsyncClient(trust_env=False) as http:
        while True:
            text = (await http.get(f"{process.admin}/metrics", timeout=30)).text
            values = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("stockwire_audit_"))
            done = float(values["stockwire_audit_events_total"])
            assert not sum(float(count) for name, count in values.items() if "violations_total" in name)
            if done >= events:
                return done, time.monotonic(), psutil.Process(process.pid).memory_info().rss / 2**20
            await asyncio.sleep(LOOK_S)
