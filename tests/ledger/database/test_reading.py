"""Reads that run into their deadline or lose their connection: an outage for the caller, and no leak."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ledger.database import reading as module
from ledger.database.engine import create_engine
from ledger.database.reading import reading, writing
from server.problems import Unavailable
from tests.harness.postgres import PostgresServer
from tests.harness.waiting import wait_until


async def test_reads_cut_by_their_deadline_leak_no_connection(
    database_url: str, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = create_engine(database_url, pool_size=3)
    database = httpx.URL(database_url).path.strip("/")

    async def sleep() -> None:
        async with reading(engine) as connection:
            await connection.execute(text("select pg_sleep(30)"))

    async def gone() -> bool:
        active = "select 1 from pg_stat_activity where datname = $1 and state = 'active'"
        return not await postgres.query(active, "postgres", database)

    async def only_these() -> bool:
        connected = "select 1 from pg_stat_activity where datname = $1"
        return len(await postgres.query(connected, "postgres", database)) <= 3

    try:
        monkeypatch.setattr(module, "DEADLINE_S", 0.1)
        results = await asyncio.gather(*(sleep() for _ in range(20)), return_exceptions=True)
        assert {type(result) for result in results} == {Unavailable}
        monkeypatch.setattr(module, "DEADLINE_S", 5.0)
        await wait_until(gone)
        async with reading(engine) as one, reading(engine) as two, reading(engine) as three:
            for connection in (one, two, three):
                assert (await connection.execute(text("select 1"))).scalar_one() == 1
        await wait_until(only_these)  # a backend whose statement was cancelled is a moment late to end
    finally:
        await engine.dispose()


async def test_a_killed_backend_is_an_outage_and_the_next_read_works(
    database_url: str, postgres: PostgresServer
) -> None:
    engine = create_engine(database_url, pool_size=1)

    async def kill_on_the_way(context: Callable[[AsyncEngine], AbstractAsyncContextManager[AsyncConnection]]) -> None:
        async with context(engine) as connection:
            pid = (await connection.execute(text("select pg_backend_pid()"))).scalar_one()
            await postgres.query("select pg_terminate_backend($1, 5000)", "postgres", pid)
            await connection.execute(text("select 1"))

    try:
        for context in (reading, writing):
            with pytest.raises(Unavailable):
                await kill_on_the_way(context)
            async with context(engine) as connection:
                assert (await connection.execute(text("select 1"))).scalar_one() == 1
    finally:
        await engine.dispose()


@pytest.mark.parametrize("statement", ["select nonsense", "select 1 / 0", "select nonsense()"])
async def test_a_wrong_statement_is_no_outage(database_url: str, statement: str) -> None:
    engine = create_engine(database_url, pool_size=1)
    try:
        with pytest.raises(DBAPIError):
            async with reading(engine) as connection:
                await connection.execute(text(statement))
    finally:
        await engine.dispose()
