"""Each migration over a large database beside the sales: it rewrites nothing, takes the locks that its plan said, and
no sale fails. Every migration from the first is taken by itself, the ones to come as well.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import asyncpg
import pytest

from ledger.database.audit import audit
from ledger.database.engine import create_engine
from ledger.migrations.revisions import numbers, revisions
from ledger.migrations.schema import NEEDS
from ledger.migrations.steps import Lock
from tests.harness.postgres import PostgresServer
from tests.harness.size import SIZE
from tests.harness.system import ProcessSystem
from tests.harness.valkey import ValkeyServer
from tests.harness.waiting import wait_until
from tests.upgrades.scale.locks import PlannedStep, Sampler, beyond
from tests.upgrades.scale.migrating import MadeStep, Version
from tests.upgrades.scale.sales import TILLS, Sales, Till, http_tills, old_tills, selling
from tests.upgrades.scale.stocked import LEVELS, Stocked, stock

pytestmark = [pytest.mark.timeout(SIZE.timeout_s), pytest.mark.usefixtures("campaign")]

logger = logging.getLogger(__name__)

NEXT = Path(__file__).with_name("lots.py")
"""Behind the newest: a backfill that real ledgers sell beside, whichever schema they need."""
NOT_SET = """
select 1 from stock_level where sku like '%0' and lot is null union all
select 1 from stock_event where version = 5 and sku like '%0' and lot is null limit 5
"""
"""What it leaves out."""

SOLD_BEFORE = 2 * TILLS
"""Every till is selling by then."""
STALL_S_MAX = 10.0
"""No measurement: a ledger's own deadline for a commit. A step that waits for ever, or rewrites, is beyond it."""

OUTSIDE = {"alembic_version": Lock.ROW_EXCLUSIVE, "ledger_meta": Lock.ROW_EXCLUSIVE}
"""Of steps, which are planned: the database says how far it has come. No sale writes there."""

TABLES = "select relname from pg_class where relkind in ('r', 'p')"

FILES = """
select c.relname, c.relfilenode from pg_class c
 where c.relkind = 'r' and c.relname like any('{stock\\_level\\_%,stock\\_event\\_%,operation}'::text[]) order by 1
"""
"""A rewritten table is another file."""

VIEWS = """
with counted as (
  select e.shard, e.location, e.sku, e.version, e.view_version,
         lag(e.view_version) over level as before,
         (select count(*) from unnest(m.public_steps) s where s <= e.on_hand - e.reserved)
         <> (select count(*) from unnest(m.public_steps) s
              where s <= e.on_hand - e.on_hand_delta - (e.reserved - e.reserved_delta)) as crossed
    from stock_event e, ledger_meta m where e.view_version > 0
  window level as (partition by e.shard, e.location, e.sku order by e.version))
select l.shard, l.location, l.sku, l.view_version, c.version, c.view_version
  from stock_level l left join counted c using (shard, location, sku)
 where (c.version is null and l.view_version <> least(l.version, 1))
    or (c.version = l.version and c.view_version <> l.view_version)
    or c.view_version <> coalesce(c.before, least(c.version - 1, 1)) + (c.crossed or c.version = 1)::int
 limit 5
"""
"""Levels whose view is not what their events say: none that were sold before views were counted has another than 1."""


@pytest.fixture
async def stocked(private_postgres: PostgresServer) -> Stocked:
    began = time.monotonic()
    stocked = await stock(private_postgres.url(), SIZE.of(LEVELS))
    logger.info("%d levels, filled in %.0f s", stocked.levels, time.monotonic() - began)
    return stocked


async def test_no_migration_holds_up_the_sales_takes_a_lock_it_did_not_plan_or_leaves_a_row_wrong(
    private_postgres: PostgresServer, private_valkey: ValkeyServer, stocked: Stocked, tmp_path: Path
) -> None:
    url, newest = private_postgres.url(), numbers()[-1]
    before = await private_postgres.query(FILES)
    system = ProcessSystem(tmp_path, url, private_valkey.url, "scale")
    for known, revision in pairwise(numbers()):
        async with tills(system, stocked, known) as sellers:
            version = Version(tmp_path / revision, revision)
            await _beside_the_sales(url, version, Sales(stocked, sellers))
    async with tills(system, stocked, newest) as sellers:
        await _beside_the_sales(url, version, Sales(stocked, sellers), "--contract")
        assert await private_postgres.query(VIEWS) == []
        following = Version(tmp_path / "next", newest, NEXT)
        await _beside_the_sales(url, following, Sales(stocked, sellers))
    assert await private_postgres.query(NOT_SET) == []
    assert await private_postgres.query("select version_num from alembic_version") == [(f"{int(newest) + 1:04}",)]
    contracted = max(one.number for one in revisions() if one.contract)
    assert await private_postgres.query("select contracted from ledger_meta") == [(contracted,)]
    assert await private_postgres.query(FILES) == before, "a table was rewritten"
    engine = create_engine(url, pool_size=1, command_timeout_s=None)
    async with engine.connect() as connection:
        assert await audit(connection) == []
    await engine.dispose()


