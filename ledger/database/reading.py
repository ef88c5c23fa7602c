"""A connection for a short read or a small write outside of the writers."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ledger.database.connector import Unusable
from ledger.database.reason import reason_of
from server.problems import Unavailable

DEADLINE_S = 5.0
"""From asking for a connection to the last row: nobody waits longer for a page of levels."""

DEFECTS = ("22", "23", "42")
"""Classes of SQLSTATE that say the statement or its values are wrong: a defect of ours, and no outage."""

NOT_MIGRATED = "42P01"

log = logging.getLogger(__name__)


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One connection, each statement in a snapshot of its own. Raises Unavailable."""
    async with reaching_database(), engine.connect() as connection:
        yield await connection.execution_options(isolation_level="AUTOCOMMIT")


@asynccontextmanager
async def writing(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction, committed at the end: only for what may be repeated, since a lost commit is Unavailable too."""
    async with reaching_database(), engine.begin() as connection:
        yield connection


@asynccontextmanager
async def reaching_database() -> AsyncIterator[None]:
    """Raises Unavailable where the database cannot be reached, or says nothing for too long."""
    try:
        async with asyncio.timeout(DEADLINE_S):
            yield
    except (
        OSError,
        TimeoutError,
        PoolTimeout,
        DBAPIError,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
    ) as error:
        if _is_defect(error):
            raise
        log.debug(
            "the database cannot be reached reason=%r", reason_of(error)
        )  # the heads say it, and not once per request
        reason = error.reason if isinstance(error, Unusable) else "the database cannot be reached"
        raise Unavailable(reason) from error


def _is_defect(error: BaseException) -> bool:
    """asyncpg's own InterfaceError, as a killed backend may show itself, has no SQLSTATE: an outage."""
    cause = error.orig if isinstance(error, DBAPIError) and not isinstance(error, InterfaceError) else error
    state = getattr(cause, "sqlstate", None)
    return isinstance(state, str) and state != NOT_MIGRATED and state.startswith(DEFECTS)
