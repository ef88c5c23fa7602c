"""An answer that is waited for only as long as one can come."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Answer = TypeVar("Answer")


class End:
    """Of a connection, which may be opened anew. Whoever waits for an answer of it is told at once."""

    def __init__(self) -> None:
        self._come = False
        self._waits: set[asyncio.Timeout] = set()

    def is_set(self) -> bool:
        return self._come

    def set(self) -> None:
        """In the loop of those who wait. Safe twice."""
        self._come = True
        for wait in self._waits:
            if not wait.expired():
                wait.reschedule(0)

    def clear(self) -> None:
        self._come = False

    def add(self, wait: asyncio.Timeout) -> None:
        self._waits.add(wait)

    def discard(self, wait: asyncio.Timeout) -> None:
        self._waits.discard(wait)


def heed_cancelling(task: asyncio.Task[Any], before: int) -> None:
    """``task``: the one that runs. ``before``: how often it had been cancelled before it called a library. Raises
    CancelledError where that has swallowed a cancellation since, as rstream does while it ends a task of its own: what
    is cancelled would go on for ever."""
    if task.cancelling() > before:
        raise asyncio.CancelledError


async def answered(asked: Coroutine[Any, Any, Answer], end: End, answer_s: float) -> Answer:
    """Raises ConnectionError as soon as the connection's ``end`` comes, or after ``answer_s``: brokers' clients go on
    waiting over a connection that has ended. Also where the client cancels what was asked, as some do: a cancellation
    is only ever that of whoever waits.

    It runs in the task that asks: a task of its own for each answer costs more than many an answer does.
    """
    task = asyncio.current_task()
    assert task is not None, "whoever waits is a task"
    cancelled_before = task.cancelling()
    wait = asyncio.timeout(0 if end.is_set() else answer_s)
    end.add(wait)
    try:
        async with wait:
            answer = await asked
        heed_cancelling(task, cancelled_before)
        return answer
    except TimeoutError as error:
        if not wait.expired():
            raise
        raise ConnectionError("the connection ended" if end.is_set() else f"no answer within {answer_s:g} s") from error
    except asyncio.CancelledError as error:
        if task.cancelling() > cancelled_before:
            raise
        raise ConnectionError("the client has given it up") from error
    finally:
        end.discard(wait)
