"""What sales notice of an expand on a large database: from the first schema to the newest, beside steady sales.

Each round has a database of its own: sold from with no migration, then through one. Filling and copying them takes
minutes, so this row is run only when it is named.
"""

import asyncio
import secrets
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg

from tests.bench.ratio import Row, percentile
from tests.bench.shop import Shop
from tests.harness.processes import clean_environment
from tests.upgrades.scale.sales import PER_S, Sales, old_tills, selling
from tests.upgrades.scale.stocked import EVENTS_PER_LEVEL, LEVELS, Stocked, stock

PROGRAM = Path(sys.executable).with_name("stockwire")
WARM_UP_S = 5.0
QUIET_S = 30.0
"""Without a migration: 3,000 sales, of which 30 are beyond the p99."""


STALL_MS_MAX = 1_000.0
"""What a sale may take beside an expand."""


async def expand(shop: Shop, rounds: int) -> list[Row]:
    row = Row(
        "sales beside an expand, p99",
        "ms",
        "lower",
        f"{PER_S:g} sales/s by the commit statement of schema 0001, while `stockwire migrate` brings it to the newest",
        "the same sales before it",
        target=2.0,
    )
    template = f"template_{secrets.token_hex(4)}"
    await _on_server(shop, f"create database {template}")
    stocked = await stock(_url(shop, template), LEVELS)
    stalls: list[tuple[float, float]] = []
    seconds: list[float] = []
    for _ in range(rounds):
        quiet, during, took_s = await _round(shop, template, stocked)
        row.ours.append(1000 * percentile(during, 0.99))
        row.bare.append(1000 * percentile(quiet, 0.99))
        stalls.append((1000 * max(during), 1000 * max(quiet)))
        seconds.append(took_s)
    row.notes["levels, events"] = f"{stocked.levels:,}, {stocked.levels * EVENTS_PER_LEVEL:,}"
    longest_ms = max(ours for ours, _ in stalls)
    row.notes["longest stall"] = (
        f"{longest_ms:,.0f} ms, of {STALL_MS_MAX:,.0f} at most {'met' if longest_ms <= STALL_MS_MAX else 'missed'}"
        f" ({'; '.join(f'{ours:.0f} against {bare:.0f}' for ours, bare in stalls)})"
    )
    row.notes["expand took"] = ", ".join(f"{took_s:.0f} s" for took_s in seconds)
    await _on_server(shop, f"drop database {template}")
    return [row]


async def _round(shop: Shop, template: str, stocked: Stocked) -> tuple[list[float], list[float], float]:
    """The seconds that sales took without a migration, and during it; how long it went on."""
    name = f"expanded_{secrets.token_hex(4)}"
    await _on_server(shop, f"create database {name} template {template} strategy file_copy")
    await _on_server(shop, "checkpoint")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(_on_server, shop, f"drop database {name} with (force)")
        tills = await stack.enter_async_context(old_tills(_url(shop, name), stocked))
        sales = await stack.enter_async_context(selling(Sales(stocked, tills)))
        await asyncio.sleep(WARM_UP_S)
        began = time.monotonic()
        await asyncio.sleep(QUIET_S)
        expanding = time.monotonic()
        await _migrate(_url(shop, name))
        ended = time.monotonic()
    assert sales.failed == [], sales.failed[:3]
    return sales.between(began, expanding), sales.between(expanding, ended), ended - expanding


async def _migrate(url: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(PROGRAM, "migrate"), env=clean_environment({"STOCKWIRE_DATABASE_URL": url}), stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()


def _url(shop: Shop, database: str) -> str:
    return shop.system.database_url.replace("/stockwire?", f"/{database}?")


async def _on_server(shop: Shop, statement: str) -> None:
    connection = await asyncpg.connect(shop.system.database_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
