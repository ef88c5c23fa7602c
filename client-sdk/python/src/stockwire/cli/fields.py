"""Levels, events, items and what a stream tells, as JSON objects: the fields of the HTTP API. Pure."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from stockwire.catalogue import Item, Location
from stockwire.held import Held
from stockwire.level import Level
from stockwire.operation import Event, OperationResult
from stockwire.stream import (
    AvailabilityChanged,
    Freshness,
    LevelChanged,
    Reconnecting,
    Snapshot,
    StreamEvent,
    ThresholdCrossed,
)


def level_fields(level: Level) -> dict[str, Any]:
    """As the ledger writes a level."""
    return {
        "sku": level.sku,
        "location": level.location,
        "version": level.version,
        "on_hand": level.on_hand,
        "reserved": level.reserved,
        "available": level.available,
        "kind": level.kind,
        "committed_at": _moment(level.committed_at),
        "shard": level.shard,
        "seq": level.seq,
    }


def result_fields(result: OperationResult) -> dict[str, Any]:
    """The level as the operation left it, and the operation."""
    return {
        **level_fields(result.level),
        "operation": result.operation,
        "replayed": result.replayed,
        "idempotency_key": result.key,
    }


def event_fields(event: Event) -> dict[str, Any]:
    """As the ledger writes an event of the audit trail."""
    times = {"occurred_at": _moment(event.occurred_at), "committed_at": _moment(event.committed_at)}
    return {**asdict(event), **times}


def item_fields(item: Item) -> dict[str, Any]:
    price = None if item.price is None else str(item.price)
    return {
        "sku": item.sku,
        "name": item.name,
        "price": price,
        "currency": item.currency,
        "attributes": dict(item.attributes),
    }


def location_fields(location: Location) -> dict[str, Any]:
    return {"location": location.location, "name": location.name}


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


def _held_fields(held: Held) -> dict[str, Any]:
    return level_fields(held) if isinstance(held, Level) else asdict(held)


def _moment(at: datetime | None) -> str | None:
    """RFC 3339 in UTC, with microseconds."""
    return None if at is None else at.isoformat(timespec="microseconds").replace("+00:00", "Z")
