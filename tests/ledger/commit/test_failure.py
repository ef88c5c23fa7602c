"""What a failed commit means."""

import asyncpg
import pytest

from ledger.commit.failure import KEYS_INDEXES, Failure, failure_of


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
        asyncpg.AdminShutdownError("terminating connection due to administrator command"),
        asyncpg.InterfaceError("cannot perform operation: connection is closed"),
        asyncpg.InternalClientError("got result for unknown protocol state 3"),
        ConnectionResetError(104, "Connection reset by peer"),
        TimeoutError(),
    ],
)
def test_a_killed_backend_is_a_lost_connection_however_it_shows_itself(error: Exception) -> None:
    """One that is taken for a defect ends the writer, and its shard takes no sale any more."""
    assert failure_of(error) is Failure.LOST


def test_what_is_no_error_of_the_database_is_a_defect() -> None:
    with pytest.raises(KeyError):
        failure_of(KeyError("shard"))


@pytest.mark.parametrize("index", KEYS_INDEXES)
def test_who_waited_for_a_key_is_told_apart_from_who_waited_for_a_row(index: str) -> None:
    refused = asyncpg.LockNotAvailableError("canceling statement due to lock timeout")
    assert failure_of(refused) is Failure.BUSY
    refused.context = f'while inserting index tuple (0,2) in relation "{index}"'
    assert failure_of(refused) is Failure.IN_FLIGHT
