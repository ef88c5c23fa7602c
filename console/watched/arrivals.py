"""How long changes took from their commit until they were here, from a hub. Pure: times are handed in."""

import math
from collections import deque
from collections.abc import Sequence

from console.watched.percentiles import percentile

WINDOW_S = 60.0
SAMPLES_MAX = 20_000
"""Beyond it the window is shorter: at 1,000 changes a second the last 20 s, which say as much."""

CLOCKS_DIFFER_S_MAX = 1.0
"""Even the quickest change was here so late, or so early: no network is, so it is the clocks. Below it nobody can tell
one from the other."""

SAMPLES_MIN = 5
"""A few may have been held up together."""
LOOK_EVERY_S = 1.0
"""All samples are looked at: not for every figure that goes by the clocks."""


class Arrivals:
    def __init__(self) -> None:
        self._samples: deque[tuple[float, float]] = deque(maxlen=SAMPLES_MAX)
        self._looked_s = -math.inf
        self._differ_s: float | None = None

    def arrived(self, committed_s: float, now: float) -> None:
        """Unix times; the first one was read on the database's machine."""
        self._samples.append((now, (now - committed_s) * 1_000))

    def figures(self, now: float) -> tuple[float | None, float | None, int]:
        """p50 and p99 in ms, and of how many changes. None where the clocks differ: then they are no latencies."""
        ordered = self._ordered(now)
        if _clocks_differ_s(ordered) is not None:
            return None, None, len(ordered)
        return percentile(ordered, 0.50), percentile(ordered, 0.99), len(ordered)

    def clocks_differ_s(self, now: float) -> float | None:
        """By how much the database's clock is behind the console's, negative: ahead; None: by nothing that matters."""
        if abs(now - self._looked_s) >= LOOK_EVERY_S:
            self._looked_s, self._differ_s = now, _clocks_differ_s(self._ordered(now))
        return self._differ_s

    def _ordered(self, now: float) -> list[float]:
        while self._samples and self._samples[0][0] < now - WINDOW_S:
            self._samples.popleft()
        return sorted(latency_ms for _, latency_ms in self._samples)


def _clocks_differ_s(ordered: Sequence[float]) -> float | None:
    quickest_s = ordered[0] / 1_000 if len(ordered) >= SAMPLES_MIN else 0.0
    return quickest_s if abs(quickest_s) > CLOCKS_DIFFER_S_MAX else None
