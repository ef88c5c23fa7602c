"""How many requests a rate limit takes from callers that offer more."""

import asyncio
import time
from collections.abc import Awaitable, Callable

ROUND_S = 4.0
"""By then two processes that each count alone have taken more than both together may, with their overshoot."""
AGAIN_S = 0.01
"""After a refusal: still far more than any limit here allows."""


async def taken_at(*calls: Callable[[], Awaitable[bool]]) -> tuple[int, float]:
    """How many of ``calls`` were taken, each made again and again, also after refusals, and in how many seconds.

    The longer a machine stands still in between, the more the limit allows: who compares both judges no speed.
    """
    started = time.monotonic()

    async def repeat(call: Callable[[], Awaitable[bool]]) -> int:
        taken = refused = 0
        while not refused or time.monotonic() - started < ROUND_S:
            if await call():
                taken += 1
            else:
                refused += 1
                await asyncio.sleep(AGAIN_S)
        return taken

    counts = await asyncio.gather(*(repeat(call) for call in calls))
    return sum(counts), time.monotonic() - started
