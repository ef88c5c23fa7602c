"""How many calls a day each API takes (https://developer.ebay.com/develop/get-started/api-call-limits)."""

import time
from collections import Counter
from dataclasses import dataclass

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Pool:
    """``context``, ``api``, ``resource``: as getRateLimits names it."""

    context: str
    api: str
    resource: str
    a_day: int


POOLS = {
    "inventory": Pool("sell", "Inventory", "sell.inventory", 2_000_000),
    "order": Pool("sell", "Fulfillment", "sell.fulfillment", 100_000),
    "notification": Pool("commerce", "Notification", "commerce.notification", 10_000),
    "analytics": Pool("developer", "Analytics", "developer.analytics", 5_000),
    "refresh_token": Pool("identity", "OAuth", "oauth.refresh_token", 50_000),
    "client_credentials": Pool("identity", "OAuth", "oauth.client_credentials", 1_000),
}


class Calls:
    """``pace``: days are so many times as short; ``fewer``: quotas so many times as small. The ratios stay."""

    def __init__(self, pace: float, fewer: int) -> None:
        self.day_s = DAY_S / pace
        self._fewer = fewer
        self._start = time.monotonic()
        self._day = 0
        self._taken: Counter[str] = Counter()

    @property
    def day(self) -> int:
        """Since this server started, from 0 on."""
        return int((time.monotonic() - self._start) // self.day_s)

    @property
    def left_s(self) -> float:
        """Of the day."""
        return self.day_s - (time.monotonic() - self._start) % self.day_s

    def limit(self, pool: str) -> int:
        return max(1, POOLS[pool].a_day // self._fewer)

    def remaining(self, pool: str) -> int:
        if self.day != self._day:
            self._day = self.day
            self._taken.clear()
        return max(0, self.limit(pool) - self._taken[pool])

    def take(self, pool: str) -> bool:
        """False: there is none left today."""
        if not self.remaining(pool):
            return False
        self._taken[pool] += 1
        return True
