"""What a commit costs in a shop that has grown, against the same shop when it was small: CPU of ledger and PostgreSQL.

Levels: each sale is of a sku and a location drawn from all there are, the n-th as often as 1/n. Remembered operations:
the sales are of the same thousand skus, beside few and beside many operations of random ids. Filling takes minutes, so
this row is run only when it is named; ``GROWTH_SHARE=0.01`` tries it with a hundredth of the larger shop.
"""

import os
import random
import secrets
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import accumulate
from urllib.parse import urlsplit

import asyncpg

from cli.launch import Watchdog
from ledger import migrations
from tests.bench.callers import call
from tests.bench.ratio import Row
from tests.bench.server import cpu_s, cpu_with_children_s
from tests.bench.shop import SHARDS, Shop, make_folder
from tests.harness.api_keys import make_key
from tests.harness.postgres import PostgresServer
from tests.harness.processes import ServerProcess
from wire.shards import shard_of

SHARE = float(os.environ.get("GROWTH_SHARE", "1"))
LEVELS = 4_000, int(4_000_000 * SHARE)
OPERATIONS = 100_000, int(50_000_000 * SHARE)
CALLERS = 64
SECONDS = 8.0
WARM_UP_S = 4.0
"""Until the levels that are sold most are remembered, and every page that is written often was logged whole once."""
REQUESTS = 400_000
"""Drawn before the first is sent: more than are sent in a round."""
TARGET = 1.15
MEMORY = "4GB"
"""PostgreSQL's own: the index of 50,000,000 operations takes 2 GB of it. With the 128 MB of `stockwire up` nearly every
operation reads a page of it anew, for which another has to be written out."""


@dataclass(frozen=True, slots=True)
class Grown:
    """A database of its own. ``skus`` at each of ``locations``, one of every shard."""

    url: str
    skus: int
    locations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Filled:
    """``small``: few levels, few operations. ``levels``, ``operations``: the same with many of these."""

    postgres_pid: int
    small: Grown
    levels: Grown
    operations: Grown


async def growth(shop: Shop, rounds: int) -> list[Row]:
    levels, operations = (
        _rows(f"{more:,} {things}", f"{fewer:,}")
        for things, (fewer, more) in (("levels", LEVELS), ("remembered operations", OPERATIONS))
    )
    for _ in range(rounds):
        grown = await shop.once("growth", lambda: _filled(shop))
        for rows, large in ((levels, grown.levels), (operations, grown.operations)):
            for place, database in (("bare", grown.small), ("ours", large)):  # each with a ledger of its own
                async with own_ledger(shop, database) as (ledger, key):
                    costs = await cpu_of_sales(grown.postgres_pid, ledger, key, database)
                for row, cpu_us in zip(rows, costs, strict=True):
                    getattr(row, place).append(cpu_us)
    return [*levels, *operations]


def _rows(what: str, less: str) -> tuple[Row, Row]:
    def row(whose: str) -> Row:
        return Row(
            f"growth, {what}, CPU of {whose}",
            "us",
            "lower",
            f"CPU for each sale with {what}, {CALLERS} connections",
            f"with {less}",
            target=TARGET,
        )

    return row("the ledger"), row("PostgreSQL")


async def cpu_of_sales(postgres_pid: int, ledger: ServerProcess, key: str, grown: Grown) -> tuple[float, float]:
    """Microseconds of the ledger and of PostgreSQL, with all its processes, for each sale."""
    port = urlsplit(ledger.url).port or 0
    next_request = sales_of(grown, key)
    await call(port, CALLERS, WARM_UP_S, next_request)
    before = cpu_s(ledger.pid), cpu_with_children_s(postgres_pid)
    _, counts = await call(port, CALLERS, SECONDS, next_request)
    after = cpu_s(ledger.pid), cpu_with_children_s(postgres_pid)
    assert set(counts) == {201}, counts
    used, database = (after[at] - before[at] for at in range(2))
    return used / counts[201] * 1e6, database / counts[201] * 1e6


