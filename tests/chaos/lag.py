"""How old changes were when they arrived, over time: the longest of each slice, and what was broken meanwhile."""

import time
from dataclasses import dataclass, field

from tests.chaos.plot import Band, Line, plot


@dataclass
class Lag:
    """``begun``: monotonic seconds. Lags in seconds, from commit to client, both read on this machine."""

    begun: float = field(default_factory=time.monotonic)
    slice_s: float = 0.25
    slices: dict[int, float] = field(default_factory=dict)
    bands: list[Band] = field(default_factory=list)

    def arrived(self, lag_s: float) -> None:
        place = int((time.monotonic() - self.begun) / self.slice_s)
        self.slices[place] = max(lag_s, self.slices.get(place, 0.0))

    def broken(self, name: str, since: float, until: float) -> None:
        """Monotonic seconds."""
        self.bands.append(Band(name, since - self.begun, until - self.begun))

    def longest_s(self, since: float) -> float:
        """Of what arrived after ``since`` (monotonic seconds); 0 if nothing did."""
        first = int((since - self.begun) / self.slice_s)
        return max((lag for place, lag in self.slices.items() if place >= first), default=0.0)

    def line(self) -> Line:
        ordered = sorted(self.slices.items())
        at_s = [place * self.slice_s for place, _ in ordered]
        return Line("longest lag, ms", at_s, [lag * 1_000 for _, lag in ordered])

    def plot(self, title: str) -> str:
        return plot([self.line()], title, self.bands)
