"""Sales per second of one hot sku in one process: the group commit, against read, check, update where version."""

import asyncio
import json
import secrets
import sys
import time
from collections.abc import Awaitable, Callable

import asyncpg

from ledger.commit.line import Line
from ledger.commit.operation import Operation, operation_id
from ledger.commit.writers import Writers
from ledger.database.connector import Connector
from ledger.database.engine import COMMIT_SETTINGS
from ledger.feed.heads import Heads
from ledger.feed.publisher import Publisher
from ledger.holds.sweeper import expire_operation
from ledger.limits import HoldLimits
from tests.bench.ratio import Row
from tests.bench.shop import LOCATION, SHARDS, Shop
from wire.shards import shard_of

CALLERS = 512
NAIVE_CALLERS = 32
"""Each needs a connection of its own; more of them only lose more races."""
SECONDS = 3.0
STOCK = 10**9

DEADLINE_S = 120.0
NEEDED = ("database_url", "redis_url", "channel_prefix", "ledger_url")
"""Of the system, by a process that measures it."""
PROGRAM = """
import json, sys, types
import uvloop
from tests.bench import hot_sku, shop
given = json.loads(sys.argv[1])
measured = object.__new__(shop.Shop)
object.__setattr__(measured, "key", given.pop("key"))
object.__setattr__(measured, "system", types.SimpleNamespace(**given))
print(uvloop.run(hot_sku._ours(measured)))
"""
"""Of any tree whose bench has this row: its shop, however it is made there, over the system that runs."""

NaiveSale = Callable[[asyncpg.Connection, str], Awaitable[int]]
"""Answers how many were sold: 0 if another was faster."""

SCRATCH = """
create table if not exists naive_level (sku text primary key, on_hand int not null, version bigint not null);
create table if not exists naive_event (sku text, version bigint, delta int, operation text primary key);
"""


async def hot_sku(shop: Shop, rounds: int) -> list[Row]:
    ours_is = f"Writers.submit, {CALLERS} callers, one process, fsync on"
    optimistic = Row(
        "hot sku, in process",
        "sales/s",
        "higher",
        ours_is,
        f"optimistic loop: select, check, update where version, insert, commit; retry; {NAIVE_CALLERS} callers",
        target=120,
    )
    atomic = Row(
        "hot sku, in process, against atomic updates",
        "sales/s",
        "higher",
        ours_is,
        f"one atomic update and an insert for each sale, in one statement; {NAIVE_CALLERS} callers",
        target=20,
    )
    for _ in range(rounds):
        sold = await sold_per_s(shop)
        optimistic.ours.append(sold)
        optimistic.bare.append(await _naive(shop, _optimistic_sale))
        atomic.ours.append(sold)
        atomic.bare.append(await _naive(shop, _atomic_sale))
    return [optimistic, atomic]


async def sold_per_s(shop: Shop) -> float:
    """In a process of the shop's own tree, whose code it is: by that tree's own bench."""
    given = {"key": shop.key, **{name: getattr(shop.system, name) for name in NEEDED}}
    release = shop.system.release
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, json.dumps(given)),
        cwd=release.tree,
        env=release.environment({}),
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(DEADLINE_S):
        printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    return float(printed)


async def _ours(shop: Shop) -> float:
    sku = f"hot-{secrets.token_hex(4)}"
    await shop.stock_up(sku, STOCK)
    connector = Connector(shop.system.database_url)
    publisher = Publisher(shop.system.redis_url, shop.system.channel_prefix)
    heads = Heads(connector, COMMIT_SETTINGS, publisher)
    writers = Writers(connector, COMMIT_SETTINGS, SHARDS, heads, publisher, expire_operation, HoldLimits())
    running = [asyncio.create_task(writers.run()), asyncio.create_task(publisher.run())]
    sold = 0
    ends = time.perf_counter() + SECONDS

    async def caller() -> None:
        nonlocal sold
        while time.perf_counter() < ends:
            await writers.submit(_sale(sku))
            sold += 1

    started = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    rate = sold / (time.perf_counter() - started)
    writers.stop()
    publisher.stop()
    await asyncio.gather(*running)
    await heads.close()
    return rate


def _sale(sku: str) -> Operation:
    key = secrets.token_hex(8)
    line = Line(sku, LOCATION, shard_of(LOCATION, SHARDS), "sale", -1)
    return Operation(operation_id("bench", key), "bench", key, b"\0" * 32, (line,))


async def _naive(shop: Shop, sell: NaiveSale) -> float:
    sku = f"naive-{secrets.token_hex(4)}"
    pool = await asyncpg.create_pool(shop.system.database_url, min_size=NAIVE_CALLERS, max_size=NAIVE_CALLERS)
    async with pool:
        await pool.execute(SCRATCH)
        await pool.execute("insert into naive_level values ($1, $2, 0)", sku, STOCK)
        ends = time.perf_counter() + SECONDS
        started = time.perf_counter()
        sold = sum(await asyncio.gather(*(_naive_caller(pool, sku, ends, sell) for _ in range(NAIVE_CALLERS))))
        return sold / (time.perf_counter() - started)


async def _naive_caller(pool: asyncpg.Pool, sku: str, ends: float, sell: NaiveSale) -> int:
    sold = 0
    async with pool.acquire() as connection:
        while time.perf_counter() < ends:
            sold += await sell(connection, sku)
    return sold


async def _optimistic_sale(connection: asyncpg.Connection, sku: str) -> int:
    row = await connection.fetchrow("select on_hand, version from naive_level where sku = $1", sku)
    if row["on_hand"] < 1:
        return 0
    async with connection.transaction():
        done = await connection.execute(
            "update naive_level set on_hand = on_hand - 1, version = version + 1 where sku = $1 and version = $2",
            sku,
            row["version"],
        )
        if done != "UPDATE 1":
            return 0
        await connection.execute(
            "insert into naive_event values ($1, $2, -1, $3)", sku, row["version"] + 1, secrets.token_hex(8)
        )
    return 1


ATOMIC = """
with level as (
  update naive_level set on_hand = on_hand - 1, version = version + 1 where sku = $1 and on_hand >= 1
  returning version)
insert into naive_event select $1, version, -1, $2 from level
"""


async def _atomic_sale(connection: asyncpg.Connection, sku: str) -> int:
    return int(await connection.execute(ATOMIC, sku, secrets.token_hex(8)) == "INSERT 0 1")