def sales_of(grown: Grown, key: str) -> Callable[[], bytes]:
    """One unit of a level, the n-th level as often as 1/n; levels are numbered without order among skus."""
    weights = list(accumulate(1 / rank for rank in range(1, grown.skus * len(grown.locations) + 1)))
    order = list(range(grown.skus))
    random.Random(1).shuffle(order)
    drawn = random.choices(range(len(weights)), cum_weights=weights, k=REQUESTS)
    head = f"POST /v1/movements HTTP/1.1\r\nHost: ledger\r\nAuthorization: Bearer {key}\r\n"
    places, turn = len(grown.locations), iter(drawn)

    def request() -> bytes:
        number = next(turn)
        sku, location = order[number // places], grown.locations[number % places]
        body = f'{{"sku":"sku-{sku:07}","location":"{location}","quantity":-1,"kind":"sale"}}'
        lengths = f"Content-Length: {len(body)}\r\nIdempotency-Key: {secrets.token_hex(12)}\r\n\r\n"
        return (head + lengths + body).encode()

    return request


# --- filling

FAST = "set session_replication_role = replica; set synchronous_commit = off; set maintenance_work_mem = '1GB'"
"""The first: no foreign key is looked up while it is filled."""

ITEMS = "insert into item (sku, name) select format('sku-%s', lpad(n::text, 7, '0')), 'x' from generate_series(0, $1) n"

LEVEL_ROWS = """
insert into stock_level (shard, location, sku, on_hand, version, view_version)
select {shard}, '{location}', sku, 1000000, 1, 1 from item order by sku
"""

EVENT_ROWS = """
insert into stock_event (shard, seq, version, sku, location, kind, on_hand_delta, reserved_delta, on_hand, reserved,
                         operation, actor, committed_at, view_version)
select {shard}, row_number() over (order by sku), 1, sku, '{location}', 'receipt', 1000000, 0, 1000000, 0,
       gen_random_uuid(), 'till', now(), 1 from item
"""

OPERATION_ROWS = """
insert into operation (id, owner, key, request_hash, lines, shards, first_seqs, events, committed_at)
select gen_random_uuid(), 'till', format('key-%s', n), '\\x{hash}'::bytea,
       '[{"sku": "sku-0000001", "kind": "sale", "location": "shop-0", "quantity": -1}]', '{0}', array[n::bigint], '{1}',
       now()
  from generate_series(1, $1) n
"""

BY_INDEX = "set enable_seqscan = off; set enable_bitmapscan = off; set enable_sort = off"
READ = (
    "select count(*) from (select id from operation order by id) i",
    "select sum(on_hand) from (select on_hand from stock_level order by sku, location, shard) l",
    "select count(*) from (select version from stock_event order by shard, location, sku, version) e",
)
"""Every page that a sale may need is in memory after these, as in a shop that is at work."""

RANDOM_FILL = 70
"""Percent: as full as the pages of an index are to which random keys were added one by one."""


async def _filled(shop: Shop) -> Filled:
    """On a server of its own, with the memory that docs/how-to/production.md asks for."""
    postgres = await shop.ends.enter_async_context(own_server())

    async def made(levels: int, operations: int) -> Grown:
        url = postgres.url(postgres.create_database())
        await migrations.expand(url, SHARDS)
        grown = await fill(url, levels)
        if operations:
            await remember(url, operations)
        return grown

    few, many = LEVELS
    small = await made(few, OPERATIONS[0])
    return Filled(postgres.pid, small, await made(many, 0), await made(few, OPERATIONS[1]))


@asynccontextmanager
async def own_server() -> AsyncIterator[PostgresServer]:
    folder = make_folder()
    with Watchdog() as watchdog:
        postgres = PostgresServer(folder / "pg", watchdog, {"shared_buffers": MEMORY})
        try:
            postgres.start()
            yield postgres
        finally:
            postgres.stop()
            shutil.rmtree(folder, ignore_errors=True)


async def fill(url: str, levels: int) -> Grown:
    """Levels with an event each, in a database that was just migrated."""
    grown = Grown(url, levels // SHARDS, _one_location_of_each_shard())
    connection = await asyncpg.connect(url)
    await connection.execute(FAST)
    await connection.execute(ITEMS, grown.skus - 1)
    for location in grown.locations:
        shard = shard_of(location, SHARDS)
        await connection.execute("insert into location values ($1, $1, $2)", location, shard)
        for rows in (LEVEL_ROWS, EVENT_ROWS):
            await connection.execute(rows.format(shard=shard, location=location))
        await connection.execute("update shard set head = $2 where id = $1", shard, grown.skus)
    await _settle(connection)
    return grown


async def remember(url: str, operations: int) -> None:
    """Adds operations, of random ids, of which nothing else is known. The index is made at once, as fast as can be."""
    connection = await asyncpg.connect(url)
    await connection.execute(FAST)
    await connection.execute("alter table operation drop constraint operation_pkey")
    await connection.execute(OPERATION_ROWS.replace("{hash}", secrets.token_hex(32)), operations)
    await connection.execute(f"alter table operation add primary key (id) with (fillfactor = {RANDOM_FILL})")
    await _settle(connection)


async def _settle(connection: asyncpg.Connection) -> None:
    """What would otherwise be done while sales are measured."""
    await connection.execute("vacuum analyze")
    await connection.execute(BY_INDEX)
    for query in READ:
        await connection.execute(query)
    await connection.execute("checkpoint")
    await connection.close()


def _one_location_of_each_shard() -> tuple[str, ...]:
    found: dict[int, str] = {}
    number = 0
    while len(found) < SHARDS:
        found.setdefault(shard_of(f"shop-{number}", SHARDS), f"shop-{number}")
        number += 1
    return tuple(found.values())


@asynccontextmanager
async def own_ledger(shop: Shop, grown: Grown) -> AsyncIterator[tuple[ServerProcess, str]]:
    key = await make_key(grown.url, "till", "stock:write:*")
    ledger = await shop.system.start_ledger(
        STOCKWIRE_DATABASE_URL=grown.url,
        STOCKWIRE_CHANNEL_PREFIX=urlsplit(grown.url).path[1:],
        STOCKWIRE_LEDGER_RATE_PER_S=0,
    )
    try:
        yield ledger, key
    finally:
        assert await ledger.stop() == 0
