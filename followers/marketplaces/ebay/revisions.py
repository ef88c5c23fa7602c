"""How often a listing may still be changed today: eBay revises each 250 times a calendar day, then not until the next.

https://developer.ebay.com/api-docs/sell/inventory/resources/inventory_item/methods/bulkUpdatePriceQuantity. Pure.
"""

from collections import Counter
from datetime import datetime, timedelta, timezone

A_DAY = 250
FOR_ZEROS = 50
"""Only what shall not be sold any more may take these."""
AT_ONCE = 100
"""So many without a pause; what is left is spread over what is left of the day, so that the evening has some too."""
PACIFIC = timezone(timedelta(hours=-8))
"""eBay's days. In summer they begin an hour earlier, which we notice late: FOR_ZEROS is larger than that costs."""


class Revisions:
    """Of one account, as far as this process knows: it forgets the day before."""

    def __init__(self) -> None:
        self._day = ""
        self._taken: Counter[str] = Counter()
        self._last: dict[str, datetime] = {}

    def taken(self, remote: str) -> int:
        return self._taken[remote]

    def take(self, remote: str, now: datetime) -> None:
        self._turn(now)
        self._taken[remote] += 1
        self._last[remote] = now

    def wait_s(self, remote: str, now: datetime, *, urgent: bool) -> float:
        """0: it may be revised now. ``urgent``: to 0."""
        self._turn(now)
        taken = self._taken[remote]
        if urgent:
            return 0.0 if taken < A_DAY else left_s(now)
        if taken < AT_ONCE:
            return 0.0
        if taken >= A_DAY - FOR_ZEROS:
            return left_s(now)
        pause_s = left_s(now) / (A_DAY - FOR_ZEROS - taken)
        return max(0.0, pause_s - (now - self._last[remote]).total_seconds())

    def _turn(self, now: datetime) -> None:
        day = now.astimezone(PACIFIC).date().isoformat()
        if day != self._day:
            self._day = day
            self._taken.clear()
            self._last.clear()


def left_s(now: datetime) -> float:
    """Of the day, at least a second."""
    here = now.astimezone(PACIFIC)
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return max(1.0, (midnight - here).total_seconds())
