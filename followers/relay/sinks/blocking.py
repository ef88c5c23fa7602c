"""A client that blocks, in a thread of its own: one call after the other, each within a deadline.

A thread cannot be cancelled: whoever stops waiting says so by ``given_up``, which the call looks at before whatever
cannot be taken back.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from followers.relay.sink import SinkAway

CLOSE_S = 5.0
"""For the call at hand after ``close``; one that hangs longer ends by its own deadline."""

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class BlockingCalls:
    """``close`` to be called in the end, once."""

    def __init__(self, name: str) -> None:
        self.given_up = threading.Event()
        self._closing = False
        self._name = name
        self._executor = ThreadPoolExecutor(1, name)
        self._at_hand: asyncio.Future[Any] | None = None

    async def call(
        self, deadline_s: float, function: Callable[Arguments, Result], *args: Arguments.args, **named: Arguments.kwargs
    ) -> Result:
        """``deadline_s``: above what the function itself waits for. Raises SinkAway after it; no call follows then."""
        queued = self._executor.submit(self._run, lambda: function(*args, **named))
        running = asyncio.wrap_future(queued)
        running.add_done_callback(_taken_note_of)
        self._at_hand = running
        try:
            async with asyncio.timeout(deadline_s):
                return await asyncio.shield(running)
        except TimeoutError:
            self._give_up(queued)
            raise SinkAway(f"{self._name} does not answer within {deadline_s:g} s") from None
        except asyncio.CancelledError:
            self._give_up(queued)
            raise
        finally:  # an error that is kept there holds this frame and those of the call, and with them its client
            del queued, running

    async def close(self, last: Callable[[], object] | None = None) -> None:
        """``last``: a call that puts the client away."""
        self.given_up.set()
        self._closing = True
        if last is not None:
            self._at_hand = asyncio.get_running_loop().run_in_executor(self._executor, last)
            self._at_hand.add_done_callback(_taken_note_of)
        self._executor.shutdown(wait=False)
        if self._at_hand is not None:
            await asyncio.wait([self._at_hand], timeout=CLOSE_S)

    def _give_up(self, queued: "Future[Any]") -> None:
        """One that still waits for its turn is left out; one that runs looks at ``given_up``."""
        queued.cancel()
        self.given_up.set()

    def _run(self, function: Callable[[], Result]) -> Result:
        if self._closing:  # what still waited for its turn
            raise SinkAway(f"{self._name} is left")
        return function()


def _taken_note_of(running: "asyncio.Future[Any]") -> None:
    """Of one that nobody waits for any more: else asyncio says so in the log."""
    if not running.cancelled():
        running.exception()
