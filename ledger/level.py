"""Levels and events as JSON-ready objects, in the field order of ``wire.messages``."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

EVENT_COLUMNS = (
    "shard, seq, sku, location, version, kind, on_hand_delta, reserved_delta, on_hand, reserved,"
    " view_version, operation, actor, reason, reference, occurred_at, committed_at"
)
"""What ``event_of_row`` needs of stock_event."""

LEVEL_COLUMNS = (
    "l.sku, l.location, l.version, l.on_hand, l.reserved, e.kind, e.committed_at, l.shard, coalesce(e.seq, 0) as seq,"
    " l.view_version"
)
"""What ``level_of_row`` needs of stock_level l joined by LAST_EVENT to stock_event e."""

LAST_EVENT = (
    "left join stock_event e on e.shard = l.shard and e.location = l.location and e.sku = l.sku"
    " and e.version = l.version"
)


def timestamp(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC, always with microseconds."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def event_of_row(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "shard": row["shard"],
        "seq": row["seq"],
        "sku": row["sku"],
        "location": row["location"],
        "version": row["version"],
        "kind": row["kind"],
        "on_hand_delta": row["on_hand_delta"],
        "reserved_delta": row["reserved_delta"],
        "on_hand": row["on_hand"],
        "reserved": row["reserved"],
        "available": row["on_hand"] - row["reserved"],
        "operation": str(row["operation"]),
        "actor": row["actor"],
        "reason": row["reason"],
        "reference": row["reference"],
        "occurred_at": timestamp(row["occurred_at"]),
        "committed_at": timestamp(row["committed_at"]),
        "view_version": row["view_version"],
    }


def level_of_row(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "sku": row["sku"],
        "location": row["location"],
        "version": row["version"],
        "on_hand": row["on_hand"],
        "reserved": row["reserved"],
        "available": row["on_hand"] - row["reserved"],
        "kind": row["kind"],
        "committed_at": timestamp(row["committed_at"]),
        "shard": row["shard"],
        "seq": row["seq"],
    }


def level_of_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """The level as ``event`` left it."""
    return {
        name: event[name]
        for name in (
            "sku", "location", "version", "on_hand", "reserved", "available", "kind", "committed_at", "shard", "seq",
        )
    }  # fmt: skip


def empty_level(sku: str, location: str, shard: int) -> dict[str, Any]:
    """How a level reads before its first movement."""
    return {
        "sku": sku,
        "location": location,
        "version": 0,
        "on_hand": 0,
        "reserved": 0,
        "available": 0,
        "kind": None,
        "committed_at": None,
        "shard": shard,
        "seq": 0,
    }
