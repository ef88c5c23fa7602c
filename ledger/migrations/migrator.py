"""Runs the steps of migrations beside the sales: no wait for a lock holds them up for long, and nothing is half done.

Within Alembic, on a connection that commits each statement by itself.
"""

import random
import time
from asyncio import sleep
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

import asyncpg
from alembic import context, op
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import await_only

from ledger.database.reason import sqlstate_of
from ledger.migrations.errors import MigrationStopped
from ledger.migrations.failure import HELD
from ledger.migrations.steps import Backfill, Change, Lock, Step

LOCK_TIMEOUT_FIRST_MS, LOCK_TIMEOUT_MS = 100, 400
"""Whoever waits for a lock on a table makes everybody wait who comes later: sales stand still meanwhile. A table that
nobody holds is had at once; from try to try the wait doubles, for one on which much is under way."""
CHANGE_TIMES = 2
"""As much for a whole statement, which may need the locks of many partitions, one after the other."""
CHANGE_TIMEOUT_MS = CHANGE_TIMES * LOCK_TIMEOUT_MS
PAUSES, PAUSES_HELD = 9, 99
"""A pause between two tries is so many times as long as the wait was: sales stand in a tenth of the time at most, and
in a hundredth beside somebody who holds the table all the while."""
LOOK_S = 0.25
"""Between two looks at whether whoever held the table has let go."""
PATIENCE_S = 60.0
"""How long a step waits in all while somebody holds what it needs. Whoever holds it longer is named."""

BATCH_S = 0.005
"""What a batch of a backfill may take: a sale that meets it waits for so long."""
PAGES_FIRST, PAGES_MAX = 4, 16
"""Of a table, in one batch; how many it becomes follows from how long they take. Where nothing was to be set it is the
most, and the next batch may have to set every row of as many: with 256 that held rows for 0.2 s."""

LOG_BYTES_PER_S = 4 * 2**20
"""What a backfill writes to PostgreSQL's log at most. More of it fills max_wal_size (1 GB) before checkpoint_timeout (5
minutes): then one checkpoint follows the other, each page is logged whole after each, and sales wait for the disk."""

SAY_EVERY_S = 2.0

_LONGER_THAN_DEADLOCKS = """
select set_config('lock_timeout', (least(setting::bigint, 9000) + 1000)::text, true)
  from pg_settings where name = 'deadlock_timeout'
"""

Say = Callable[[str], None]
Result = TypeVar("Result")

_ON_TABLES = """
l.granted and l.locktype = 'relation' and l.mode <> all(cast(:beside as text[]))
   and l.relation in (select to_regclass(t) from unnest(cast(:tables as text[])) t
                      union select i.inhrelid from unnest(cast(:tables as text[])) t
                                   join pg_inherits i on i.inhparent = to_regclass(t))
"""
"""``pg_inherits`` and not ``pg_partition_tree``, which would wait for the table itself."""
_HOLDERS = text(f"""
select a.pid, coalesce(nullif(a.application_name, ''), nullif(a.backend_type, 'client backend')) as name,
       extract(epoch from clock_timestamp() - a.xact_start)::int as seconds
  from pg_stat_activity a
 where a.pid <> pg_backend_pid()
   and exists (select 1 from pg_locks l where l.pid = a.pid and {_ON_TABLES})
 order by a.xact_start limit 1
""")
"""Whose transaction is the oldest. Other roles' transactions say no age to a role that may not see them."""
_HOLDING = text(f"select distinct virtualtransaction from pg_locks l where pid <> pg_backend_pid() and {_ON_TABLES}")


def expand(revision: str, steps: Callable[[int], tuple[Step, ...]]) -> None:
    """What a migration's ``upgrade`` does. Raises MigrationStopped or what the database says."""
    attributes = context.config.attributes
    run(op.get_bind(), revision, steps(attributes["shards"]), attributes["say"])


def run(connection: Connection, revision: str, steps: tuple[Step, ...], say: Say) -> None:
    for number, step in enumerate(steps, 1):
        say(f"{revision} step {number} of {len(steps)}: {step.does}")
        if isinstance(step, Change):
            _change(connection, step)
        else:
            _backfill(connection, step, say)


def _change(connection: Connection, step: Change) -> None:
    if step.unless is not None and connection.exec_driver_sql(step.unless).scalar_one():
        return
    patiently(connection, step, lambda lock_timeout_ms: _at_once(connection, step, lock_timeout_ms))


def _at_once(connection: Connection, step: Change, lock_timeout_ms: int) -> None:
    """One transaction, sent as one message: whoever sends it may die or stand still, and no lock waits for them.

    (PostgreSQL's manual, 54.2.2.1: several statements in a message are one transaction, all or nothing.)
    """
    limits = (
        f"set local lock_timeout = {lock_timeout_ms}",
        f"set local statement_timeout = {CHANGE_TIMES * lock_timeout_ms}",
    )
    driver: asyncpg.Connection = connection.connection.driver_connection
    await_only(driver.execute(";\n".join((*_behind_vacuum(step), *limits, *step.statements))))


def _behind_vacuum(step: Change) -> Iterator[str]:
    """Waits for whoever maintains a table, in a lock that no sale minds, before the one that sales wait for.

    PostgreSQL ends an autovacuum that somebody has waited for, but not before deadlock_timeout, a second or more.
    """
    held = [table for table, lock in step.locks.items() if lock.holds_sales]
    if held:
        yield _LONGER_THAN_DEADLOCKS
        yield f"lock table {', '.join(held)} in share update exclusive mode"


