"""What a failure of the database means to whoever migrates."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError

from ledger.database.connector import NoPrimary
from ledger.database.reason import reason_of, sqlstate_of
from ledger.migrations.errors import MigrationRefused, MigrationStopped, NotOwner

HELD = ("55P03", "57014", "40P01")
"""lock_not_available, query_canceled (by statement_timeout) and deadlock_detected: tried again."""
_DISK_FULL = "53100"
_NOT_OWNER = "42501"
_TAKEN = "42P07"  # duplicate_table: where ours are missing
_AWAY_CLASSES = ("08", "53", "57", "58")
"""Of SQLSTATEs: connection, resources (connections, memory), operator (shutdown, crash), the system's I/O."""
_AWAY_STATES = ("25P03", "25P04")
"""idle_in_transaction_session_timeout and transaction_timeout: the session was ended."""
_GOES_ON = "what was done so far stands; run this again"


@contextmanager
def in_one_line() -> Iterator[None]:
    """Raises MigrationStopped or MigrationRefused for what may end by itself or has a fix; others pass as they are."""
    try:
        yield
    except (DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
        meant = meaning_of(error)
        if meant is None:
            raise
        raise meant from error


def meaning_of(error: Exception) -> MigrationStopped | MigrationRefused | None:
    """None: nothing that is expected, such as a wrong password or a defect."""
    reason, state = reason_of(error), sqlstate_of(error)
    if isinstance(error, NoPrimary):
        return MigrationStopped(f"{error.reason}: {error.fix}")
    if isinstance(error, asyncpg.ClientConfigurationError):
        return None
    if state in HELD:
        return MigrationStopped(f"somebody holds what it needs ({reason}): {_GOES_ON} when it is free")
    if state == _DISK_FULL:
        return MigrationStopped(f"the database's disk is full ({reason}): {_GOES_ON} when it has room")
    if state is None or state.startswith(_AWAY_CLASSES) or state in _AWAY_STATES:
        return MigrationStopped(f"the database cannot be reached ({reason}): {_GOES_ON} when it answers")
    if state == _TAKEN:
        return MigrationRefused(f"{reason}, of another program: name a database of its own")
    return NotOwner(reason) if state == _NOT_OWNER else None
