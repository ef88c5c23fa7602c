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
from urllib.parse import urlsplit

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
    slow = Row(
        "sales beside an expand, p99",
        "ms",
        "lower",
        f"{PER_S:g} sales/s by the commit statement of schema 0001, while `stockwire migrate` brings {LEVELS:,} levels"
        f" and {LEVELS * EVENTS_PER_LEVEL:,} events to the newest",
        "the same sales before it",
        target=2.0,
    )
    longest = Row("sales beside an expand, longest", "ms", "lower", slow.ours_is, "a second, the bound", target=1.0)
    for _ in range(rounds):
        template, stocked = await shop.once("expand", lambda: _filled(shop))
        quiet, during, took_s = await _round(shop, template, stocked)
        slow.ours.append(1000 * percentile(during, 0.99))
        slow.bare.append(1000 * percentile(quiet, 0.99))
        longest.ours.append(1000 * max(during))
        longest.bare.append(STALL_MS_MAX)
        longest.notes["without a migration"] = f"{1000 * max(quiet):.0f} ms"
        slow.notes["the last expand took"] = f"{took_s:.0f} s"
    return [slow, longest]


async def _filled(shop: Shop) -> tuple[str, Stocked]:
    """A database of the first schema, which each round copies."""
    template = f"template_{secrets.token_hex(4)}"
    await _on_server(shop, f"create database {template}")
    return template, await stock(_url(shop, template), LEVELS)


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
    return urlsplit(shop.system.database_url)._replace(path=f"/{database}").geturl()


async def _on_server(shop: Shop, statement: str) -> None:
    connection = await asyncpg.connect(shop.system.database_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
