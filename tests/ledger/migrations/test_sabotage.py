"""What stands in a migration's way: it goes on where it was, or says in one line why not, and sales do not notice."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any, cast
from urllib.parse import urlsplit

import asyncpg
import pytest
from sqlalchemy.util import await_only

from ledger import migrations
from ledger.database.connector import CheckedConnection, Connector
from ledger.migrations import marks, migrator
from ledger.migrations.errors import Foreign, MigrationRefused, MigrationStopped, NotOwner, OlderLedgers
from ledger.migrations.marks import Contracted, admit
from ledger.migrations.revisions import newest, revisions
from ledger.migrations.schema import Ledger
from ledger.migrations.steps import Backfill
from tests.harness.postgres import PostgresServer
from tests.harness.proxy import proxy_to_socket
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.ledger.migrations.databases import OldLedger, expand_to

OLD = Ledger("0.0.9", knows="0001", needs="0001")
CATALOG = "insert into location values ('rome', 'Rome', 0); insert into item (sku, name) values ('A', 'a')"
SALES_MIN = 5
"""Beside a migration that tries at least as often."""
WAITING = """
select from pg_locks where locktype = 'advisory' and not granted
   and database = (select oid from pg_database where datname = current_database())
"""
UNCONTRACTED = "update ledger_meta set bears = '0001', contracted = '0001'"


@pytest.fixture
async def connection(empty_database_url: str) -> "AsyncIterator[asyncpg.Connection]":
    """A superuser's."""
    connection = await asyncpg.connect(empty_database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def owner_url(connection: "asyncpg.Connection", empty_database_url: str) -> AsyncIterator[str]:
    """Of a role that owns the database, and is nothing else."""
    database = await connection.fetchval("select current_database()")
    await connection.execute("create role shop_of_test login password 'x'")
    await connection.execute(f"alter database {database} owner to shop_of_test")
    yield as_role(empty_database_url, "shop_of_test")
    await connection.execute("reassign owned by shop_of_test to current_user; drop role shop_of_test")


def as_role(url: str, role: str) -> str:
    return re.sub(r"//[^@]*@", f"//{role}:x@", url)


def old_connector(url: str) -> Connector:
    return Connector(url, lambda opened: admit(OLD, opened))


async def test_a_session_of_another_role_that_holds_a_table_is_named(
    connection: "asyncpg.Connection", owner_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its transaction is none of our role's business; that it holds the table is."""
    await expand_to(owner_url, "0001")
    monkeypatch.setattr(migrator, "PATIENCE_S", 0.5)
    await connection.execute("set application_name = 'a report'")
    async with connection.transaction():
        await connection.execute("lock table stock_level")
        with pytest.raises(MigrationStopped) as stopped:
            await migrations.expand(owner_url)
    pid = connection.get_server_pid()
    assert f"stock_level was held for 0.5 s, last by a report (PostgreSQL process {pid})" in str(stopped.value)


async def test_sales_go_on_beside_a_migration_that_waits_for_a_session(
    connection: "asyncpg.Connection", empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of its tries holds them up for half a second; between two of them they catch up."""
    await expand_to(empty_database_url, "0001")
    await connection.execute(CATALOG)
    await connection.execute("insert into stock_level (shard, location, sku) values (0, 'rome', 'A')")
    monkeypatch.setattr(migrator, "PATIENCE_S", 2.0)
    report = await asyncpg.connect(empty_database_url, server_settings={"application_name": "a report"})
    try:
        async with report.transaction():
            await report.execute("select 1 from stock_level")
            migrating = asyncio.create_task(migrations.expand(empty_database_url))
            sold = 0
            while not migrating.done():
                await OldLedger(connection).commit("A", sold, 20 - sold % 2, before=20 - (sold - 1) % 2 if sold else 0)
                sold += 1
            with pytest.raises(MigrationStopped, match="last by a report"):
                await migrating
    finally:
        await report.close()
    assert sold > SALES_MIN
    await migrations.expand(empty_database_url)
    assert await connection.fetchval("select view_version from stock_level where version = $1", sold) == 1


async def test_who_only_reads_is_not_blamed_for_a_level_that_another_holds(
    connection: "asyncpg.Connection", empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrations.expand(empty_database_url)
    await connection.execute(CATALOG)
    await connection.execute("insert into stock_level (shard, location, sku, version) values (0, 'rome', 'A', 1)")
    backfill = tuple(step for step in revisions()[1].steps(1) if isinstance(step, Backfill))
    monkeypatch.setattr(migrator, "PATIENCE_S", 0.5)
    other = await asyncpg.connect(empty_database_url, server_settings={"application_name": "a till"})
    try:
        async with connection.transaction(), other.transaction():
            await connection.execute("select 1 from stock_level")
            await other.execute("select 1 from stock_level for update")
            async with migrations._migrating(empty_database_url) as migrating:
                with pytest.raises(MigrationStopped, match=r"last by a till \(PostgreSQL process"):
                    await migrating.run_sync(migrator.run, "0002", backfill, lambda _: None)
    finally:
        await other.close()


async def test_a_backfill_waits_for_a_table_that_is_locked(
    connection: "asyncpg.Connection", empty_database_url: str
) -> None:
    """It ended with the driver's words about a lock timeout."""
    await migrations.expand(empty_database_url)
    backfill = tuple(step for step in revisions()[1].steps(1) if isinstance(step, Backfill))
    async with migrations._migrating(empty_database_url) as migrating:
        await migrating.exec_driver_sql("set lock_timeout = '50ms'")
        lock = connection.transaction()
        await lock.start()
        await connection.execute("lock table stock_level_0 in access exclusive mode")
        filling = asyncio.create_task(migrating.run_sync(migrator.run, "0002", backfill, lambda _: None))
        done, _ = await asyncio.wait([filling], timeout=0.5)
        assert not done
        await lock.rollback()
        await filling


async def test_what_a_role_says_for_its_sessions_does_not_end_a_migration(
    connection: "asyncpg.Connection", owner_url: str
) -> None:
    for name in ("statement_timeout", "idle_session_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        await connection.execute(f"alter role shop_of_test set {name} = '900ms'")
    names = "'statement_timeout', 'idle_session_timeout', 'lock_timeout', 'transaction_timeout'"
    url = f"{owner_url}&options=-c%20statement_timeout%3D800ms"
    async with migrations._connected(url) as migrating:
        asked = f"select jsonb_object_agg(name, setting) from pg_settings where name in ({names})"
        settings = (await migrating.exec_driver_sql(asked)).scalar_one()
    assert settings.pop("lock_timeout") == "2000"
    assert set(settings.values()) == {"0"}


async def test_who_may_create_nothing_is_told_whose_right_it_takes(
    connection: "asyncpg.Connection", empty_database_url: str
) -> None:
    await connection.execute("create role guest_of_test login password 'x'; revoke create on schema public from public")
    try:
        with pytest.raises(NotOwner, match=r"^permission denied for schema public: run this as the role that owns"):
            await migrations.expand(as_role(empty_database_url, "guest_of_test"))
        assert await connection.fetchval("select count(*) from pg_tables where schemaname = 'public'") == 0
    finally:
        await connection.execute("drop role guest_of_test")


async def test_a_database_of_another_program_is_left_alone(
    connection: "asyncpg.Connection", empty_database_url: str
) -> None:
    await connection.execute("create table alembic_version (version_num text); create table item (name text)")
    await connection.execute("insert into alembic_version values ('ae1027a6')")
    for asked in (migrations.expand, migrations.contract, migrations.plan, migrations.schema_of):
        with pytest.raises(
            Foreign, match=r"another program.s tables \(its alembic_version says ae1027a6\): name a data"
        ):
            await asked(empty_database_url)
    await connection.execute("drop table alembic_version")
    with pytest.raises(MigrationRefused, match=r'^relation "item" already exists, of another program: name a database'):
        await migrations.expand(empty_database_url)
    assert await connection.fetchval("select to_regclass('ledger_meta')") is None


async def test_a_contract_that_cannot_begin_lets_older_ledgers_in_at_once(
    connection: "asyncpg.Connection", empty_database_url: str
) -> None:
    await migrations.expand(empty_database_url)
    await connection.execute(UNCONTRACTED)
    async with connection.transaction():
        await connection.execute("select 1 from ledger_meta for update")
        with pytest.raises(MigrationStopped, match=r"^somebody holds what it needs"):
            await migrations.contract(empty_database_url)
    admitted = await old_connector(empty_database_url).connect({})
    await admitted.close()
    assert [one.number for one in await migrations.contract(empty_database_url)] == ["0002"]


async def test_an_older_ledger_that_comes_while_a_contract_begins_waits_and_is_refused(
    connection: "asyncpg.Connection", empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the instant between the look at who is there and what the database says from then on."""
    await migrations.expand(empty_database_url)
    await connection.execute(UNCONTRACTED)
    coming: list[asyncio.Task[CheckedConnection]] = []
    look = marks.older

    async def comes() -> None:
        coming.append(asyncio.create_task(old_connector(empty_database_url).connect({"lock_timeout": "0"})))

        async def stands_there() -> bool:
            return coming[0].done() or bool(await connection.fetch(WAITING))

        await wait_until(stands_there, PATIENCE_S)

    def then_one_comes(*arguments: Any) -> list[marks.Living]:
        found = look(*arguments)
        await_only(comes())
        return found

    monkeypatch.setattr(marks, "older", then_one_comes)
    await migrations.contract(empty_database_url)
    with pytest.raises(Contracted):
        await coming[0]


async def test_a_contract_does_not_slip_in_between_a_ledgers_question_and_its_mark(
    connection: "asyncpg.Connection", empty_database_url: str
) -> None:
    await migrations.expand(empty_database_url)
    await connection.execute(UNCONTRACTED)

    class Asking:
        """A ledger's connection: while it has its answer under way, somebody contracts."""

        execute = connection.execute

        async def fetchrow(self, question: str) -> Any:
            answer = await connection.fetchrow(question)
            with pytest.raises(OlderLedgers):
                await migrations.contract(empty_database_url)
            return answer

    await admit(OLD, cast("CheckedConnection", Asking()))


async def test_as_many_shards_as_there_may_be_are_migrated_beside_a_sale(
    connection: "asyncpg.Connection", empty_database_url: str
) -> None:
    """A change locks every partition: with 64 of them it still fits into its time."""
    await migrations.expand(empty_database_url, migrations.SHARDS_MAX)
    assert await connection.fetchval("select version_num from alembic_version") == newest()


async def test_an_older_ledger_that_waits_for_its_tables_finds_them_not_contracted(
    connection: "asyncpg.Connection", empty_database_url: str
) -> None:
    """It may be there before the first migration; then what it needs stays until the contract is asked for."""
    waiting = await old_connector(empty_database_url).connect({})
    await migrations.expand(empty_database_url)
    assert await connection.fetchval("select contracted from ledger_meta") == "0001"
    await waiting.close()
    await migrations.expand(empty_database_url)
    assert await connection.fetchval("select contracted from ledger_meta") == "0002"


async def test_a_line_that_goes_dead_without_a_word_ends_a_migration(
    postgres: PostgresServer, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waited for an answer for ever. What the database had heard by then it has done, or not, and nobody waits."""
    await expand_to(empty_database_url, "0001")
    name = urlsplit(empty_database_url).path.removeprefix("/")
    async with proxy_to_socket(postgres.socket) as line:
        monkeypatch.setattr(migrations, "STATEMENT_S_MAX", 1.0)

        def goes_dead(said: str) -> None:
            if "step 3" in said:
                line.half_open()

        with pytest.raises(MigrationStopped, match=r"^the database cannot be reached \(.*run this again"):
            await migrations.expand(postgres.proxied_url(line.port, name), say=goes_dead)
    monkeypatch.undo()
    await migrations.expand(empty_database_url)
