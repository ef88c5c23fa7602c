"""A database whose backends are killed while they work, as an operator or the out-of-memory killer would."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from sqlalchemy import text

from tests.ledger.commit_path import CommitPath, commit_path

EVERY_S = 0.1
KILL_ONE = text("""
select pg_terminate_backend(pid, 1000) from pg_stat_activity
 where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'
 order by random() limit 1
""")
"""Waits until it is gone, at most a second: whoever connects after the last one is spared."""


@contextlib.asynccontextmanager
async def killed_backends(database_url: str) -> AsyncIterator[None]:
    """Inside, one backend at work is killed every ``EVERY_S``; outside, none is any more.

    Connections that were pooled inside may be dead ones: look at the outcome through new ones.
    """
    over = asyncio.Event()
    async with commit_path(database_url) as path, asyncio.TaskGroup() as group:
        group.create_task(_kill(path, over))
        try:
            yield
        finally:
            over.set()


async def _kill(path: CommitPath, over: asyncio.Event) -> None:
    # No transaction: one that is idle for a second is ended, and on a busy machine that could be ours
    engine = path.engine.execution_options(isolation_level="AUTOCOMMIT")
    while not over.is_set():
        async with engine.connect() as connection:
            await connection.execute(KILL_ONE)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), EVERY_S)
