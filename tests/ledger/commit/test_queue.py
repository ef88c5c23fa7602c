"""Whoever waits for a writer is taken in order, is told when it waited too long, and is not forgotten at a stop."""

import pytest

from ledger.commit.queue import BATCH_LINES_MAX, QUEUE_AGE_MAX_S, UNDIVIDED_LINES_MAX, Queue
from server.problems import Overloaded
from tests.ledger.commit_path import line, operation

ASKED = operation(line("A", "berlin", 1))


async def test_an_operation_that_waited_too_long_is_refused_and_holds_up_nobody() -> None:
    queue = Queue()
    old, fresh = queue.put(ASKED), queue.put(ASKED)
    told = old.outcome()
    old.arrived -= QUEUE_AGE_MAX_S + 1
    assert await queue.next_batch() == [fresh]
    with pytest.raises(Overloaded):
        await told
    assert queue.lines == 0


async def test_what_was_taken_before_a_stop_is_handed_out_and_nothing_after_it() -> None:
    queue = Queue()
    taken = queue.put(ASKED)
    queue.stop()
    with pytest.raises(Overloaded):
        queue.put(ASKED)
    assert [await queue.next_batch(), await queue.next_batch()] == [[taken], []]


async def test_callers_that_all_wait_for_one_batch_do_not_end_up_in_step() -> None:
    queue = Queue()
    callers = 4 * UNDIVIDED_LINES_MAX
    for _ in range(callers):
        queue.put(ASKED)
    answered = await queue.next_batch()
    for _ in range(5):
        batch = await queue.next_batch()
        assert (len(batch), queue.lines) == (callers // 2, 0)
        for _ in answered:
            queue.put(ASKED)
        answered = batch


async def test_few_are_not_divided_and_a_flood_is_taken_by_the_largest_batch() -> None:
    queue = Queue()
    for waiting, taken in ((UNDIVIDED_LINES_MAX, UNDIVIDED_LINES_MAX), (3 * BATCH_LINES_MAX, BATCH_LINES_MAX)):
        for _ in range(waiting):
            queue.put(ASKED)
        assert len(await queue.next_batch()) == taken


async def test_who_was_left_behind_is_taken_next_though_nobody_comes_after() -> None:
    queue = Queue()
    waiting = [queue.put(ASKED) for _ in range(4 * UNDIVIDED_LINES_MAX)]
    taken = []
    while queue.lines:
        taken += await queue.next_batch()
    assert taken == waiting
