"""An event loop under a virtual clock: nothing waits, so an hour passes in the time that its work takes.

It runs what the product's shells are made of (tasks, sleeps, timeouts, events) and does no I/O. Callbacks run in the
order of their times, then of their making, so the same seed gives the same run. What a callback raises leaves
``run_for``: nothing is only logged. No context is entered: nobody here has context variables.
"""

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from heapq import heappop, heappush
from typing import Any, ParamSpec, TypeVar

from tests.simulation.chance import seeded

P = ParamSpec("P")
T = TypeVar("T")

BEGINS_S = 1_000.0
TURN_S = 0.001
"""A turn of a real loop takes time too, so what needs several of them can be met by a timer in between."""
LASTS_S_MAX = 7 * 24 * 3600.0
"""Of a test on the virtual clock: longer than everything that the product waits for."""
STEP_S = 1.0
SEED = 1


class Timer:
    """What asyncio asks of a handle."""

    __slots__ = ("_cancelled", "_when", "arguments", "callback")

    def __init__(self, callback: Callable[..., object], arguments: tuple[Any, ...], when: float) -> None:
        self.callback = callback
        self.arguments = arguments
        self._when = when
        self._cancelled = False

    def when(self) -> float:
        return self._when

    def cancel(self) -> None:
        self._cancelled = True

    def cancelled(self) -> bool:
        return self._cancelled


class VirtualLoop(asyncio.AbstractEventLoop):
    """Driven from outside: ``run_for`` lets that much time pass."""

    def __init__(self) -> None:
        self._now = BEGINS_S
        self._ready: deque[Timer] = deque()
        self._timers: list[tuple[float, int, Timer]] = []
        self._made = 0

    def run_for(self, seconds: float) -> None:
        ends = self._now + seconds
        ready, timers = self._ready, self._timers
        while self._now <= ends:
            if ready:
                self._turn()
                self._now += TURN_S
            elif not timers or timers[0][0] > ends:
                break
            elif timers[0][0] > self._now:
                self._now = timers[0][0]
            while timers and timers[0][0] <= self._now:
                ready.append(heappop(timers)[2])
        self._now = max(self._now, ends)

    def finish(self) -> None:
        """Forget every timer and let what is ready run to its end: tasks that were cancelled.

        What they raise now comes from how the run has ended.
        """
        while self._ready or self._timers:
            self._timers.clear()
            with suppress(Exception):
                self._turn()

    def _turn(self) -> None:
        """What is ready now; what becomes ready by it has its turn next."""
        ready = self._ready
        for _ in range(len(ready)):
            timer = ready.popleft()
            if not timer.cancelled():
                timer.callback(*timer.arguments)

    @contextmanager
    def running(self) -> Iterator[None]:
        """As the running loop of this thread, which is where asyncio looks for it."""
        asyncio.events._set_running_loop(self)
        try:
            yield
        finally:
            asyncio.events._set_running_loop(None)

    # what asyncio calls

    def time(self) -> float:
        return self._now

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def call_soon(  # type: ignore[override]  # a Timer serves as a Handle
        self, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> Timer:
        timer = Timer(callback, args, self._now)
        self._ready.append(timer)
        return timer

    def call_at(  # type: ignore[override]  # a Timer serves as a TimerHandle
        self, when: float, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> Timer:
        timer = Timer(callback, args, when)
        self._made += 1
        heappush(self._timers, (when, self._made, timer))
        return timer

    def call_later(  # type: ignore[override]  # as above
        self, delay: float, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> Timer:
        return self.call_at(self._now + delay, callback, *args)

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override]  # the coroutines here are no generators
        self, coro: Coroutine[Any, Any, T], *, name: str | None = None, context: contextvars.Context | None = None
    ) -> asyncio.Task[T]:
        return asyncio.Task(coro, loop=self, name=name, context=context)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        raise RuntimeError(context["message"]) from context.get("exception")


def on_virtual_clock(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Runs an asynchronous test in a virtual loop: it judges times to the millisecond, however slow the machine is.

    What the product draws by chance is the same in every run. What the test leaves running is cancelled. No sockets,
    files or threads: nothing here waits for them.
    """

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        loop = VirtualLoop()  # type: ignore[abstract]  # it has what is called here
        with loop.running(), seeded(SEED):
            task = loop.create_task(test(*args, **kwargs))
            try:
                while not task.done():
                    assert loop.time() < BEGINS_S + LASTS_S_MAX, "the test waits for what never comes"
                    loop.run_for(STEP_S)
            finally:
                for left in asyncio.all_tasks(loop):
                    left.cancel()
                loop.finish()
            task.result()

    return run
