"""How fast levels sell, over the last minute, and what there was of them. Pure: times are handed in."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field

from console.watched.events import Event, Key, available_before, key_of, sold_by, taken_by

WINDOW_S = 60
ON_SALE_S = 600.0
"""A level that sold nothing for so long is no longer on sale: long enough that one that is sold out stays in view."""
LEVELS_MAX = 5_000
"""The levels that moved last. What moves again after it was left out begins anew, with what there is then."""


@dataclass(slots=True)
class Pace:
    """``had``: the most that could be sold since ``had_s``. ``sold``: units since then. Times are Unix times."""

    had: int
    had_s: float
    sold: int = 0
    sold_s: float = 0.0
    seconds: deque[tuple[int, int, int]] = field(default_factory=lambda: deque(maxlen=WINDOW_S + 1))
    """(second, units sold, units taken), of seconds in which something was."""


class Paces:
    """``since_s``: from when on events are known; before, nothing was counted."""

    def __init__(self, since_s: float) -> None:
        self.since_s = since_s
        self._paces: OrderedDict[Key, Pace] = OrderedDict()

    def count(self, event: Event, committed_s: float) -> None:
        """What was committed before ``since_s`` is nothing of ours: the pace would be that of another time."""
        if committed_s < self.since_s:
            return
        key = key_of(event)
        pace = self._paces.get(key)
        if pace is None:
            pace = self._paces[key] = Pace(available_before(event), committed_s)
            if len(self._paces) > LEVELS_MAX:
                self._paces.popitem(last=False)
        self._paces.move_to_end(key)
        if event["available"] > pace.had:
            pace.had, pace.had_s = event["available"], committed_s
        sold, taken = sold_by(event), taken_by(event)
        if sold or taken > 0:
            pace.sold_s = max(pace.sold_s, committed_s)
        if sold or taken:
            pace.sold += sold
            second = int(committed_s)
            if pace.seconds and pace.seconds[-1][0] >= second:
                last, sold_then, taken_then = pace.seconds[-1]
                pace.seconds[-1] = last, sold_then + sold, taken_then + taken
            else:
                pace.seconds.append((second, sold, taken))

    def of(self, key: Key) -> Pace | None:
        return self._paces.get(key)

    def on_sale(self, now: float, location: str, most: int) -> list[Key]:
        """The levels that sold of late, the fastest first. ``location``: empty for all."""
        found = [
            (self.per_s(key, now)[0] or 0.0, pace.sold, key)
            for key, pace in self._paces.items()
            if pace.sold_s >= now - ON_SALE_S and location in ("", key[1])
        ]
        found.sort(key=lambda one: (-one[0], -one[1], one[2]))
        return [key for _, _, key in found[:most]]

    def per_s(self, key: Key, now: float) -> tuple[float | None, float | None]:
        """Units sold and units taken a second, over the last minute or for as long as events are known. None of a level
        that did not move: nothing is known of it."""
        pace = self._paces.get(key)
        if pace is None:
            return None, None
        begins_s = max(self.since_s, float(int(now) - WINDOW_S))  # at a whole second: so it was counted
        span_s = max(1.0, now - begins_s)
        counted = [(sold, taken) for second, sold, taken in pace.seconds if second >= int(begins_s)]
        return sum(sold for sold, _ in counted) / span_s, sum(taken for _, taken in counted) / span_s


def minutes_left(available: int, taken_per_s: float | None) -> float | None:
    """Until nothing is left at this pace. None if nobody knows: nothing is taken.

    >>> minutes_left(12, 0.5), minutes_left(0, None), minutes_left(5, -0.1)
    (0.4, 0.0, None)
    """
    if available <= 0:
        return 0.0
    return available / taken_per_s / 60 if taken_per_s and taken_per_s > 0 else None
