"""How old changes were when they arrived, over time: the longest of each slice, and a plot of it."""

import time
from dataclasses import dataclass, field
from math import log10
from pathlib import Path
from xml.sax.saxutils import escape

SLICE_S = 0.25
WIDTH, HEIGHT, LEFT, BOTTOM = 1_000, 320, 60, 60


@dataclass
class Lag:
    """``begun``: monotonic seconds. Lags in seconds, from commit to client, both read on this machine."""

    begun: float = field(default_factory=time.monotonic)
    slices: dict[int, float] = field(default_factory=dict)
    marks: list[tuple[float, float, str]] = field(default_factory=list)
    """From, until (seconds since ``begun``), and what was broken then."""

    def arrived(self, lag_s: float) -> None:
        place = int((time.monotonic() - self.begun) / SLICE_S)
        self.slices[place] = max(lag_s, self.slices.get(place, 0.0))

    def mark(self, since: float, until: float, name: str) -> None:
        """Monotonic seconds."""
        self.marks.append((since - self.begun, until - self.begun, name))

    def longest_s(self, since: float) -> float:
        """Of what arrived after ``since`` (monotonic seconds); 0 if nothing did."""
        first = int((since - self.begun) / SLICE_S)
        return max((lag for place, lag in self.slices.items() if place >= first), default=0.0)

    def plot(self, path: Path, title: str) -> None:
        """An SVG: lag in ms on a scale of powers of ten, faults as bands."""
        end_s = max([place * SLICE_S for place in self.slices] + [until for _, until, _ in self.marks] + [1.0])

        def x(at_s: float) -> float:
            return LEFT + at_s / end_s * (WIDTH - LEFT - 10)

        def y(lag_ms: float) -> float:
            return HEIGHT - BOTTOM - _decades(lag_ms) / 5 * (HEIGHT - BOTTOM - 30)

        bands = [
            f'<rect x="{x(since):.1f}" y="30" width="{max(x(until) - x(since), 1):.1f}" '
            f'height="{HEIGHT - BOTTOM - 30}" fill="#fdd"/><text x="{x(since):.1f}" y="{HEIGHT - BOTTOM + 12}" '
            f'transform="rotate(35 {x(since):.1f} {HEIGHT - BOTTOM + 12})" font-size="9">{escape(name)}</text>'
            for since, until, name in self.marks
        ]
        grid = [
            f'<line x1="{LEFT}" x2="{WIDTH - 10}" y1="{y(ms):.1f}" y2="{y(ms):.1f}" stroke="#ccc"/>'
            f'<text x="{LEFT - 6}" y="{y(ms) + 4:.1f}" text-anchor="end" font-size="10">{ms:,} ms</text>'
            for ms in (1, 10, 100, 1_000, 10_000, 100_000)
        ]
        points = " ".join(f"{x(n * SLICE_S):.1f},{y(lag * 1_000):.1f}" for n, lag in sorted(self.slices.items()))
        path.write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT + 40}" font-family="sans-serif">'
            f'<rect width="100%" height="100%" fill="white"/>'
            f'<text x="{LEFT}" y="18" font-size="13">{escape(title)}</text>'
            f'{"".join(bands)}{"".join(grid)}<polyline points="{points}" fill="none" stroke="#036" stroke-width="1"/>'
            f'<text x="{WIDTH - 10}" y="{HEIGHT + 36}" text-anchor="end" font-size="10">{end_s:.0f} s</text></svg>\n'
        )


def _decades(lag_ms: float) -> float:
    """0 for 1 ms and below, 5 for 100 s and above."""
    return min(max(log10(max(lag_ms, 1.0)), 0.0), 5.0)
