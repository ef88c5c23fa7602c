"""Waiting for the state of something outside of this process, where no event can be awaited."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE_S = 60.0
"""For whatever has to happen at all: a server is ready or gone, a message is there, a program has ended. Nothing of
ours takes so long on a quiet machine (a hub may take 15 s to drain), and a busy one is several times slower. It judges
nothing: what the product promises to do within some time has a name and a figure of its own."""
POLL_S = 0.02
LAST_TRY_S = 1.0


async def wait_until(
    condition: Callable[[], Awaitable[T]],
    deadline_s: float = PATIENCE_S,
    *,
    what: str = "",
    swallow: type[Exception] = OSError,
) -> T:
    """Poll ``condition`` until it returns something true, and return that.

    Errors of type ``swallow`` count as "not yet". Raises AssertionError with the last value or error at the deadline;
    a call that hangs is cut off soon after. The last try begins after the deadline: this process may have stood still.
    """
    end = time.monotonic() + deadline_s
    last: object = None
    while True:
        left = end - time.monotonic()
        try:
            value = await asyncio.wait_for(condition(), max(left, LAST_TRY_S))
            if value:
                return value
            last = value
        except TimeoutError:
            last = "no answer"
        except swallow as error:
            last = error
        if left <= 0:
            break
        await asyncio.sleep(POLL_S)
    raise AssertionError(f"not within {deadline_s} s: {what or condition}; last: {last!r}")
