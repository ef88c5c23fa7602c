"""What no linter of SQL sees: a change that touches the rows of a table that grows, however it is written.

PostgreSQL itself counts what a transaction has read and written of each table, and gives a table that it rewrites a new
file. A backfill may touch rows, a few at a time; a change holds its locks until its end.
"""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from ledger.migrations.revisions import revisions
from ledger.migrations.schema import BORNE
from ledger.migrations.steps import Backfill, Change, Step
from tests.ledger.migrations.databases import OldLedger, expand_to

SMALL = {"ledger_meta", "shard", "location", "api_key", "alembic_version"}
"""Of these a change may read and write rows: they do not grow with what is sold. A new table does until it is here."""
SHARDS = 4
ROWS = 20

TABLES = """
select c.oid::regclass::text as name, pg_relation_filenode(c.oid) as rewrote,
       coalesce(s.seq_tup_read, 0) + coalesce(s.idx_tup_fetch, 0) as read,
       coalesce(s.n_tup_ins, 0) + coalesce(s.n_tup_upd, 0) + coalesce(s.n_tup_del, 0) as wrote
  from pg_class c left join pg_stat_xact_user_tables s on s.relid = c.oid
  left join pg_inherits i on i.inhrelid = c.oid
 where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
   and not coalesce(i.inhparent, c.oid)::regclass::text = any($1)
"""
STOCK = f"""
with made as (insert into item (sku, name) select 's' || n, 'x' from generate_series(1, {ROWS}) n returning sku)
insert into stock_level (shard, location, sku, on_hand, version) select 0, 'rome', sku, 1, 1 from made
"""


@pytest.fixture
async def connection(empty_database_url: str) -> "AsyncIterator[asyncpg.Connection]":
    connection = await asyncpg.connect(empty_database_url)
    yield connection
    await connection.close()


async def fill(connection: "asyncpg.Connection") -> None:
    """As schema 0001 had it: what a later one adds has a default."""
    await connection.execute("insert into location values ('rome', 'Rome', 0)")
    await connection.execute("insert into item (sku, name) values ('A', 'a')")
    await connection.execute("insert into stock_level (shard, location, sku) values (0, 'rome', 'A')")
    await OldLedger(connection).commit("A", 0, 7)
    await OldLedger(connection).commit("A", 1, *range(6, 0, -1), before=7)
    await connection.execute(STOCK)


async def tables(connection: "asyncpg.Connection") -> dict[str, Any]:
    return {row["name"]: row for row in await connection.fetch(TABLES, list(SMALL))}


async def touched(connection: "asyncpg.Connection", change: Change) -> list[str]:
    """Of which growing tables this read, wrote or rewrote rows. It is done, and committed."""
    async with connection.transaction():
        before = await tables(connection)  # counts of earlier transactions may be among them still
        for statement in change.statements:
            await connection.execute(statement)
        after = await tables(connection)
    found = []
    for name, was in before.items():
        now = after.get(name, was)
        found += [f"{verb} {name}" for verb in ("read", "wrote", "rewrote") if now[verb] != was[verb]]
    return found


async def make(connection: "asyncpg.Connection", step: Step) -> list[str]:
    if isinstance(step, Change):
        return await touched(connection, step)
    for shard in range(SHARDS):
        await connection.execute(step.batch(f"{step.table}_{shard}").replace("$1", "0").replace("$2", "1000"))
    return []


async def test_no_change_of_any_migration_touches_rows_of_a_table_that_grows(
    connection: "asyncpg.Connection", empty_database_url: str
) -> None:
    first, *later = revisions()
    await expand_to(empty_database_url, first.number)
    await fill(connection)
    found = {
        (revision.number, step.does): rows
        for revision in later
        for step in revision.steps(SHARDS)
        if (rows := await make(connection, step))
    }
    found |= {
        (revision.number, step.does): rows
        for revision in revisions()
        for step in revision.contract
        if (rows := await make(connection, step))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("update stock_level set on_hand = on_hand", "wrote stock_level_0"),
        ("/* quick */ update only public.stock_level_0 l set on_hand = 1 where l.sku = 'A'", "wrote stock_level_0"),
        ("with one as (delete from operation returning id) select count(*) from one", "wrote operation"),
        ("do $$ begin update stock_event set reason = 'x'; end $$", "wrote stock_event_0"),
        ("create table summary as select sku, sum(on_hand) from stock_level group by sku", "read stock_level_0"),
        ("alter table stock_event alter column version type numeric", "rewrote stock_event_0"),
        ("alter table stock_event add column made timestamptz default clock_timestamp()", "rewrote stock_event_0"),
        ("alter table stock_level add constraint few check (on_hand < 99)", "read stock_level_0"),
        ("create index on stock_event (sku)", "read stock_event_0"),
        ("update item set name = sku", "wrote item"),
    ],
)
async def test_a_change_that_touches_them_is_found(
    statement: str, found: str, connection: "asyncpg.Connection", empty_database_url: str
) -> None:
    await expand_to(empty_database_url, BORNE)
    await fill(connection)
    assert found in await touched(connection, Change("planted", (statement,)))


async def test_adding_a_column_touches_no_row(connection: "asyncpg.Connection", empty_database_url: str) -> None:
    await expand_to(empty_database_url, BORNE)
    await fill(connection)
    added = Change(
        "planted",
        (
            "alter table stock_event add column lot text not null default ''",
            "update ledger_meta set epoch = epoch",
            "create table lot (number text)",
        ),
    )
    assert await touched(connection, added) == []


def test_a_backfill_goes_through_a_table_that_grows() -> None:
    """What is small is set by a change."""
    filled = {step.table for one in revisions() for step in one.steps(SHARDS) if isinstance(step, Backfill)}
    assert filled
    assert not filled & SMALL
