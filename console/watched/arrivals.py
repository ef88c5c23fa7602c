"""How long changes took from their commit until they were here, from a hub. Pure: times are handed in."""

from collections import deque

from console.watched.percentiles import percentile

WINDOW_S = 60.0
SAMPLES_MAX = 20_000
"""Beyond it the window is shorter: at 1,000 changes a second the last 20 s, which say as much."""


class Arrivals:
    def __init__(self) -> None:
        self._samples: deque[tuple[float, float]] = deque(maxlen=SAMPLES_MAX)

    def arrived(self, committed_s: float, now: float) -> None:
        """Unix times; the first one was read on the database's machine."""
        self._samples.append((now, (now - committed_s) * 1_000))

    def figures(self, now: float) -> tuple[float | None, float | None, int]:
        """p50 and p99 in ms, and of how many changes."""
        while self._samples and self._samples[0][0] < now - WINDOW_S:
            self._samples.popleft()
        ordered = sorted(latency_ms for _, latency_ms in self._samples)
        return percentile(ordered, 0.50), percentile(ordered, 0.99), len(ordered)
