"""What a subscription tells the application."""

from dataclasses import dataclass

from stockwire.level import Level


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is shown is complete now. ``recovered`` false: ``levels`` is everything, replace what you show.

    ``recovered`` true: the stream goes on where it was interrupted, ``levels`` are those that changed meanwhile.
    """

    levels: tuple[Level, ...]
    recovered: bool


@dataclass(frozen=True, slots=True)
class LevelChanged:
    """The newest known state of one level. Versions in between may have been left out, never taken back."""

    level: Level


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


StreamEvent = Snapshot | LevelChanged | Freshness | Reconnecting
