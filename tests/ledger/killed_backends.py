"""A database whose backends are killed while they work, as an operator or the out-of-memory killer would."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from sqlalchemy import text

from tests.ledger.commit_path import CommitPath, commit_path

EVERY_S = 0.1
KILL_ONE = text("""
select pg_terminate_backend(pid, 1000) from pg_stat_activity
 where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'
 order by random() limit 1
""")
"""Waits until it is gone, at most a second: whoever connects after the last one is spared."""


@dataclass
class Killed:
    """How many, so far."""

    backends: int = 0


@contextlib.asynccontextmanager
async def killed_backends(database_url: str) -> AsyncIterator[Killed]:
    """Inside, one backend at work is killed every ``EVERY_S``; outside, none is any more.

    Connections that were pooled inside may be dead ones: look at the outcome through new ones.
    """
    over, killed = asyncio.Event(), Killed()
    async with commit_path(database_url) as path, asyncio.TaskGroup() as group:
        group.create_task(_kill(path, over, killed))
        try:
            yield killed
        finally:
            over.set()


async def _kill(path: CommitPath, over: asyncio.Event, killed: Killed) -> None:
    # No transaction: one that is idle for a second is ended, and on a busy machine that could be ours
    engine = path.engine.execution_options(isolation_level="AUTOCOMMIT")
    while not over.is_set():
        async with engine.connect() as connection:
            killed.backends += len((await connection.execute(KILL_ONE)).all())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), EVERY_S)
