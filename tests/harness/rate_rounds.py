"""How many requests a rate limit takes from callers that send without a pause."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

ROUND_S = 4.0
ROUNDS_MAX = 3
SHARE_MIN = 0.8


async def taken_at(
    per_second: float, failed: Callable[[], Awaitable[float]], *calls: Callable[[], Awaitable[bool]]
) -> tuple[int, float]:
    """How many of ``calls`` were taken, each made again and again, and how many seconds that took.

    ``failed``: the leases that Redis has not answered for. A round with one of those is repeated, since the limit was
    local for a while; so is one that took less than ``SHARE_MIN`` of the rate, since the machine may have stood still.
    """
    for _ in range(ROUNDS_MAX):
        before = await failed()
        taken, seconds = await _round(calls)
        if taken >= SHARE_MIN * per_second * seconds and await failed() == before:
            break
    return taken, seconds


async def _round(calls: Sequence[Callable[[], Awaitable[bool]]]) -> tuple[int, float]:
    started = time.monotonic()

    async def repeat(call: Callable[[], Awaitable[bool]]) -> int:
        taken = 0
        while time.monotonic() - started < ROUND_S:
            taken += await call()
        return taken

    counts = await asyncio.gather(*(repeat(call) for call in calls))
    return sum(counts), time.monotonic() - started
