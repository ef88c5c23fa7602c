"""Token buckets: what a channel lets us ask, as far as we know; its answers know better. Pure: the clock is given."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from followers.marketplaces.terms import Quota

EMPTY_S_MAX = 2 * 86_400.0
"""However long a channel says: the quota of a day, and a day more."""
PER_S_MIN, PER_S_MAX = 1e-5, 1e9
"""What a channel may say of how fast tokens come back: one a day, and some; anything else it cannot mean."""
SPARE = 0.5
"""Of the burst: what reads of all listings leave to pushes. A push is a few requests for many listings."""


class Bucket:
    """One quota. Full at the start. ``clock``: in seconds, never goes back."""

    def __init__(self, quota: Quota, clock: Callable[[], float]) -> None:
        self._quota = quota
        self._clock = clock
        self._burst = self._tokens = quota.burst
        self._per_s = quota.per_s
        self._at_s = clock()
        self._closed_until_s = self._at_s
        self._under_way = 0.0
        self._wanted = 0.0

    @property
    def tokens(self) -> float:
        """Left now; below 0 if the channel counts more than we did."""
        self._fill()
        return self._tokens

    def take(self, cost: float, *, urgent: bool = False, spare: bool = False) -> float:
        """0 if ``cost`` was taken, which ``answered`` ends; else nothing was, and the result is in how many seconds it
        can be, if nobody else takes any.

        What is not urgent leaves the kept share alone, and what can be spared half of all. What costs more than there
        ever is goes when the bucket is full.
        """
        self._fill()
        if self._closed_until_s > self._at_s:
            return self._closed_until_s - self._at_s
        share = max(SPARE, self._quota.kept) if spare else self._quota.kept
        kept = 0.0 if urgent else max(self._burst * share, self._wanted)
        needed = min(cost + kept, self._burst)
        if self._tokens < needed:
            return (needed - self._tokens) / self._per_s
        self._tokens -= cost
        self._under_way += cost
        return 0.0

    @contextmanager
    def wanted(self, cost: float) -> Iterator[None]:
        """Somebody urgent waits for so much: meanwhile others leave it alone, or they would take what comes back before
        it ever is enough."""
        self._wanted = cost
        try:
            yield
        finally:
            self._wanted = 0.0

    def answered(self, cost: float) -> None:
        """What was asked at this cost is answered, or never will be."""
        self._under_way = max(0.0, self._under_way - cost)

    def fed(self, tokens: float, per_s: float | None = None) -> None:
        """The channel says that so many are left, and how fast they come back; what is under way may not be counted
        yet. More than the burst that we knew is a larger bucket."""
        self._fill()
        self._burst = max(self._burst, tokens)
        self._tokens = tokens - self._under_way
        if per_s is not None and PER_S_MIN <= per_s <= PER_S_MAX:
            self._per_s = per_s

    def refills_at(self, per_s: float | None) -> None:
        """The channel says how fast tokens come back, and not how many are left; None: it says nothing."""
        self._fill()
        if per_s is not None and PER_S_MIN <= per_s <= PER_S_MAX:
            self._per_s = per_s

    @property
    def refill_s(self) -> float:
        """Until one more token is there."""
        return 1 / self._per_s

    def empty_for(self, seconds: float) -> None:
        """The channel says that nothing may be asked before, urgent or not."""
        self._fill()
        self._tokens = min(self._tokens, 0.0)
        self._closed_until_s = max(self._closed_until_s, self._at_s + min(seconds, EMPTY_S_MAX))

    def _fill(self) -> None:
        now_s = self._clock()
        self._tokens = min(self._burst, self._tokens + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
