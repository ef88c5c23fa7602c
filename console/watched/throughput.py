"""Changes and sales a second, of the log. Pure: times are handed in."""

from collections import deque

from console.watched.events import Event, sold_by

WINDOW_S = 10
"""Short enough to follow a launch, long enough that a figure does not flicker."""


class Throughput:
    def __init__(self, since_s: float) -> None:
        self._since_s = since_s
        self._seconds: deque[tuple[int, int, int]] = deque(maxlen=WINDOW_S + 2)

    def count(self, event: Event, now: float) -> None:
        second, sold = int(now), sold_by(event)
        if self._seconds and self._seconds[-1][0] >= second:
            last, changes, sold_then = self._seconds[-1]
            self._seconds[-1] = last, changes + 1, sold_then + sold
        else:
            self._seconds.append((second, 1, sold))

    def per_s(self, now: float) -> tuple[float, float]:
        """Changes and units sold, as they were heard over the last WINDOW_S seconds and what has passed of this one."""
        begins_s = max(self._since_s, float(int(now) - WINDOW_S))
        span_s = max(1.0, now - begins_s)
        heard = [(changes, sold) for second, changes, sold in self._seconds if int(begins_s) <= second <= now]
        return sum(changes for changes, _ in heard) / span_s, sum(sold for _, sold in heard) / span_s
