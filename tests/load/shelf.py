"""When the units of abandoned baskets were back: on each screen, against the end of the basket. Pure.

The end is that of the answer (``expires_at``), by the database's clock; when a screen shows something is told by the
clock of the load process. They are one clock where all runs on one machine.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from stockwire.operation import Event

BUCKET_S = 0.01
"""How exactly a time is told to the process that judges."""

BARELY_S = 1.0
"""Who left sooner after the end of a basket cannot tell whether it was late."""

Return = tuple[str, int, float]
"""A sku, the version at which units of an abandoned basket were back, and when its time was over (a timestamp)."""


@dataclass(slots=True)
class Span:
    """One connection, from its snapshot on: versions of each sku in the order in which they were shown, and when."""

    begun: float
    ended: float | None = None
    shown: dict[str, tuple[list[int], list[float]]] = field(default_factory=dict)


class Shelf:
    """What one screen showed, connection by connection."""

    def __init__(self) -> None:
        self._spans: list[Span] = []

    def begin(self, versions: Mapping[str, int], now: float) -> None:
        self._spans.append(Span(now, shown={sku: ([version], [now]) for sku, version in versions.items()}))

    def show(self, sku: str, version: int, now: float) -> None:
        versions, times = self._spans[-1].shown.setdefault(sku, ([], []))
        versions.append(version)
        times.append(now)

    def end(self, now: float) -> None:
        """Safe twice."""
        if self._spans and self._spans[-1].ended is None:
            self._spans[-1].ended = now

    def late_s(self, back: Return, now: float) -> float | None:
        """How long after the end of the basket this screen showed its units, or has not until ``now``. None: it was
        not connected then, or does not watch the sku."""
        sku, version, over = back
        for span in self._spans:
            if not span.begun <= over or sku not in span.shown:
                continue
            versions, times = span.shown[sku]
            at = bisect_left(versions, version)
            if at < len(versions):
                return times[at] - over
            missed_s = (now if span.ended is None else span.ended) - over
            if span.ended is None or missed_s > BARELY_S:
                return missed_s
        return None


def times_of(shelves: Iterable[Shelf], backs: Sequence[Return], now: float) -> dict[int, int]:
    """How many times fell into which bucket of BUCKET_S."""
    times = (shelf.late_s(back, now) for shelf in shelves for back in backs)
    return Counter(round(late_s / BUCKET_S) for late_s in times if late_s is not None)


def returns_of(events: Iterable[Event], abandoned: Mapping[str, datetime]) -> tuple[list[Return], list[str]]:
    """Where each of the ``abandoned`` baskets came back, by its reference, and those that never did."""
    released = [event for event in events if event.kind == "release" and event.reference in abandoned]
    backs = [(event.sku, event.version, abandoned[event.reference or ""].timestamp()) for event in released]
    back = {event.reference for event in released}
    return backs, [reference for reference in abandoned if reference not in back]


@dataclass(frozen=True, slots=True)
class Returned:
    """``baskets`` were abandoned, of which ``kept`` never came back; ``times``: of each on each screen, by bucket."""

    baskets: int = 0
    kept: Sequence[str] = ()
    times: Mapping[int, int] = field(default_factory=dict)

    def late(self, late_s: float) -> int:
        return sum(many for bucket, many in self.times.items() if bucket * BUCKET_S > late_s)

    def within_s(self, share: float) -> float | None:
        """The time within which this share (0 to 1) of them were back; None: nobody saw one."""
        left = share * sum(self.times.values())
        for bucket in sorted(self.times):
            left -= self.times[bucket]
            if left <= 0:
                return bucket * BUCKET_S
        return None
