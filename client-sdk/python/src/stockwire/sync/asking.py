"""An application's blocking function, asked from an event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future

from stockwire.sync.loop_thread import on_daemon_thread


class Asking:
    """Calls ``function`` on a thread of its own, one at a time.

    One that hangs costs one thread, however often it is asked again: the next one waits for the same answer.
    """

    def __init__(self, function: Callable[[], str], name: str) -> None:
        self._function = function
        self._name = name
        self._answer: Future[str] | None = None

    async def __call__(self) -> str:
        if self._answer is None or self._answer.done():
            self._answer = on_daemon_thread(self._function, self._name)
        return await asyncio.wrap_future(self._answer)
