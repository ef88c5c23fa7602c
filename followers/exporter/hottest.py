"""How fast skus sell, over the last minute and all locations, and which sell fastest. Pure: times are handed in.

As the console has it of levels (docs/how-to/console.md): sold is what left for good; for how long it lasts is a
matter of what was taken from what can be sold, reservations too.
"""

from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

WINDOW_S = 60
STEP_S = 5
"""What is counted together."""
STEPS = WINDOW_S // STEP_S + 1
TRACKED_MAX = 5_000
"""The skus that sold last."""
LEAVES = frozenset(("sale", "fulfil"))
"""Kinds by which units leave for good."""
DEMAND = frozenset(("sale", "hold", "release", "commit", "fulfil"))
"""Kinds by which customers take what can be sold, or give it back."""

Event = Mapping[str, Any]


@dataclass(slots=True)
class Pace:
    """``steps``: (step, units sold, units taken), of steps in which something was."""

    steps: deque[tuple[int, int, int]] = field(default_factory=lambda: deque(maxlen=STEPS))

    def count(self, step: int, sold: int, taken: int) -> None:
        """What comes a step late is counted in the newest."""
        if self.steps and self.steps[-1][0] >= step:
            last, sold_then, taken_then = self.steps[-1]
            self.steps[-1] = last, sold_then + sold, taken_then + taken
        else:
            self.steps.append((step, sold, taken))

    def since(self, step: int) -> tuple[int, int]:
        """Units sold and taken."""
        counted = [(sold, taken) for at, sold, taken in self.steps if at >= step]
        return sum(sold for sold, _ in counted), sum(taken for _, taken in counted)


class Hottest:
    """``since_s``: from when on all events are known."""

    def __init__(self, since_s: float) -> None:
        self.since_s = since_s
        self._paces: OrderedDict[str, Pace] = OrderedDict()

    def count(self, event: Event, committed_s: float) -> None:
        """``event``: of one of the kinds of ``DEMAND``."""
        if committed_s < self.since_s:
            return
        sku, gone = event["sku"], -event["on_hand_delta"]
        pace = self._paces.get(sku)
        if pace is None:
            pace = self._paces[sku] = Pace()
            if len(self._paces) > TRACKED_MAX:
                self._paces.popitem(last=False)
        else:
            self._paces.move_to_end(sku)
        sold = gone if event["kind"] in LEAVES and gone > 0 else 0
        pace.count(int(committed_s) // STEP_S, sold, gone + event["reserved_delta"])

    def per_s(self, sku: str, now_s: float) -> tuple[float, float]:
        """Units sold and units taken a second, over the last minute, or for as long as events are known."""
        pace = self._paces.get(sku)
        if pace is None:
            return 0.0, 0.0
        step = int(max(self.since_s, now_s - WINDOW_S)) // STEP_S
        span_s = max(1.0, now_s - max(self.since_s, float(step * STEP_S)))
        sold, taken = pace.since(step)
        return sold / span_s, taken / span_s

    def names(self, most: int, now_s: float) -> list[str]:
        """Those that sell, or are taken, fastest; none that stands still."""
        rates = {sku: max(self.per_s(sku, now_s)) for sku in self._paces}
        moving = [sku for sku, rate in rates.items() if rate > 0]
        return sorted(moving, key=lambda sku: (-rates[sku], sku))[:most]


def minutes_left(available: int, taken_per_s: float) -> float | None:
    """Until nothing is left at this pace. None if nobody knows: nothing is taken.

    >>> minutes_left(12, 0.5), minutes_left(0, 0.0), minutes_left(5, 0.0)
    (0.4, 0.0, None)
    """
    if available <= 0:
        return 0.0
    return available / taken_per_s / 60 if taken_per_s > 0 else None
