"""What becomes of an operation whose sender has gone."""

import asyncio
import gc
import logging

import pytest

from ledger.commit.operation import Operation, Outcome
from ledger.commit.pending import Pending
from server.problems import Overloaded
from tests.ledger.commit_path import line, operation


async def test_a_refusal_that_nobody_waits_for_any_more_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    """Each client that hung up would be a line in the log."""
    caplog.set_level(logging.ERROR)
    pending = Pending(operation(line("A", "berlin", -1)), 0.0)
    pending.outcome()
    pending.fail(Overloaded("full"))
    del pending
    gc.collect()
    await asyncio.sleep(0)
    assert not caplog.records


async def test_who_gives_up_takes_nothing_from_who_sent_the_same_key() -> None:
    """The first to send it may hang up while a second waits."""
    pending = Pending(operation(line("A", "berlin", -1)), 0.0)
    first, second = asyncio.create_task(_hear(pending)), asyncio.create_task(_hear(pending))
    await asyncio.sleep(0)
    first.cancel()
    committed = Outcome("an id", ())
    pending.succeed(committed)
    pending.fail(Overloaded("told already"))
    assert await second is committed
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_its_end_is_told_once() -> None:
    """Told again, the next operation with its key would be forgotten while it is under way."""
    pending = Pending(operation(line("A", "berlin", -1)), 0.0)
    ends: list[Operation] = []
    pending.ended = ends.append
    pending.succeed(Outcome("an id", ()))
    pending.fail(Overloaded("told already"))
    assert ends == [pending.operation]


async def _hear(pending: Pending) -> Outcome:
    return await pending.outcome()
