"""Rows that somebody else holds, so that a commit is caught in the middle."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx

from tests.harness.postgres import PostgresServer

LEVELS = "select 1 from stock_level for update"


@asynccontextmanager
async def locked(url: str, statement: str = LEVELS, *arguments: Any) -> AsyncIterator[None]:
    """``statement`` has been executed in a transaction that stays open, and is rolled back at the end."""
    connection = await asyncpg.connect(url)
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(statement, *arguments)
        yield
    finally:
        await transaction.rollback()
        await connection.close()


async def waiting_backends(postgres: PostgresServer, url: str) -> list[int]:
    """Process ids of the backends that wait for a row."""
    rows = await postgres.query(
        "select pid from pg_stat_activity where datname = $1 and wait_event_type = 'Lock'", "postgres", database_of(url)
    )
    return [row["pid"] for row in rows]


async def is_waiting(postgres: PostgresServer, url: str) -> bool:
    return bool(await waiting_backends(postgres, url))


def database_of(url: str) -> str:
    return httpx.URL(url).path.strip("/")
