"""A thread with an event loop of its own, for work on asyncio inside a program without it."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

START_TIMEOUT_S = 10.0
"""Far above what a new thread needs on a machine that still works."""

P = ParamSpec("P")
T = TypeVar("T")


class LoopThread:
    """Runs one coroutine. ``ended`` is called on the thread at its end: with None when it was stopped, else the error.

    A daemon: it keeps no process alive. Start it once.
    """

    def __init__(
        self,
        work: Callable[[], Coroutine[Any, Any, None]],
        name: str,
        ended: Callable[[BaseException | None], None],
    ) -> None:
        self._work = work
        self._ended = ended
        self._task: Future[asyncio.Task[None]] = Future()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Returns once the coroutine runs. Raises what keeps an event loop from starting."""
        self._thread.start()
        self._task.result(START_TIMEOUT_S)

    def stop(self, timeout_s: float) -> None:
        """Cancels the coroutine and waits for its end, not longer than ``timeout_s``. Safe twice, and at its end."""
        if not self._task.done() or self._task.exception() is not None:
            return  # it never ran
        task = self._task.result()
        with contextlib.suppress(RuntimeError):  # the loop has been closed meanwhile: nothing is left to stop
            task.get_loop().call_soon_threadsafe(task.cancel)
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except asyncio.CancelledError:
            self._ended(None)
        except BaseException as error:  # noqa: BLE001 - handed to whoever reads; nobody sees what a thread raises
            if not self._task.done():
                self._task.set_exception(error)
            self._ended(error)
        else:
            self._ended(None)

    async def _main(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.get_loop().set_default_executor(DaemonThreads())
        self._task.set_result(task)
        await self._work()


class DaemonThreads(ThreadPoolExecutor):
    """A daemon thread for each call, for the look-ups of names that asyncio leaves to an executor.

    Python's own executor refuses work as soon as the main thread has ended, though other threads of the program may go
    on, and holds up the exit until the last look-up has answered. Look-ups are few, and bounded by the system.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        return on_daemon_thread(lambda: fn(*args, **kwargs), "stockwire look-up")


def on_daemon_thread(function: Callable[[], T], name: str) -> Future[T]:
    """What it returns or raises. Cannot be cancelled: who gives up leaves the thread to its end."""
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            future.set_result(function())
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            future.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future
