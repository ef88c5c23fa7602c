"""What a stream tells, as JSON objects. Pure."""

from dataclasses import asdict
from typing import Any

from stockwire.cli.fields import level_fields
from stockwire.level import Level
from stockwire.stream import (
    AvailabilityChanged,
    Freshness,
    LevelChanged,
    Reconnecting,
    Snapshot,
    StreamEvent,
    ThresholdCrossed,
)
from stockwire.watched import Watched


def stream_fields(event: StreamEvent[Any, Any]) -> dict[str, object]:
    """With ``type``: snapshot, level, view, threshold, freshness or reconnecting."""
    match event:
        case LevelChanged(level):
            return {"type": "level", **level_fields(level)}
        case AvailabilityChanged(availability):
            return {"type": "view", **_held_fields(availability)}
        case ThresholdCrossed(threshold):
            return {"type": "threshold", **_held_fields(threshold)}
        case Snapshot(levels, recovered):
            return {"type": "snapshot", "recovered": recovered, "levels": [_held_fields(level) for level in levels]}
        case Freshness(fresh, lag_ms):
            return {"type": "freshness", "fresh": fresh, "lag_ms": lag_ms}
        case Reconnecting(attempt, after_s, reason):
            return {"type": "reconnecting", "attempt": attempt, "after_s": round(after_s, 3), "reason": reason}
    raise AssertionError(f"no event of a stream: {event!r}")


def _held_fields(held: Watched) -> dict[str, Any]:
    return level_fields(held) if isinstance(held, Level) else asdict(held)
