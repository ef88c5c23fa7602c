"""Schema 0002 under ledgers of schema 0001: what they write is counted for them, and the backfill meets no sale."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from ledger import migrations
from ledger.database.audit import audit
from ledger.database.engine import create_engine
from ledger.migrations import marks
from ledger.migrations.errors import OlderLedgers
from tests.ledger.migrations.databases import OldLedger, expand_to


@pytest.fixture
async def connection(empty_database_url: str) -> "AsyncIterator[asyncpg.Connection]":
    await expand_to(empty_database_url, "0001")
    connection = await asyncpg.connect(empty_database_url)
    await connection.execute("insert into location values ('rome', 'Rome', 0)")
    await connection.execute("insert into item (sku, name) select s, s from unnest('{A,B,C}'::text[]) s")
    await connection.execute(
        "insert into stock_level (shard, location, sku) values (0,'rome','A'),(0,'rome','B'),(0,'rome','C')"
    )
    yield connection
    await connection.close()


@pytest.fixture
def old(connection: "asyncpg.Connection") -> OldLedger:
    return OldLedger(connection)


async def views(connection: "asyncpg.Connection", sku: str) -> tuple[int, list[int]]:
    level = await connection.fetchval("select view_version from stock_level where sku = $1", sku)
    events = await connection.fetch("select view_version from stock_event where sku = $1 order by version", sku)
    return level, [row[0] for row in events]


async def test_what_a_ledger_that_does_not_count_writes_after_the_expand_is_counted(
    connection: "asyncpg.Connection", old: OldLedger, empty_database_url: str
) -> None:
    await old.commit("A", 0, 20)
    await migrations.expand(empty_database_url)
    assert await views(connection, "A") == (1, [0])
    await old.commit("A", 1, 19, before=20)  # 10+ still
    assert await views(connection, "A") == (1, [0, 1])
    await old.commit("A", 2, 9, 30, 4, before=19)  # 5+, 10+, 1+: several in one batch
    assert await views(connection, "A") == (4, [0, 1, 2, 3, 4])
    await old.commit("B", 0, 0)  # a first movement always shows
    assert await views(connection, "B") == (1, [1])


async def test_an_event_between_the_column_and_the_backfill_counts_from_what_the_backfill_says(
    connection: "asyncpg.Connection", old: OldLedger, empty_database_url: str
) -> None:
    await old.commit("A", 0, 20)
    at_backfill: list[bool] = []

    class Stopped(Exception):
        pass

    def stop(line: str) -> None:
        if "first view" in line:
            at_backfill.append(True)
            raise Stopped

    with pytest.raises(Stopped):
        await migrations.expand(empty_database_url, say=stop)
    assert at_backfill
    await old.commit("A", 1, 3, before=20)
    assert await views(connection, "A") == (2, [0, 2])
    await migrations.expand(empty_database_url)
    assert await views(connection, "A") == (2, [0, 2])


async def test_the_counted_log_is_clean_and_the_contract_waits_for_ledgers_that_do_not_count(
    connection: "asyncpg.Connection", old: OldLedger, empty_database_url: str
) -> None:
    await old.commit("A", 0, 20)
    await migrations.expand(empty_database_url)
    await old.commit("A", 1, 3, before=20)
    await connection.execute(f"set application_name = '{marks.UNMARKED}'")
    with pytest.raises(OlderLedgers, match=r"from before 0\.1\.0"):
        await migrations.contract(empty_database_url)
    await old.commit("A", 2, 1, before=3)
    assert await views(connection, "A") == (2, [0, 2, 2])
    await connection.execute("set application_name = 'psql'")
    assert [one.number for one in await migrations.contract(empty_database_url)] == ["0002"]
    assert await migrations.contract(empty_database_url) == []
    engine = create_engine(empty_database_url, pool_size=1)
    try:
        async with engine.connect() as reading:
            assert await audit(reading) == []
    finally:
        await engine.dispose()
