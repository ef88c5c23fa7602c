"""Whoever waits for a writer is taken in order, is told when it waited too long, and is not forgotten at a stop."""

import pytest

from ledger.commit.queue import QUEUE_AGE_MAX_S, Queue
from server.problems import Overloaded
from tests.ledger.commit_path import line, operation

ASKED = operation(line("A", "berlin", 1))


async def test_an_operation_that_waited_too_long_is_refused_and_holds_up_nobody() -> None:
    queue = Queue()
    old, fresh = queue.put(ASKED), queue.put(ASKED)
    old.arrived -= QUEUE_AGE_MAX_S + 1
    assert await queue.next_batch() == [fresh]
    with pytest.raises(Overloaded):
        await old.outcome
    assert queue.lines == 0


async def test_what_was_taken_before_a_stop_is_handed_out_and_nothing_after_it() -> None:
    queue = Queue()
    taken = queue.put(ASKED)
    queue.stop()
    with pytest.raises(Overloaded):
        queue.put(ASKED)
    assert [await queue.next_batch(), await queue.next_batch()] == [[taken], []]
