"""What a subscription tells the application."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeAlias

from stockwire.availability import Availability
from stockwire.level import Level
from stockwire.threshold import Threshold
from stockwire.watched import T


@dataclass(frozen=True, slots=True)
class Snapshot(Generic[T]):
    """What is shown is complete now. The first says where everything stands; from then on whatever changes is told as a
    change, also what a later snapshot brings, right after it: who follows changes may ignore the others.

    ``recovered`` false: ``levels`` is everything. True: the stream goes on where it was interrupted, ``levels`` are
    those that changed meanwhile. Of `subscribe_public` and `subscribe_threshold` they are `Availability` and
    `Threshold`, and it is always false.
    """

    levels: tuple[T, ...]
    recovered: bool


@dataclass(frozen=True, slots=True)
class LevelChanged:
    """The newest known state of one level, however it came: on the stream, by a resume, by a new snapshot.

    Versions in between may have been left out, and none is taken back within an epoch. In a new epoch (the ledger's
    database was put back to an earlier state) each level that stands otherwise than before is told, and one that is no
    more as version 0.
    """

    level: Level


@dataclass(frozen=True, slots=True)
class AvailabilityChanged:
    """What the public sees of one level, newest known, however it came. Only when that changes, not at each sale."""

    availability: Availability


@dataclass(frozen=True, slots=True)
class ThresholdCrossed:
    """A level has come to the other side of the threshold, `raised` or lowered: never twice the same way in a row.

    What was crossed while the connection was gone is told after the snapshot. A reader too slow for two opposite
    crossings is told neither. What the first snapshot holds has crossed nothing; what comes into being later has, if it
    is raised.
    """

    threshold: Threshold


@dataclass(frozen=True, slots=True)
class Freshness:
    """What the hub says of itself, at each heartbeat and whenever it changes. See `View.lag_ms`."""

    fresh: bool
    lag_ms: int


@dataclass(frozen=True, slots=True)
class Reconnecting:
    """The connection is gone; the next try (the ``attempt``-th in a row, from 1) comes ``after_s`` seconds from now."""

    attempt: int
    after_s: float
    reason: str


if TYPE_CHECKING:  # the default: see `stockwire.watched`
    from typing_extensions import TypeVar

    C = TypeVar("C", bound=LevelChanged | AvailabilityChanged | ThresholdCrossed, default=LevelChanged)
else:
    from typing import TypeVar

    C = TypeVar("C")

StreamEvent: TypeAlias = Snapshot[T] | C | Freshness | Reconnecting
"""Of a subscription to levels; ``StreamEvent[Availability, AvailabilityChanged]`` and ``StreamEvent[Threshold,
ThresholdCrossed]`` of the others."""
