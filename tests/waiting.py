"""Waiting for the state of something outside of this process, where no event can be awaited."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
POLL_S = 0.02


async def wait_until(
    condition: Callable[[], Awaitable[T]],
    deadline_s: float = 10.0,
    *,
    what: str = "",
    swallow: type[Exception] = OSError,
) -> T:
    """Poll ``condition`` until it returns something true, and return that.

    Errors of type ``swallow`` count as "not yet". Raises AssertionError with the last value or error at the deadline;
    a call that hangs is cut off there too.
    """
    end = time.monotonic() + deadline_s
    last: object = None
    while (left := end - time.monotonic()) > 0:
        try:
            value = await asyncio.wait_for(condition(), left)
            if value:
                return value
            last = value
        except TimeoutError:
            last = "no answer"
        except swallow as error:
            last = error
        await asyncio.sleep(POLL_S)
    raise AssertionError(f"not within {deadline_s} s: {what or condition}; last: {last!r}")
