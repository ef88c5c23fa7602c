"""A 2xx leaves only when its commit is on disk: PostgreSQL's own log position says how far it has been flushed."""

import asyncio
import secrets
from pathlib import Path

import asyncpg
import pytest

from cli.launch import Watchdog
from ledger import migrations
from tests.faults.replicas import add_catalog, line, move, replicas
from tests.harness.postgres import PostgresServer
from tests.harness.system import ProcessSystem
from tests.harness.valkey import ValkeyServer

pytestmark = pytest.mark.usefixtures("processes")

SALES = 60
SETTINGS = {"autovacuum": "off", "wal_writer_delay": "10s"}
"""Nobody else flushes meanwhile: by default the WAL writer does, five times a second."""
UNFLUSHED = "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), pg_current_wal_flush_lsn())::int"


@pytest.mark.parametrize(("synchronous", "expected"), [("on", range(1)), ("off", range(SALES // 2, SALES + 1))])
async def test_an_answer_never_leaves_before_its_commit_is_flushed(
    synchronous: str, expected: range, tmp_path: Path, server_folder: Path, watchdog: Watchdog, valkey: ValkeyServer
) -> None:
    """With synchronous_commit off, which a ledger leaves to the operator, the same check fails: it can fail.

    An answer may find some other writer's unflushed bytes (a page that a read has pruned): then the next one decides,
    whose own flush takes those along.
    """
    folder = server_folder / f"durable-{secrets.token_hex(2)}"
    postgres = PostgresServer(folder, watchdog, {"synchronous_commit": synchronous, **SETTINGS})
    try:
        await asyncio.to_thread(postgres.start)
        await migrations.expand(postgres.url())
        system = ProcessSystem(tmp_path, postgres.url(), valkey.url, f"durable-{secrets.token_hex(4)}")
        await system.start_ledger()
        try:
            assert await _answered_before_the_flush(postgres, system) in expected
        finally:
            await system.stop()
    finally:
        await asyncio.to_thread(postgres.stop)


async def _answered_before_the_flush(postgres: PostgresServer, system: ProcessSystem) -> int:
    watching = await asyncpg.connect(postgres.url())
    early = 0
    try:
        async with replicas(system) as (ledger,):
            await add_catalog(ledger, ["A"], ["berlin"])

            async def answered_early(key: str) -> bool:
                (await move(ledger, key, line("A", 1))).raise_for_status()
                return int(await watching.fetchval(UNFLUSHED)) > 0

            for number in range(SALES):
                early += await answered_early(f"delivery-{number}") and await answered_early(f"once-more-{number}")
    finally:
        await watching.close()
    return early
