"""The operations that wait for one writer: bounded in number and in age, taken a batch at a time."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

from ledger.commit.operation import Operation
from ledger.commit.pending import Pending
from server.problems import Overloaded

BATCH_LINES_MAX = 1000
"""Lines in one statement. Beyond some hundreds a batch only gets slower; one operation may have this many by itself."""

UNDIVIDED_LINES_MAX = 64
"""So many are taken at once, however many are at work: for fewer, what a commit costs by itself outweighs the wait."""

QUEUE_LINES_MAX = 20_000
"""Lines that may wait for one writer: about a second of work. More is refused with 503."""

QUEUE_AGE_MAX_S = 10.0
"""Nobody waits longer than this for a batch to begin."""


async def _at_once() -> None:
    pass


class Queue:
    """``lines``: of all operations in it. Operations leave in the order in which they came."""

    def __init__(self) -> None:
        self.lines = 0
        self._taken_lines = 0
        self._waiting: deque[Pending] = deque()
        self._arrived = asyncio.Event()
        self._stopping = False

    def put(self, operation: Operation) -> Pending:
        """Raises Overloaded when the queue is full or was stopped."""
        if self._stopping:
            raise Overloaded("the ledger is stopping: another one takes the same request")
        if self.lines + operation.size > QUEUE_LINES_MAX:
            raise Overloaded("the commit queue is full", queued_lines=self.lines)
        pending = Pending(operation, time.monotonic())
        self._waiting.append(pending)
        self.lines += operation.size
        self._arrived.set()
        return pending

    def stop(self) -> None:
        """Take nothing more; what waits is still handed out. Safe twice."""
        self._stopping = True
        self._arrived.set()

    async def next_batch(self, turn: Callable[[], Awaitable[None]] = _at_once) -> list[Pending]:
        """Waits for an operation, then for ``turn``, and takes as many as make a batch.

        Empty: the queue was stopped and has nothing.
        """
        while True:
            await self._arrived.wait()
            await turn()
            batch = self._take(time.monotonic())
            if batch or self._stopping:
                return batch

    def _take(self, now: float) -> list[Pending]:
        batch: list[Pending] = []
        lines, lines_max = 0, self._lines_max()
        while self._waiting and (not batch or lines + self._waiting[0].operation.size <= lines_max):
            pending = self._waiting.popleft()
            self.lines -= pending.operation.size
            if now - pending.arrived > QUEUE_AGE_MAX_S:
                pending.fail(Overloaded("waited too long for its turn", waited_s=QUEUE_AGE_MAX_S))
                continue
            batch.append(pending)
            lines += pending.operation.size
        self._taken_lines = lines
        if not self._waiting and not self._stopping:
            self._arrived.clear()
        return batch

    def _lines_max(self) -> int:
        """Half of what is at work: what waits, and the batch before, whose callers come back with more.

        A batch of all of them would leave this process nothing to do while it commits, and then the database nothing
        while all are answered and ask again.
        """
        at_work = self.lines + self._taken_lines
        return min(max(at_work // 2, UNDIVIDED_LINES_MAX), BATCH_LINES_MAX)
