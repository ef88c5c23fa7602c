"""What a plan says about locks is what PostgreSQL takes."""

import asyncpg

from ledger import migrations
from ledger.migrations.revisions import revisions
from ledger.migrations.steps import Backfill, Change, Lock, Step
from tests.ledger.migrations.databases import expand_to

STRENGTH = {lock.value.title().replace(" ", "") + "Lock": rank for rank, lock in enumerate(Lock)}
"""As pg_locks names them."""

HELD = """
select coalesce(parent.relname, c.relname), l.mode from pg_locks l join pg_class c on c.oid = l.relation
  left join pg_inherits i on i.inhrelid = c.oid left join pg_class parent on parent.oid = i.inhparent
 where l.pid = pg_backend_pid() and l.granted and c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace
   and coalesce(parent.oid, c.oid) = any($1::oid[])
"""
TABLES = """
select array_agg(c.oid) from pg_class c where c.relkind in ('r', 'p') and not c.relispartition
   and c.relnamespace = 'public'::regnamespace
"""


async def taken(connection: "asyncpg.Connection", step: Step) -> dict[str, str]:
    """The strongest lock on each table that was there before, partitions counted as their table."""
    there = await connection.fetchval(TABLES) or []
    transaction = connection.transaction()
    await transaction.start()
    if isinstance(step, Backfill):
        await connection.fetch(step.batch(f"{step.table}_0"), 0, 1)
    else:
        for statement in step.statements:
            await connection.execute(statement)
    found: dict[str, str] = {}
    for table, mode in await connection.fetch(HELD, there):
        if mode in STRENGTH and STRENGTH[mode] >= STRENGTH.get(found.get(table, ""), 0):
            found[table] = mode
    await transaction.rollback()
    return found


async def test_each_step_takes_the_locks_that_its_plan_says(empty_database_url: str) -> None:
    connection = await asyncpg.connect(empty_database_url)
    looked_at = 0
    try:
        for revision in revisions():
            for step in revision.steps(migrations.SHARDS_DEFAULT):
                said = {table: lock.value.title().replace(" ", "") + "Lock" for table, lock in step.locks.items()}
                assert await taken(connection, step) == said, (revision.number, step.does)
                looked_at += 1
                if isinstance(step, Change):  # the next one may need what this one makes
                    for statement in step.statements:
                        await connection.execute(statement)
            await connection.execute("drop schema public cascade; create schema public")
            await expand_to(empty_database_url, revision.number)
        for revision in revisions():
            for step in revision.contract:
                said = {table: lock.value.title().replace(" ", "") + "Lock" for table, lock in step.locks.items()}
                assert await taken(connection, step) == said, (revision.number, step.does)
                looked_at += 1
    finally:
        await connection.close()
    assert looked_at > len(revisions())
