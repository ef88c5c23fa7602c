"""What a failed commit means: from PostgreSQL's answers to what the writer does next, and to what a sender is told."""

from enum import Enum

import asyncpg

from ledger.errors import IdempotencyInFlight, OutcomeUnknown
from server.problems import Invalid, Problem, Unavailable


class Failure(Enum):
    """How a commit failed, as the log says it."""

    MOVED = "a level had moved"
    KNOWN = "a key was known"
    BUSY = "somebody else holds the rows"
    IN_FLIGHT = "somebody else is working on a key of the batch"
    LOST = "the connection was lost; what was sent may still commit"
    POISON = "a value that the database cannot take"
    UNAVAILABLE = "the database takes no work now"


MISSED = (Failure.MOVED, Failure.KNOWN)
"""Failures of the optimistic try that say: somebody else was here. Nothing was written."""

AT_ONCE = (*MISSED, Failure.BUSY, Failure.IN_FLIGHT)
"""Failures after which the locked try follows without a pause."""

ALONE = (Failure.POISON, Failure.BUSY, Failure.IN_FLIGHT)
"""Failures that one operation brings upon its batch: the batch is halved until that one stands alone."""

_BY_SQLSTATE = {
    "22012": Failure.MOVED,  # division_by_zero: the statement's own check
    "23505": Failure.KNOWN,  # unique_violation: a known key, or an event that exists
    "40001": Failure.MOVED,  # serialization_failure
    "40P01": Failure.MOVED,  # deadlock_detected: the locked second try avoids it
    "55P03": Failure.BUSY,  # lock_not_available
    "25006": Failure.UNAVAILABLE,  # read_only_sql_transaction
    "57P03": Failure.UNAVAILABLE,  # cannot_connect_now
}

_BY_CLASS = {
    "22": Failure.POISON,
    "23": Failure.POISON,
    "54": Failure.POISON,
    "53": Failure.UNAVAILABLE,  # disk full, out of memory, too many connections
    "58": Failure.UNAVAILABLE,
}


OF_THE_DATABASE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What a connection raises. A killed backend shows itself as any of them."""

KEYS_INDEXES = ("operation_pkey", "hold_pkey")
"""Of what is stored under the id that a key gives. PostgreSQL's CONTEXT names the index into which it was inserting
while it waited, whatever language it speaks."""


def failure_of(error: Exception) -> Failure:
    """Raises ``error`` again if it is none of the database's."""
    if not isinstance(error, OF_THE_DATABASE):
        raise error
    state = getattr(error, "sqlstate", None)
    if not isinstance(state, str):
        return Failure.LOST
    failure = _BY_SQLSTATE.get(state) or _BY_CLASS.get(state[:2], Failure.LOST)
    if failure is Failure.BUSY and any(index in _context(error) for index in KEYS_INDEXES):
        return Failure.IN_FLIGHT
    return failure


def _context(error: Exception) -> str:
    """PostgreSQL names, in CONTEXT, the relation into which it was inserting while it waited."""
    return getattr(error, "context", None) or ""


def problem_of(failure: Failure, unknown: bool) -> Problem:
    """What an operation is answered that stood alone with ``failure``, one of ALONE. ``unknown``: see ``not_now``."""
    if failure is Failure.IN_FLIGHT:
        return IdempotencyInFlight("the same key is being worked on elsewhere")
    if failure is Failure.POISON:
        return Invalid("body", "the database cannot take a value of this operation")
    return not_now("the rows of this operation are held by somebody else", unknown)


def not_now(detail: str, unknown: bool) -> Problem:
    """``unknown``: it may have been committed, and Unavailable would say that it was not."""
    if unknown:
        return OutcomeUnknown("the connection to the database was lost during the commit")
    return Unavailable(detail)
