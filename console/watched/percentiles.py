"""Percentiles: of what was measured one by one, and of what was counted in buckets. Pure."""

import math
from collections.abc import Mapping, Sequence

Buckets = Mapping[float, float]
"""As a histogram of Prometheus counts: how many took at most so many seconds, by that bound; the last one is inf."""


def percentile(ordered: Sequence[float], part: float) -> float | None:
    """Nearest rank: the smallest that at least this part of all does not exceed. None of nothing.

    >>> percentile([1, 2, 3, 4], 0.5), percentile([1, 2, 3, 4], 0.99), percentile([], 0.5)
    (2, 4, None)
    """
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)] if ordered else None


def since(before: Buckets, now: Buckets) -> dict[float, float]:
    """What was counted between two readings. A process that began anew in between has counted from 0."""
    began_anew = any(now[bound] < before.get(bound, 0) for bound in now)
    return {bound: count - (0 if began_anew else before.get(bound, 0)) for bound, count in now.items()}


def together(parts: Sequence[Buckets]) -> dict[float, float]:
    """Of several processes, as one. A bound that one of them lacks has what its next smaller one has."""
    bounds = sorted({bound for part in parts for bound in part})
    return {bound: sum(_at_most(part, bound) for part in parts) for bound in bounds}


def of_buckets(buckets: Buckets, part: float) -> float | None:
    """Seconds, evenly spread within a bucket, as Prometheus does it. None if nothing was counted, or if it is beyond
    the last bound, where nobody knows.

    >>> of_buckets({0.001: 50, 0.002: 100, math.inf: 100}, 0.5), of_buckets({0.001: 0, math.inf: 2}, 0.5)
    (0.001, None)
    """
    bounds = sorted(buckets)
    if not bounds or (total := buckets[bounds[-1]]) <= 0:
        return None
    wanted, below, count_below = part * total, 0.0, 0.0
    for bound in bounds:
        if buckets[bound] >= wanted and buckets[bound] > count_below:
            if math.isinf(bound):
                return None
            return below + (bound - below) * (wanted - count_below) / (buckets[bound] - count_below)
        below, count_below = bound, buckets[bound]
    return None


def _at_most(part: Buckets, bound: float) -> float:
    return max((count for own, count in part.items() if own <= bound), default=0.0)