def patiently(connection: Connection, step: Step, work: Callable[[int], Result]) -> Result:
    """``work`` with a lock_timeout, again and again while somebody holds what it needs. Raises MigrationStopped."""
    for lock_timeout_ms in _tries(connection, step):
        try:
            return work(lock_timeout_ms)
        except (DBAPIError, asyncpg.PostgresError) as error:
            if sqlstate_of(error) not in HELD:
                raise
    raise AssertionError("tries end by themselves")


def _tries(connection: Connection, step: Step) -> Iterator[int]:
    """Again and again, with pauses, for as long as patience lasts: it counts what was waited, not what was worked.

    Each is told how many milliseconds it may wait for a lock.
    """
    waited_s, lock_timeout_ms = 0.0, LOCK_TIMEOUT_FIRST_MS
    while waited_s < PATIENCE_S:
        yield lock_timeout_ms
        longest_s = min(PAUSES_HELD * lock_timeout_ms / 1000, PATIENCE_S - waited_s)
        paused_s, held = _pause(connection, step, PAUSES * lock_timeout_ms / 1000, longest_s)
        waited_s += paused_s
        if not held:
            lock_timeout_ms = min(2 * lock_timeout_ms, LOCK_TIMEOUT_MS)
    raise MigrationStopped(
        f"{', '.join(step.locks) or 'what it needs'} was held for {PATIENCE_S:g} s{_holder(connection, step)}:"
        f" what was done so far stands; run this again when it is free"
    )


def _pause(connection: Connection, step: Step, shortest_s: float, longest_s: float) -> tuple[float, bool]:
    """How long it was, and whether somebody held what sales wait for from its beginning to its end."""
    held_by = _holding(connection, step)
    paused_s = shortest_s * random.uniform(0.8, 1.2)
    await_only(sleep(paused_s))
    while (held_by := held_by & _holding(connection, step)) and paused_s < longest_s:
        await_only(sleep(LOOK_S))
        paused_s += LOOK_S
    return paused_s, bool(held_by)


def _holding(connection: Connection, step: Step) -> set[str]:
    """Transactions that have what the step waits for while sales wait behind it."""
    tables = [table for table, lock in step.locks.items() if lock.holds_sales]
    beside = [] if Lock.ACCESS_EXCLUSIVE in step.locks.values() else ["AccessShareLock", "RowShareLock"]
    return set(connection.execute(_HOLDING, {"tables": tables, "beside": beside}).scalars()) if tables else set()


def _holder(connection: Connection, step: Step) -> str:
    """Readers are in the way of changes alone."""
    beside = ["AccessShareLock"] if isinstance(step, Backfill) else []
    holder: Any = connection.execute(_HOLDERS, {"tables": list(step.locks), "beside": beside}).first()
    if holder is None:
        return ""
    since = "" if holder.seconds is None else f", in a transaction for {holder.seconds} s"
    return f", last by {holder.name or 'a session without a name'} (PostgreSQL process {holder.pid}{since})"


def _backfill(connection: Connection, step: Backfill, say: Say) -> None:
    """Pass after pass, until a look at the whole table finds nothing: a pass leaves out rows that somebody holds.

    A look comes first as well: where another run has been, nothing is gone through again.
    """
    for table in _tables(connection, step):
        for _ in _tries(connection, step):
            while (pages := _left(connection, step, table)) and _pass(connection, step, table, *pages, say):
                pass
            if pages is None:
                break


def _left(connection: Connection, step: Backfill, table: str) -> tuple[int, int] | None:
    """The first and the last page with rows that are not set; None: all are. In one snapshot, so no row can hide by
    moving, as it could from a pass.
    """
    look = f"select min(ctid), max(ctid) from only {table} where {step.where}"
    first, last = patiently(connection, step, lambda _: connection.exec_driver_sql(look).one())
    return None if first is None else (first[0], last[0])


def _pass(connection: Connection, step: Backfill, table: str, first: int, last: int, say: Say) -> int:
    """Sets rows from page ``first`` to page ``last``. Returns how many."""
    at, many, done, said_at = first, PAGES_FIRST, 0, time.monotonic()
    while at <= last:
        began = time.monotonic()
        batch = _batch(connection, step, table, at, at + many)
        took_s = time.monotonic() - began
        done += batch.rows
        at += many
        many = _pages_next(many, batch.worked_s)
        if time.monotonic() - said_at > SAY_EVERY_S:
            said_at = time.monotonic()
            say(f"  {table}: {min(100, 100 * (at - first) // (last - first + 1))} %")
        # As long as it took, so that half of the time belongs to the sales, and of the disk most
        await_only(sleep(max(took_s, batch.log_bytes / LOG_BYTES_PER_S)))
    return done


class Batch(NamedTuple):
    """``worked_s``: of PostgreSQL. How long a commit takes, or the way, says nothing about how large one may be."""

    rows: int
    worked_s: float
    log_bytes: int


def _batch(connection: Connection, step: Backfill, table: str, at: int, end: int) -> Batch:
    """Rows that are held are left out; a table that is held is waited for, as long as the session's lock_timeout."""
    sql = step.batch(table)
    return Batch(*patiently(connection, step, lambda _: connection.exec_driver_sql(sql, (at, end)).one()))


def _pages_next(pages: int, took_s: float) -> int:
    if took_s > BATCH_S:
        return max(1, pages // 2)
    return min(PAGES_MAX, 2 * pages) if took_s < BATCH_S / 2 else pages


def _tables(connection: Connection, step: Backfill) -> list[str]:
    """Those that hold its rows: its partitions, or itself if it has none."""
    leaves = f"select relid::regclass::text from pg_partition_tree('{step.table}'::regclass) where isleaf order by 1"
    return list(patiently(connection, step, lambda _: connection.exec_driver_sql(leaves).scalars().all())) or [
        step.table
    ]
