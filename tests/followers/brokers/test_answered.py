"""An answer that comes, or an error that says why it does not."""

import asyncio
from contextlib import suppress

import pytest

from followers.brokers.answered import End, answered
from tests.harness.waiting import PATIENCE_S


async def test_what_the_client_cancels_is_an_error_and_no_cancellation() -> None:
    """aiormq so rejects confirmations of a channel that was closed: a task of ours would end without a word."""

    async def asked() -> None:
        raise asyncio.CancelledError

    with pytest.raises(ConnectionError, match="given it up"):
        await answered(asked(), End(), PATIENCE_S)


async def test_a_connection_that_ends_is_not_waited_for() -> None:
    closed = End()
    closed.set()
    with pytest.raises(ConnectionError, match="the connection ended"):
        await answered(asyncio.Event().wait(), closed, PATIENCE_S)


async def test_an_answer_that_does_not_come_is_waited_for_so_long() -> None:
    with pytest.raises(ConnectionError, match="no answer within"):
        await answered(asyncio.Event().wait(), End(), 0.01)


async def test_a_cancellation_that_the_client_swallows_is_lost() -> None:
    """So rstream does while it ends a task of its own: whoever was to stop would go on for ever."""
    asks = asyncio.Event()

    async def asked() -> None:
        asks.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

    task = asyncio.create_task(answered(asked(), End(), PATIENCE_S))
    await asks.wait()
    task.cancel()
    await asyncio.wait([task], timeout=PATIENCE_S)
    assert task.cancelled()
