"""How often something took how long. Pure."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

BOUNDS_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10)
"""With 0.25, which is promised from a commit to the hubs."""


class Exemplar(NamedTuple):
    """A trace in which it took that long. ``trace_id``: 32 hexadecimal digits. ``at``: when, in Unix seconds."""

    trace_id: str
    at: float


class Histogram:
    """``counts``: for each of ``bounds`` what took up to so many seconds and longer than the bound before; the last is
    what took longer than all. ``sum``: of all, in seconds. ``exemplars``: for each of these the newest, with its
    seconds.
    """

    __slots__ = ("bounds", "counts", "exemplars", "sum")

    def __init__(self, bounds: Sequence[float] = BOUNDS_S) -> None:
        """``bounds``: in seconds, ascending."""
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0
        self.exemplars: dict[int, tuple[float, Exemplar]] = {}

    def observe(self, seconds: float, exemplar: Exemplar | None = None) -> None:
        place = bisect_left(self.bounds, seconds)
        self.counts[place] += 1
        self.sum += seconds
        if exemplar is not None:
            self.exemplars[place] = seconds, exemplar
