"""Usage plans: a token bucket for each operation, and one for feeds of listings beside it."""

import time
from collections.abc import Callable

PLANS = {
    "searchListingsItems": (5.0, 5),
    "getListingsItem": (5.0, 5),
    "patchListingsItem": (5.0, 5),
    "createFeedDocument": (0.5, 15),
    "createFeed": (0.0083, 15),
    "getFeeds": (0.0222, 10),
    "getFeed": (2.0, 15),
    "cancelFeed": (2.0, 15),
    "getFeedDocument": (0.0222, 10),
    "searchOrders": (0.0056, 20),
    "getOrder": (0.5, 30),
    "createDestination": (1.0, 5),
    "getDestinations": (1.0, 5),
    "deleteDestination": (1.0, 5),
    "createSubscription": (1.0, 5),
    "getSubscription": (1.0, 5),
    "deleteSubscriptionById": (1.0, 5),
}
"""Requests per second, and burst, of an account and application. Where pages differ (getListingsItem) the less."""
LISTINGS_FEEDS = (5 / 300, 5)


class Buckets:
    """``pace``: they refill so many times as fast."""

    def __init__(self, pace: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._pace = pace
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}
        """Tokens by bucket, and when they were counted."""

    def take(self, name: str, plan: tuple[float, int] | None = None) -> bool:
        """Whether there was a token. ``plan``: of a bucket that is no operation's."""
        per_s, burst = plan or PLANS[name]
        now = self._clock()
        left, counted = self._left.get(name, (float(burst), now))
        left = min(float(burst), left + (now - counted) * per_s * self._pace)
        self._left[name] = (left - (left >= 1), now)
        return left >= 1
