"""The bucket of one app at one shop: what a query may cost is taken before it runs, what it did not is given back."""

import time
from dataclasses import dataclass, field

SIZE = 2_000
PER_S = 100
"""Of the standard plan."""


@dataclass(slots=True)
class Bucket:
    """``pace``: it refills so many times as fast."""

    pace: float = 1.0
    _points: float = SIZE
    _at: float = field(default_factory=time.monotonic)

    def take(self, points: int) -> bool:
        """Whether there was as much."""
        if points > self._available():
            return False
        self._points -= points
        return True

    def give_back(self, points: int) -> None:
        self._points = min(SIZE, self._available() + points)

    def status(self) -> dict[str, object]:
        return {
            "maximumAvailable": float(SIZE),
            "currentlyAvailable": int(self._available()),
            "restoreRate": PER_S * self.pace,
        }

    def _available(self) -> float:
        now = time.monotonic()
        self._points = min(SIZE, self._points + (now - self._at) * PER_S * self.pace)
        self._at = now
        return self._points
