"""Levels as JSON-ready objects: the fields of ``wire.messages.LevelState``, in that order."""

from collections.abc import Mapping
from typing import Any

from ledger.commit.event import timestamp
from wire.messages import LevelState

NAMES = LevelState.__struct_fields__

_SQL = {
    "available": "l.on_hand - l.reserved as available",
    "kind": "e.kind",
    "committed_at": "e.committed_at",
    "seq": "coalesce(e.seq, 0) as seq",
}
"""Of the fields that are no columns of stock_level."""

LEVEL_COLUMNS = ", ".join(_SQL.get(name, f"l.{name}") for name in (*NAMES, "view_version"))
"""What ``level_of_row`` needs of stock_level l joined by LAST_EVENT to stock_event e; and the version of its view."""

LAST_EVENT = (
    "left join stock_event e on e.shard = l.shard and e.location = l.location and e.sku = l.sku"
    " and e.version = l.version"
)


def level_of_row(row: Mapping[Any, Any]) -> dict[str, Any]:
    level = {name: row[name] for name in NAMES}
    level["committed_at"] = timestamp(level["committed_at"])
    return level


def level_of_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """The level as ``event`` left it. Written out: each line of a large operation is answered with one."""
    return {
        "sku": event["sku"],
        "location": event["location"],
        "version": event["version"],
        "on_hand": event["on_hand"],
        "reserved": event["reserved"],
        "available": event["available"],
        "kind": event["kind"],
        "committed_at": event["committed_at"],
        "shard": event["shard"],
        "seq": event["seq"],
    }


def empty_level(sku: str, location: str, shard: int) -> dict[str, Any]:
    """How a level reads before its first movement."""
    nothing: dict[str, Any] = dict.fromkeys(NAMES, 0)
    return {**nothing, "sku": sku, "location": location, "kind": None, "committed_at": None, "shard": shard}
