"""Violations, broken into a database by SQL. What the database itself would refuse, it is made to bear first."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from tests.harness.waiting import PATIENCE_S

CONSTRAINTS = """
select conrelid::regclass::text as relation, conname as name from pg_constraint
 where (conrelid = 'stock_level'::regclass and contype = 'c')
    or (conrelid = 'stock_event'::regclass and contype in ('p', 'u'))
"""
LAST = "select to_jsonb(e) from stock_event e where location = $1 and sku = $2 order by version desc limit 1"
WRITE = "insert into stock_event select * from jsonb_populate_record(null::stock_event, $1::jsonb)"
LEVEL = "update stock_level set version = $3, on_hand = $4, reserved = $5 where location = $1 and sku = $2"


@dataclass(frozen=True, slots=True)
class New:
    """An event of a level: right, but for what is ``wrong``. ``ahead``: of the head; ``skipped``: versions."""

    location: str
    sku: str
    ahead: int = 1
    skipped: int = 0
    wrong: Mapping[str, int] = field(default_factory=dict)


@asynccontextmanager
async def breaking(database_url: str) -> AsyncIterator[Any]:
    """A connection to a database that bears everything."""
    connection = await asyncpg.connect(database_url, timeout=PATIENCE_S)
    try:
        for row in await connection.fetch(CONSTRAINTS):
            await connection.execute(f'alter table {row["relation"]} drop constraint "{row["name"]}"')
        yield connection
    finally:
        await connection.close()


async def write(connection: Any, *new: New) -> None:
    """In one transaction, the levels and the head as the events say."""
    async with connection.transaction():
        heads: dict[int, int] = {}
        for one in new:
            last = json.loads(await connection.fetchval(LAST, one.location, one.sku))
            shard = last["shard"]
            if shard not in heads:
                heads[shard] = await connection.fetchval("select head from shard where id = $1 for update", shard)
            seq, version = heads[shard] + one.ahead, last["version"] + 1 + one.skipped
            event = {**last, "seq": seq, "version": version, "on_hand_delta": 0, "reserved_delta": 0, **one.wrong}
            if "on_hand" not in one.wrong:
                event["on_hand"] += event["on_hand_delta"]
            event["reserved"] += event["reserved_delta"]
            await connection.execute(WRITE, json.dumps(event))
            await connection.execute(LEVEL, one.location, one.sku, version, event["on_hand"], event["reserved"])
            await connection.execute("update shard set head = greatest(head, $2) where id = $1", shard, seq)
