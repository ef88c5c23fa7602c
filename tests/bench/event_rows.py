"""What events cost at the very least: `executemany` of the same rows, with a commit for each so many of them.

Into a table made like the partition of ``stock_event`` that they stand in, with its checks and both of its unique
indexes: without them a row costs PostgreSQL less, but an event that is not unique is none. The rows are in memory
before the time begins.
"""

import secrets
import time
from typing import NamedTuple

import asyncpg

from tests.bench.server import cpu_with_children_s
from tests.bench.shop import Shop

NEWEST = "select tableoid::regclass::text, e.* from stock_event e where location = $1 order by seq desc limit $2"


class Written(NamedTuple):
    """Rows per second, and per second of CPU that all take who are needed for it."""

    per_s: float
    per_cpu_s: float


async def write_again(shop: Shop, location: str, rows: int, per_commit: int) -> Written:
    """The newest ``rows`` events of ``location``, in their order. CPU of this process and of PostgreSQL."""
    connection = await asyncpg.connect(shop.system.database_url)
    try:
        events = (await connection.fetch(NEWEST, location, rows))[::-1]
        assert len(events) == rows, len(events)
        table, columns = f"bare_{secrets.token_hex(4)}", [*events[0].keys()][1:]
        await connection.execute(f"create table {table} (like {events[0][0]} including all)")
        places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
        insert = f"insert into {table} ({', '.join(columns)}) values ({places})"
        values = [tuple(event.values())[1:] for event in events]
        started, before = time.perf_counter(), _cpu_s(shop)
        for at in range(0, rows, per_commit):
            async with connection.transaction():
                await connection.executemany(insert, values[at : at + per_commit])
        took_s, used_s = time.perf_counter() - started, _cpu_s(shop) - before
        await connection.execute(f"drop table {table}")
        return Written(rows / took_s, rows / used_s)
    finally:
        await connection.close()


def _cpu_s(shop: Shop) -> float:
    return time.process_time() + cpu_with_children_s(shop.postgres_pid)
