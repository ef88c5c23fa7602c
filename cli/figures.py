"""The measured figures of `stockwire up`: what a real client saw through a hub, what the processes count. Pure.

Nothing is shown that was not measured: a figure without a measurement is a dash.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cli.terminal.screen import PARTED_BY

WINDOW_S = 10.0  # figures are of the last this many seconds
SAMPLES_MAX = 50_000


@dataclass(frozen=True, slots=True)
class Figures:
    """Rates per second, latencies in ms from commit to client, counts since the processes started; None: not known."""

    changes_per_s: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    clients: int | None = None
    conflicts: int | None = None
    refused: int | None = None
    oversold: int | None = None

    def line(self) -> str:
        """What matters most comes first: a narrow screen shows as many as fit."""
        return PARTED_BY.join(
            (
                f"oversold {_shown(self.oversold)}",
                f"{_shown(self.changes_per_s)} changes/s",
                f"commit to client p50 {_shown(self.p50_ms, 1)} ms",
                f"p99 {_shown(self.p99_ms, 1)} ms",
                f"clients {_shown(self.clients)}",
                f"refused {_shown(self.refused)}",
                f"conflicts {_shown(self.conflicts)}",
            )
        )


def _shown(value: float | None, digits: int = 0) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"


class Arrivals:
    """Level changes as one client received them. Times are Unix times in seconds, read on the committing machine."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, float, int]] = deque(maxlen=SAMPLES_MAX)
        self._versions: dict[str, int] = {}

    def known(self, levels: Iterable[tuple[str, int]]) -> None:
        """Versions from a snapshot: what happened before it was not seen happening."""
        self._versions.update(levels)

    def changed(self, sku: str, version: int, committed_at: datetime | None, now: float) -> None:
        """Counts every version since the one known, since the latest value may stand for several changes."""
        changes = version - self._versions.get(sku, 0)
        self._versions[sku] = version
        if changes > 0 and committed_at is not None:
            self._samples.append((now, (now - committed_at.timestamp()) * 1000, changes))

    def figures(self, now: float, watched_s: float) -> tuple[float | None, float | None, float | None]:
        """Changes per second, p50 and p99 over the last WINDOW_S, or over ``watched_s`` if that is shorter."""
        while self._samples and self._samples[0][0] < now - WINDOW_S:
            self._samples.popleft()
        if watched_s <= 0:
            return None, None, None
        rate = sum(changes for _, _, changes in self._samples) / min(WINDOW_S, watched_s)
        latencies = sorted(latency for _, latency, _ in self._samples)
        return rate, percentile(latencies, 0.50), percentile(latencies, 0.99)


def percentile(ordered: list[float], part: float) -> float | None:
    """Nearest rank."""
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else None