@asynccontextmanager
async def tills(system: ProcessSystem, stocked: Stocked, known: str) -> AsyncIterator[list[Till]]:
    """Of real ledgers where the schema bears this version's, else by what older ones did."""
    if known < NEEDS:
        async with old_tills(system.database_url, stocked) as opened:
            yield opened
        return
    ledger = await system.start_ledger(STOCKWIRE_LEDGER_RATE_PER_S=0)
    try:
        async with http_tills(ledger.url, await system.admin_key()) as opened:
            yield opened
    finally:
        await system.stop()


async def _beside_the_sales(url: str, version: Version, sales: Sales, *arguments: str) -> None:
    planned = await version.plan(url, *arguments)
    connection = await asyncpg.connect(url)
    there = {row["relname"] for row in await connection.fetch(TABLES)}
    await connection.close()
    sampler = Sampler()
    async with selling(sales):
        sampling = asyncio.create_task(sampler.run(url))
        await wait_until(lambda: asyncio.sleep(0, len(sales.made) >= SOLD_BEFORE), what="sales")
        began = time.monotonic()
        made = await version.migrate(url, *arguments)
        ended = time.monotonic()
        sampler.stop()
        await sampling
    logger.info("%s", shown(planned, made, sampler, sales, began, ended))
    assert sales.failed == [], sales.failed[:3]
    during = sales.between(began, ended)
    assert during, "nothing was to be sold meanwhile"
    assert max(during) < STALL_S_MAX
    _hold_to_plan(planned, made, sampler, there)


def _hold_to_plan(planned: list[PlannedStep], made: list[MadeStep], sampler: Sampler, there: Collection[str]) -> None:
    """``there``: the tables of before; nobody waits for one that a step makes."""
    assert [(one.number, one.does) for one in planned] == [(one.number, one.does) for one in made]
    known: set[str] = set()
    for step, plan in zip(made, planned, strict=True):
        transactions = {one["transaction"] for one in step.transactions}
        known |= transactions
        for taken in (step.locks, sampler.of(transactions)):
            of_before = {table: lock for table, lock in taken.items() if table in there}
            assert beyond(of_before, plan.locks) == {}, step.does
    assert beyond(sampler.of(sampler.held.keys() - known), OUTSIDE) == {}, "outside of its steps"


def shown(
    planned: list[PlannedStep], made: list[MadeStep], sampler: Sampler, sales: Sales, began: float, ended: float
) -> str:
    """For each step what it said, what it took, and the longest sale beside it."""
    during = sorted(sales.between(began, ended))
    p99_ms = 1000 * during[int(0.99 * len(during))]
    lines = [
        f"{ended - began:.1f} s, {len(during)} sales meanwhile: p99 {p99_ms:.0f} ms, the longest"
        f" {1000 * during[-1]:.0f} ms; looked at pg_locks {sampler.looks} times"
    ]
    for plan, step in zip(planned, made, strict=True):
        beside = sales.between(step.began - 0.1, step.ended + 0.1)
        sampled = sampler.of({one["transaction"] for one in step.transactions})
        sizes = ", ".join(f"{table} {size}" for table, size in plan.sizes.items())
        lines += (
            f"  {plan.number}. {plan.does} ({sizes})",
            f"     planned {_names(plan.locks)} | held {_names(step.locks)} | sampled {_names(sampled)}",
            f"     {step.ended - step.began:.2f} s in {len(step.transactions)} transactions, the longest"
            f" {1000 * step.longest_s:.0f} ms; the longest of {len(beside)} sales"
            f" {1000 * max(beside, default=0):.0f} ms",
        )
    return "\n".join(lines)


def _names(locks: Mapping[str, Lock]) -> str:
    return ", ".join(f"{lock.value} on {name}" for name, lock in locks.items()) or "none"
