"""When to flush: once per loop tick in which something came in, however much it was."""

import asyncio
from collections.abc import Callable

from hub.fanout.fanout import Fanout


class Ticker:
    """``schedule_flush`` after whatever may have changed the fan-out; safe to call any number of times.

    ``flushed`` is called after each flush, to let the loader see what is missing; ``took`` with how long it was since
    the first thing came in.
    """

    def __init__(
        self,
        fanout: Callable[[], Fanout | None],
        flushed: Callable[[], None],
        took: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self._fanout = fanout
        self._flushed = flushed
        self._took = took
        self._scheduled = False
        self._since = 0.0
        self._loop = asyncio.get_running_loop()

    def schedule_flush(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._since = self._loop.time()
            self._loop.call_soon(self._tick)

    def flush_now(self) -> None:
        """For heartbeats, which promise what was flushed."""
        fanout = self._fanout()
        if fanout is not None and fanout.delivery.flush():
            self.schedule_flush()

    def _tick(self) -> None:
        self._scheduled = False
        since = self._since
        self.flush_now()
        self._took(self._loop.time() - since)
        self._flushed()
