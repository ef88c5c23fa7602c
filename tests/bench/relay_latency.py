"""From a commit to who reads it from a broker, at 200 changes a second, against a hub's client and the broker alone."""

import asyncio
import secrets
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import orjson

from tests.bench.broker_transaction import transactions_ms
from tests.bench.hot_sku_http import sale_requests
from tests.bench.latency import sold
from tests.bench.ratio import Row, percentile
from tests.bench.relaying import KINDS, broker, caught_up, fresh_prefix, head, relay
from tests.bench.senders import SHARE
from tests.bench.server import ROOT
from tests.bench.shop import LOCATION, Shop
from tests.harness.processes import clean_environment
from tests.harness.stream import Stream, open_stream

CHANGES_PER_S = 200
CHANGES = max(20, int(2_000 * SHARE))
TILLS = 16
"""Connections that sell in turns, without a client that would take more of the processor than all that is measured."""
WARM = 10
"""One in so many of each side, the first ones, is not counted."""
LATE_S = 60.0


async def relay_latency(shop: Shop, rounds: int) -> list[Row]:
    rows = {
        kind: Row(
            f"commit to consumer at {CHANGES_PER_S} changes/s, p50, {kind}",
            "ms",
            "lower",
            "committed -> `stockwire listen` has read it from the broker, which `stockwire relay` writes to",
            "twice committed -> level received on a hub's WebSocket, of the same sales, and one transaction of the"
            " broker alone, of one change, until its own client has read it",
            target=1.0,
        )
        for kind in KINDS
    }
    for _ in range(rounds):
        for kind in KINDS:
            relayed, shown, alone = await _measured(shop, kind)
            hub, transaction = percentile(shown, 0.5), percentile(alone, 0.5)
            row = rows[kind]
            row.ours.append(percentile(relayed, 0.5))
            row.bare.append(2 * hub + transaction)
            row.notes["hub and transaction, p50, ms"] = f"{hub:.1f} and {transaction:.1f}"
            row.notes["p99, ms"] = f"{percentile(relayed, 0.99):.1f}, hub {percentile(shown, 0.99):.1f}"
    return list(rows.values())


async def _measured(shop: Shop, kind: str) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds: from commit to consumer and to a hub's client, by the clock of the one machine; of the broker's
    transactions, half of which come before and half behind."""
    sku = f"late-{secrets.token_hex(4)}"
    await shop.stock_up(sku, 10 * CHANGES)
    prefix = fresh_prefix()
    with broker(kind, shop.system.folder) as url:
        alone = await transactions_ms(kind, url)
        async with relay(shop, url, prefix) as process, open_stream(shop.stream_url, shop.key) as stream:
            await caught_up(process, await head(shop))
            await stream.subscribe(LOCATION, [sku])
            async with listener(url, prefix) as lines:
                async with asyncio.timeout(LATE_S):
                    await anext(_events(lines, sku, "receipt"))  # it has begun, and read what was before
                reading = asyncio.create_task(_read(lines, sku))
                watching = asyncio.create_task(_watched(stream, sku))
                await _sell(shop, sku)
                async with asyncio.timeout(LATE_S):
                    relayed, shown = await reading, await watching
        return relayed, shown, alone + await transactions_ms(kind, url)


async def _read(lines: asyncio.StreamReader, sku: str) -> list[float]:
    took: list[float] = []
    async for event in _events(lines, sku, "sale"):
        took.append(_ms_since(event["committed_at"]))
        if len(took) == CHANGES:
            break
    return took[len(took) // WARM :]


async def _events(lines: asyncio.StreamReader, sku: str, kind: str) -> AsyncIterator[dict[str, Any]]:
    while line := await lines.readline():
        event: dict[str, Any] = orjson.loads(line)["data"]
        if event.get("sku") == sku and event.get("kind") == kind:
            yield event


async def _watched(stream: Stream, sku: str) -> list[float]:
    """Of several changes that come together the last is shown."""
    took: list[float] = []
    left = None
    while left != 9 * CHANGES:
        level = await stream.expect("level", sku=sku)
        left = level["on_hand"]
        took.append(_ms_since(level["committed_at"]))
    return took[len(took) // WARM :]


async def _sell(shop: Shop, sku: str) -> None:
    """At a steady rate; what one is late, the next ones are not."""
    began_s = time.monotonic()
    request = sale_requests(shop.key, sku)

    async def sell(first: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", shop.ledger_port)
        for number in range(first, CHANGES, TILLS):
            await asyncio.sleep(max(0.0, began_s + number / CHANGES_PER_S - time.monotonic()))
            writer.write(request())
            await sold(reader)
        writer.close()
        await writer.wait_closed()

    async with asyncio.TaskGroup() as selling:
        for first in range(TILLS):
            selling.create_task(sell(first))


@asynccontextmanager
async def listener(url: str, prefix: str) -> AsyncIterator[asyncio.StreamReader]:
    """What a program of its own reads, from the first message on."""
    environment = clean_environment({"STOCKWIRE_RELAY_TO": url, "STOCKWIRE_RELAY_PREFIX": prefix})
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "followers.listener", "--from-start"),
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        process.terminate()
        await process.wait()


def _ms_since(committed_at: str) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(committed_at)).total_seconds() * 1_000
