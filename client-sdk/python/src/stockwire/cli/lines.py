"""What a stream of availability or of thresholds tells, in words, for a terminal. Pure."""

from typing import Any

from stockwire.availability import Availability
from stockwire.stream import AvailabilityChanged, Freshness, Reconnecting, Snapshot, StreamEvent, ThresholdCrossed
from stockwire.threshold import Threshold
from stockwire.watched import Watched


def stream_lines(event: StreamEvent[Any, Any]) -> list[str]:
    """Of a snapshot of thresholds, those that are raised."""
    match event:
        case Snapshot(levels):
            return [_line(level) for level in levels if not isinstance(level, Threshold) or level.raised]
        case AvailabilityChanged(availability):
            return [_line(availability)]
        case ThresholdCrossed(threshold):
            return [_line(threshold)]
        case Freshness(fresh, lag_ms):
            return [] if fresh else [f"the hub is behind, {lag_ms} ms"]
        case Reconnecting(attempt, after_s, reason):
            return [f"try {attempt} in {after_s:.1f} s: {reason}"]
    return []


def _line(held: Watched) -> str:
    name = f"{held.sku} at {held.location}"
    match held:
        case Availability():
            return f"{name}: {held.availability}, {held.quantity}"
        case Threshold():
            number = "" if held.available is None else f", {held.available} available"
            return f"{name}: {'raised' if held.raised else 'lowered'}{number}"
    return f"{name}: {held.available} available"
