"""A migration that is cut off at any statement and run again ends as one that was not: catalog, levels, log."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from ledger import migrations
from ledger.migrations import migrator
from ledger.migrations.errors import MigrationStopped
from tests.harness.postgres import PostgresServer
from tests.harness.proxy import Flow, Proxy
from tests.ledger.migrations.databases import OldLedger, expand_to

Work = Callable[[str], Awaitable[object]]

LEVELS = 1_200
"""Several batches of a backfill."""
FILLED = f"""
with made as (insert into item (sku, name) select 's' || n, 'x' from generate_series(1, {LEVELS}) n returning sku)
insert into stock_level (shard, location, sku, on_hand, version) select 0, 'rome', sku, 1, 1 from made
"""
SHARDS = 2

CATALOG = """
with ours as (select oid, relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p'))
select 'column' as what, o.relname as table, a.attnum || ' ' || a.attname as name,
       concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, o.oid))
  from ours o join pg_attribute a on a.attrelid = o.oid and a.attnum > 0 and not a.attisdropped
  left join pg_attrdef d on d.adrelid = o.oid and d.adnum = a.attnum
union all select 'constraint', o.relname, c.conname, pg_get_constraintdef(c.oid)
  from ours o join pg_constraint c on c.conrelid = o.oid
union all select 'index', o.relname, i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) || i.indisvalid::text
  from ours o join pg_index i on i.indrelid = o.oid
union all select 'trigger', o.relname, t.tgname, pg_get_triggerdef(t.oid) || t.tgenabled::text
  from ours o join pg_trigger t on t.tgrelid = o.oid and not t.tgisinternal
union all select 'function', '', p.proname, p.prosrc from pg_proc p where p.pronamespace = 'public'::regnamespace
union all select 'storage', o.relname, '', c.reloptions::text from ours o join pg_class c using (oid)
"""
ROWS = {
    "ledger_meta": "select to_jsonb(m) - 'epoch' from ledger_meta m",
    **{
        table: f"select to_jsonb(t) from {table} t"
        for table in ("alembic_version", "shard", "stock_level", "stock_event", "operation")
    },
}


async def state_of(server: PostgresServer, database: str) -> tuple[frozenset[Any], ...]:
    """All but the epoch, which is made anew."""
    connection = await asyncpg.connect(server.url(database))
    try:
        catalog = frozenset(tuple(row) for row in await connection.fetch(CATALOG))
        tables = {row[1] for row in catalog}
        rows = [await connection.fetch(query) for table, query in ROWS.items() if table in tables]
        return (catalog, *[frozenset(row[0] for row in of_table) for of_table in rows])
    finally:
        await connection.close()


class Statements(Proxy):
    """Counts what is executed through it, and resets the link when ``last`` has been sent: its answer is never heard.

    ``before``: called before each.
    """

    def __init__(
        self, server: PostgresServer, last: int = 0, before: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        super().__init__(server.socket)
        self.seen = 0
        self._last = last
        self._before = before

    async def _pass(self, data: bytes, writer: Any, flow: Flow) -> None:
        executed = flow is self.up and data[:1] in (b"B", b"Q")  # Bind and Execute, or a simple query
        if executed:
            self.seen += 1
            if self._before is not None:
                await self._before()
        await super()._pass(data, writer, flow)
        if executed and self.seen == self._last:
            raise ConnectionResetError


async def through(server: PostgresServer, database: str, work: Work, statements: Statements) -> None:
    await statements.listen()
    try:
        await work(server.proxied_url(statements.port, database))
    finally:
        await statements.close()


async def cut_off_everywhere(server: PostgresServer, template: str | None, work: Work) -> int:
    """``work`` on a copy of ``template`` for each of its statements, how many is returned.

    It goes on from every state that one of them left: most of them only read.
    """
    name = server.create_database(template)
    states = {await state_of(server, name)}
    whole = Statements(server)
    await through(server, name, work, whole)
    expected = await state_of(server, name)
    server.drop_database(name)
    for last in range(1, whole.seen + 1):
        name = server.create_database(template)
        with pytest.raises(MigrationStopped, match="the database cannot be reached"):
            await through(server, name, work, Statements(server, last))
        left = await state_of(server, name)
        if left not in states:
            states.add(left)
            await work(server.url(name))
            assert await state_of(server, name) == expected, f"cut off after statement {last} of {whole.seen}"
        server.drop_database(name)
    return len(states)


async def expand(url: str) -> None:
    await migrations.expand(url, SHARDS)


@pytest.fixture(autouse=True)
def always_the_same_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch of a backfill is as large as the machine is fast."""
    monkeypatch.setattr(migrator, "_pages_next", lambda pages, _took_s: pages)


@pytest.fixture
async def at_0001(postgres: PostgresServer, empty_database_url: str) -> str:
    """The name of a database of schema 0001, with levels and events."""
    await expand_to(empty_database_url, "0001")
    connection = await asyncpg.connect(empty_database_url)
    try:
        await connection.execute("insert into location values ('rome', 'Rome', 0)")
        await connection.execute(FILLED)
        await OldLedger(connection).commit("s1", 1, 7, before=1)
    finally:
        await connection.close()
    return urlsplit(empty_database_url).path.removeprefix("/")


async def test_an_expand_that_is_cut_off_at_any_statement_goes_on(postgres: PostgresServer, at_0001: str) -> None:
    assert await cut_off_everywhere(postgres, at_0001, expand) > 7


async def test_tables_that_are_made_from_nothing_are_made_whole_wherever_it_is_cut_off(
    postgres: PostgresServer,
) -> None:
    assert await cut_off_everywhere(postgres, None, expand) > 9


async def test_a_contract_that_is_cut_off_at_any_statement_goes_on(postgres: PostgresServer, at_0001: str) -> None:
    await migrations.expand(postgres.url(at_0001))
    assert await cut_off_everywhere(postgres, at_0001, migrations.contract) > 3


async def test_a_backend_that_is_ended_at_any_statement_ends_the_migration_in_one_line(
    postgres: PostgresServer, at_0001: str
) -> None:
    """And between two statements it holds no table: who migrates may stand still."""
    held: list[str] = []
    beside = await asyncpg.connect(postgres.url())

    async def end_the(last: int) -> None:
        async def look() -> None:
            held.extend(row[0] for row in await beside.fetch(HELD, at_0001))
            if statements.seen == last:
                await beside.execute(END, at_0001)

        statements = Statements(postgres, before=look)
        await through(postgres, at_0001, expand, statements)

    try:
        for last in range(1, STATEMENTS_MAX):
            with suppress(MigrationStopped):
                await end_the(last)
                break
    finally:
        await beside.close()
    assert 15 < last < STATEMENTS_MAX - 1
    assert held == []


STATEMENTS_MAX = 200
FIRST_OF_OURS = 16384
HELD = f"""
select l.relation || ' ' || l.mode from pg_locks l join pg_stat_activity a using (pid)
 where a.datname = $1 and a.backend_type = 'client backend' and l.locktype = 'relation'
   and l.relation >= {FIRST_OF_OURS} and l.mode not in ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
"""
"""What a client holds in a sale's way; the driver prepares a statement in one message and runs it in the next.

Autovacuum analyses the tables whenever it likes, and gives way to a sale.
"""
END = "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1"
