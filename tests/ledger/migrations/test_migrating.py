"""A migration that is stopped anywhere goes on; two take turns; who holds what it needs is named, and sales go on."""

import asyncio
import random
import re
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Connection
from sqlalchemy.util import await_only

from ledger import migrations
from ledger.database.connector import Connector
from ledger.migrations import migrator, planning
from ledger.migrations.errors import MigrationStopped, Newer, NotExpanded, NotOwner, OlderLedgers, TooOld
from ledger.migrations.marks import Contracted, admit
from ledger.migrations.revisions import Revision, newest, revisions
from ledger.migrations.schema import Ledger
from ledger.migrations.steps import Backfill, Change
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.ledger.migrations.databases import OldLedger, expand_to

STATE = "select revision.version_num, bears, contracted from ledger_meta, alembic_version revision"
LEVELS = 3_000
FILLED = f"""
with made as (insert into item (sku, name) select 's' || n, 'x' from generate_series(1, {LEVELS}) n returning sku)
insert into stock_level (shard, location, sku, on_hand, version) select 0, 'rome', sku, 1, 1 from made
"""


class Stopped(Exception):
    """In the place of a SIGKILL between two steps."""


@pytest.fixture
async def connection(empty_database_url: str) -> "AsyncIterator[asyncpg.Connection]":
    connection = await asyncpg.connect(empty_database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def at_0001(connection: "asyncpg.Connection", empty_database_url: str) -> None:
    """Levels of schema 0001 that have moved."""
    await expand_to(empty_database_url, "0001")
    await connection.execute("insert into location values ('rome', 'Rome', 0)")
    for sku in ("A", "B"):
        await connection.execute("insert into item (sku, name) values ($1, 'x')", sku)
        await connection.execute("insert into stock_level (shard, location, sku) values (0, 'rome', $1)", sku)
        await OldLedger(connection).commit(sku, 0, 7)
    # item first: a statement does not see what another part of it writes, and the foreign key looks at the end
    await connection.execute(FILLED)


async def not_counted(connection: "asyncpg.Connection") -> int:
    count: int = await connection.fetchval("select count(*) from stock_level where version > 0 and view_version = 0")
    return count


@pytest.mark.usefixtures("at_0001")
async def test_a_migration_that_stops_at_any_step_goes_on_and_ends_as_one_that_did_not(
    connection: "asyncpg.Connection", empty_database_url: str
) -> None:
    stopped_at: list[str] = []

    def stop(line: str) -> None:
        if line not in stopped_at:
            stopped_at.append(line)
            raise Stopped

    for _ in range(20):
        try:
            await migrations.expand(empty_database_url, say=stop)
            break
        except Stopped:
            continue
    assert len(stopped_at) == 11  # the five steps of 0002, that of 0003, and the five of 0004
    assert await not_counted(connection) == 0
    assert tuple(await connection.fetchrow(STATE)) == (newest(), "0001", "0001")

    stopped_at.clear()
    with pytest.raises(Stopped):
        await migrations.contract(empty_database_url, stop)
    assert tuple(await connection.fetchrow(STATE)) == (newest(), "0002", "0001")  # older ledgers are refused already
    await migrations.contract(empty_database_url, stop)
    assert tuple(await connection.fetchrow(STATE)) == (newest(), "0002", "0002")


async def test_five_that_migrate_at_once_take_turns(connection: "asyncpg.Connection", empty_database_url: str) -> None:
    await asyncio.gather(*(migrations.expand(empty_database_url) for _ in range(5)))
    assert tuple(await connection.fetchrow(STATE)) == (newest(), "0002", "0002")  # made from nothing


async def test_who_waits_too_long_for_another_migration_is_told_so(
    connection: "asyncpg.Connection", empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "TURN_S_MAX", 0.3)
    await connection.fetchval(f"select pg_advisory_lock({migrations._LOCK})")
    with pytest.raises(MigrationStopped, match="another migration is under way"):
        await migrations.expand(empty_database_url)


@pytest.mark.usefixtures("at_0001")
async def test_a_session_that_holds_a_table_is_named_and_nothing_done_is_lost(
    connection: "asyncpg.Connection", empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrator, "PATIENCE_S", 1.0)
    other = await asyncpg.connect(empty_database_url, server_settings={"application_name": "a report"})
    async with other.transaction():
        await other.fetch("select 1 from stock_level limit 1")
        with pytest.raises(MigrationStopped) as stopped:
            await migrations.expand(empty_database_url)
        assert "stock_level" in str(stopped.value)
        assert "a report" in str(stopped.value)
        assert str(other.get_server_pid()) in str(stopped.value)
        # Sales were held up by the tries, and never for good.
        await OldLedger(connection).commit("A", 1, 6, before=7)
    await migrations.expand(empty_database_url)
    assert await not_counted(connection) == 0
    await other.close()


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What each try at a change was for, when it has ended: while one waits for its lock, no sale goes on."""
    made: list[str] = []
    at_once = migrator._at_once

    def counted(connection: Connection, step: Change, lock_timeout_ms: int) -> None:
        try:
            at_once(connection, step, lock_timeout_ms)
        finally:
            made.append(step.does)

    monkeypatch.setattr(migrator, "_at_once", counted)
    return made


@pytest.mark.usefixtures("at_0001")
async def test_a_table_that_somebody_holds_on_to_is_not_asked_for_again_and_again_and_is_had_soon_when_it_is_free(
    connection: "asyncpg.Connection", empty_database_url: str, tries: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrator, "PATIENCE_S", 3.0)
    other = await asyncpg.connect(empty_database_url)
    held = other.transaction()
    await held.start()
    await other.fetch("select 1 from stock_level limit 1")
    with pytest.raises(MigrationStopped):
        await migrations.expand(empty_database_url)
    levels = [does for does in tries if "view of a level" in does]
    assert len(levels) == 1

    async def let_go() -> None:
        await wait_until(again)
        await held.rollback()

    async def again() -> bool:
        return tries.count(levels[0]) == 2

    monkeypatch.setattr(migrator, "PATIENCE_S", PATIENCE_S)
    await asyncio.gather(migrations.expand(empty_database_url), let_go())
    assert tries.count(levels[0]) == 3
    await other.close()


@pytest.mark.usefixtures("at_0001")
async def test_a_held_level_is_left_for_a_later_pass_and_stops_no_other(
    connection: "asyncpg.Connection", empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrations.expand(empty_database_url)
    await connection.execute("update stock_level set view_version = 0")
    backfill = tuple(step for step in revisions()[1].steps(1) if isinstance(step, Backfill))
    monkeypatch.setattr(migrator, "PATIENCE_S", 1.0)
    other = await asyncpg.connect(empty_database_url)
    held = other.transaction()
    await held.start()
    await other.fetch("select 1 from stock_level where sku = 'A' for no key update")
    async with migrations._migrating(empty_database_url) as migrating:
        with pytest.raises(MigrationStopped, match="stock_level was held"):
            await migrating.run_sync(migrator.run, "0002", backfill, lambda _: None)
        assert await not_counted(connection) == 1
        await held.rollback()
        await migrating.run_sync(migrator.run, "0002", backfill, lambda _: None)
    assert await not_counted(connection) == 0
    await other.close()


@pytest.mark.usefixtures("at_0001")
async def test_patience_is_for_what_is_waited_and_not_for_a_backfill_that_takes_its_time(
    connection: "asyncpg.Connection", empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrations.expand(empty_database_url)
    await connection.execute("update stock_level set view_version = 0 where sku like 's10%'")
    sleeps = "case when view_version = 0 then pg_sleep(0.006) is not null end"
    slow = Backfill("x", "stock_level", "view_version = 1", sleeps)
    monkeypatch.setattr(migrator, "PATIENCE_S", 1.0)
    other = await asyncpg.connect(empty_database_url)
    held = other.transaction()
    await held.start()
    await other.fetch("select 1 from stock_level where sku = 's10' for no key update")

    pausing = asyncio.Event()

    def whole(*_: float) -> float:
        pausing.set()
        return 1.0

    async def let_go() -> None:
        await pausing.wait()
        await held.rollback()

    monkeypatch.setattr(random, "uniform", whole)  # asked how long a pause is to be
    letting_go = asyncio.create_task(let_go())
    async with migrations._migrating(empty_database_url) as migrating:
        await migrating.run_sync(migrator.run, "0002", (slow,), lambda _: None)
    await letting_go
    assert await not_counted(connection) == 0
    await other.close()


@pytest.mark.usefixtures("at_0001")
async def test_a_database_that_is_far_away_or_commits_slowly_makes_no_batch_smaller(
    connection: "asyncpg.Connection", empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a page in each, a large table would take days."""
    monkeypatch.setattr(migrator, "BATCH_S", 0.2)
    batch, batches = migrator._batch, 0

    def far_away(connection: Connection, step: Backfill, table: str, at: int, end: int) -> migrator.Batch:
        nonlocal batches
        batches += 1
        await_only(asyncio.sleep(0.25))
        return batch(connection, step, table, at, end)

    monkeypatch.setattr(migrator, "_batch", far_away)
    await migrations.expand(empty_database_url)
    assert batches <= 10


@pytest.mark.usefixtures("at_0001")
async def test_a_backfill_writes_no_more_log_than_leaves_the_disk_to_the_sales(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """5,000,000 events without a pause for it: sales waited for seconds."""
    monkeypatch.setattr(migrator, "LOG_BYTES_PER_S", 2**20)
    batch, written = migrator._batch, 0

    def weighed(connection: Connection, step: Backfill, table: str, at: int, end: int) -> migrator.Batch:
        nonlocal written
        done = batch(connection, step, table, at, end)
        written += done.log_bytes
        return done

    monkeypatch.setattr(migrator, "_batch", weighed)
    began = time.monotonic()
    await migrations.expand(empty_database_url)
    assert written > LEVELS * 100
    assert time.monotonic() - began >= written / 2**20


async def test_a_table_without_partitions_is_backfilled_and_has_a_size(
    connection: "asyncpg.Connection", empty_database_url: str
) -> None:
    await migrations.expand(empty_database_url)
    await connection.execute(
        "insert into operation (id, owner, key, request_hash, lines, shards, first_seqs, events, committed_at)"
        " select gen_random_uuid(), 'a', n, '', '[]', '{}', '{}', '{}', now() from generate_series(1, 1000) n"
    )
    step = Backfill("x", "operation", "owner = 'b'", "owner = 'a'")
    async with migrations._migrating(empty_database_url) as migrating:
        await migrating.run_sync(migrator.run, "0009", (step,), lambda _: None)
        revision = Revision("0009", "x", "0.9.0", lambda _: (step,), (step,), "x")
        (planned,) = await planning.planned(migrating, [(revision, (step,))])
    assert await connection.fetchval("select count(*) from operation where owner = 'a'") == 0
    assert planned.sizes["operation"].size_bytes > 1000 * 40


@pytest.mark.usefixtures("at_0001")
async def test_patience_with_a_held_level_begins_when_nothing_else_is_left(
    connection: "asyncpg.Connection", empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backfill that took longer than that stopped at the first row that a sale held just then."""
    await migrations.expand(empty_database_url)
    await connection.execute("update stock_level set view_version = 0")
    backfill = tuple(step for step in revisions()[1].steps(1) if isinstance(step, Backfill))
    other = await asyncpg.connect(empty_database_url)
    held = other.transaction()
    await held.start()
    await other.execute("select 1 from stock_level where sku = 'A' for no key update")
    clock, passes = [0.0], [0]
    one_pass = migrator._pass

    def an_hour_long(*arguments: Any) -> int:
        passes[0] += 1
        if passes[0] == 3:  # the second left the held one alone, and this is the first of those that wait for it
            await_only(held.rollback())
        clock[0] += 3600
        return one_pass(*arguments)

    monkeypatch.setattr(migrator, "_pass", an_hour_long)
    monkeypatch.setattr(migrator, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    async with migrations._migrating(empty_database_url) as migrating:
        await migrating.run_sync(migrator.run, "0002", backfill, lambda _: None)
    assert passes == [3]
    assert await not_counted(connection) == 0
    await other.close()


@pytest.mark.usefixtures("at_0001")
async def test_too_few_rights_are_said_and_change_nothing(
    connection: "asyncpg.Connection", empty_database_url: str
) -> None:
    await connection.execute("create role clerk_of_test login password 'x'")
    try:
        await connection.execute("grant select on all tables in schema public to clerk_of_test")
        url = re.sub(r"//[^@]*@", "//clerk_of_test:x@", empty_database_url)
        with pytest.raises(NotOwner, match=r"^permission denied for table ledger_meta: run this as the role that owns"):
            await migrations.expand(url)
        assert await connection.fetchval("select version_num from alembic_version") == "0001"
    finally:
        await connection.execute("drop owned by clerk_of_test; drop role clerk_of_test")


async def test_a_ledger_that_is_connected_holds_up_a_contract_and_one_that_is_too_old_cannot_come_back(
    connection: "asyncpg.Connection", empty_database_url: str
) -> None:
    await migrations.expand(empty_database_url)
    await connection.execute("update ledger_meta set bears = '0001', contracted = '0001'")
    old = Ledger("0.0.9", knows="0001", needs="0001")
    connector = Connector(empty_database_url, lambda opened: admit(old, opened))
    living = await connector.connect({"application_name": "till 7"})
    with pytest.raises(OlderLedgers, match=r"till 7 \(knows schema 0001"):
        await migrations.contract(empty_database_url)
    assert await connection.fetchval("select bears from ledger_meta") == "0001"
    again = await connector.connect({})  # refused was the contract, not the ledger
    await again.close()
    await living.close()
    assert [one.number for one in await migrations.contract(empty_database_url)] == ["0002"]
    with pytest.raises(Contracted, match=r"stockwire 0\.0\.9 knows schemas up to 0001.*start 0\.1\.0 or later"):
        await connector.connect({})


async def test_a_contract_before_its_expand_is_refused(empty_database_url: str) -> None:
    await expand_to(empty_database_url, "0002")
    with pytest.raises(NotExpanded, match="run `stockwire migrate` first"):
        await migrations.contract(empty_database_url)


async def test_a_plan_changes_nothing_and_says_sizes(
    connection: "asyncpg.Connection", empty_database_url: str, at_0001: None
) -> None:
    await connection.execute("analyze")
    planned = await migrations.plan(empty_database_url)
    assert await connection.fetchval("select version_num from alembic_version") == "0001"
    assert [one.revision.number for one in planned] == ["0002"] * 5 + ["0003"] + ["0004"] * 5
    (backfill,) = (one for one in planned if "first view" in one.step.does)
    assert backfill.sizes["stock_level"].rows == LEVELS + 2
    assert backfill.sizes["stock_level"].size_bytes > LEVELS * 40


async def test_the_migrate_of_a_version_that_is_gone_back_to_leaves_a_newer_schema_alone_or_says_that_it_is_too_old(
    connection: "asyncpg.Connection", empty_database_url: str
) -> None:
    """With Compose it runs at every start; Alembic ends on a revision that it does not know."""
    await migrations.expand(empty_database_url)
    await connection.execute("update alembic_version set version_num = '0099'")
    said: list[str] = []
    await migrations.expand(empty_database_url, say=said.append)
    assert said == [f"schema 0099 is newer than this version's {newest()}, and bears it"]
    assert await connection.fetchval("select version_num from alembic_version") == "0099"
    with pytest.raises(Newer, match="contract it with the version that expanded it"):
        await migrations.contract(empty_database_url)
    await connection.execute("update ledger_meta set bears = '0099', bears_version = '9.0.0'")
    for too_late in (migrations.expand(empty_database_url), migrations.plan(empty_database_url)):
        with pytest.raises(TooOld, match=r"knows schemas up to \d+, .* start 9\.0\.0 or later"):
            await too_late
