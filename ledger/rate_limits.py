"""How many requests an owner may send: a token bucket for each, local to this process."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from ledger.errors import RateLimited

OWNERS_MAX = 10_000
"""Buckets remembered; the one unused for longest goes first, and is full again should its owner come back."""
BURST_S = 2.0
"""An owner that was quiet may send this many seconds' worth at once."""


class RateLimits:
    """``per_second`` requests for each owner on average; 0 turns the limit off."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._burst = max(1.0, per_second * BURST_S)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, owner: str) -> None:
        """Raises RateLimited."""
        if not self._per_second:
            return
        now = self._clock()
        tokens, filled_at = self._buckets.pop(owner, (self._burst, now))
        tokens = min(self._burst, tokens + (now - filled_at) * self._per_second)
        allowed = tokens >= 1
        self._buckets[owner] = (tokens - 1 if allowed else tokens, now)
        if len(self._buckets) > OWNERS_MAX:
            self._buckets.popitem(last=False)
        if not allowed:
            raise RateLimited(
                f"{owner} may send {self._per_second:g} requests per second",
                math.ceil((1 - tokens) / self._per_second),
            )
