"""In which order skus are looked at: each is sorted once for all who look at the same. Pure: times are handed in.

Sorting 100,000 skus takes a tenth of a second, and viewers choose what they like. So the time that it may take is
bounded, however many look at however many orders: a quarter of it for those that are looked at, a quarter for new ones.
"""

from collections.abc import Callable
from dataclasses import dataclass

ORDERS_MAX = 32
"""That are kept, and so that can be looked at at once: a megabyte each for 100,000 skus."""
ORDER_S = 1.0
"""How old an order may be: numbers in rows are always the newest, their places follow once a second."""
SORT_S = 1e-6
"""What an order takes for each sku, some 0.1 s of 100,000."""
SORTING_SHARE_MAX = 0.25
"""Of the time, for orders that are looked at: where they are many, places follow later. As much again for new ones."""
BURST_S = 4.0
"""While nobody asked for a new one, the share of so long is saved up: ten orders of 100,000 skus come at once."""
LOOKED_AT_S = 2.0
"""Who looks asks four times a second."""

Wanted = tuple[str, str, bool, str]


class TooManyOrders(Exception):
    """As many as are kept are looked at."""


@dataclass(slots=True)
class Order:
    """``made_s``: when it was, ``asked_s``: when it was asked for last; monotonic."""

    made_s: float
    asked_s: float
    skus: list[str]


class Orders:
    def __init__(self) -> None:
        self._orders: dict[Wanted, Order] = {}
        self._next_new_s = 0.0
        """Monotonic: before it no new one may be sorted."""

    def __len__(self) -> int:
        return len(self._orders)

    def clear(self) -> None:
        self._orders.clear()

    def wait_s(self, wanted: Wanted, now: float) -> float:
        """Until it may be sorted; 0: now, or it is here. Raises TooManyOrders."""
        if wanted in self._orders:
            return 0.0
        if self._looked_at(now) >= ORDERS_MAX:
            raise TooManyOrders
        return max(0.0, self._next_new_s - now)

    def skus(self, wanted: Wanted, skus: int, sort: Callable[[], list[str]], now: float) -> list[str]:
        """As they were sorted a moment ago, or as ``sort`` gives them. ``skus``: how many it has to look at."""
        known = self._orders.get(wanted)
        sort_s = skus * SORT_S
        if known is not None:
            known.asked_s = now
            if known.made_s > now - max(ORDER_S, self._looked_at(now) * sort_s / SORTING_SHARE_MAX):
                return known.skus
        else:
            self._next_new_s = max(self._next_new_s, now - BURST_S) + sort_s / SORTING_SHARE_MAX
            if len(self._orders) >= ORDERS_MAX:
                del self._orders[min(self._orders, key=lambda one: self._orders[one].asked_s)]
        made = self._orders[wanted] = Order(now, now, sort())
        return made.skus

    def _looked_at(self, now: float) -> int:
        return sum(order.asked_s > now - LOOKED_AT_S for order in self._orders.values())
