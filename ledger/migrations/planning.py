"""What a migration would do: its steps, the locks that they take, and how large the tables are. Changes nothing."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.migrations.revisions import Revision, revisions
from ledger.migrations.schema import Schema
from ledger.migrations.steps import Step

_SIZES = text("""
select t.name, coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint,
       coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint
  from unnest(cast(:tables as text[])) as t(name)
  join pg_class c on c.relkind = 'r'
   and (c.oid = to_regclass(t.name) or c.oid in (select relid from pg_partition_tree(to_regclass(t.name))))
 group by t.name
""")
"""Of a partitioned table its partitions, which hold the rows; ``pg_partition_tree`` knows no other tables."""


class Size(NamedTuple):
    """Of a table with its partitions and indexes; ``rows`` as PostgreSQL estimated them last."""

    size_bytes: int
    rows: int


class Planned(NamedTuple):
    revision: Revision
    number: int
    step: Step
    sizes: Mapping[str, Size]


async def plan(connection: AsyncConnection, schema: Schema | None, shards: int) -> list[Planned]:
    """The steps that `stockwire migrate` would make now."""
    due = [one for one in revisions() if schema is None or one.number > schema.revision]
    return await planned(connection, [(one, one.steps(shards)) for one in due])


async def plan_contract(connection: AsyncConnection, contracted: str) -> list[Planned]:
    """The steps that `stockwire migrate --contract` would make now."""
    due = [one for one in revisions() if one.contract and one.number > contracted]
    return await planned(connection, [(one, one.contract) for one in due])


async def planned(connection: AsyncConnection, steps: list[tuple[Revision, tuple[Step, ...]]]) -> list[Planned]:
    tables = sorted({table for _, of_one in steps for step in of_one for table in step.locks})
    rows: Any = await connection.execute(_SIZES, {"tables": tables})
    sizes = {name: Size(size_bytes, count) for name, size_bytes, count in rows}
    return [
        Planned(revision, number, step, {table: sizes[table] for table in step.locks if table in sizes})
        for revision, of_one in steps
        for number, step in enumerate(of_one, 1)
    ]
