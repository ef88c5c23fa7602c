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


def last_event(shard: str = "l.shard") -> str:
    """Joins stock_event e. ``shard``: where it is one for the whole statement, so that its partition is found once.

    One look-up for each level, whatever the planner thinks of it: a join of 1,000 levels went through all events of
    the shard, page after page, until there were a hundred times as many.
    """
    return f"""
      left join lateral (
        select kind, committed_at, seq from stock_event
         where shard = {shard} and location = l.location and sku = l.sku and version = l.version
         limit 1) e on true
    """


LEVEL_ARRAYS = ", ".join(f"array_agg({name}) as {name}" for name in (*NAMES, "view_version"))
"""Of rows of ``LISTED_COLUMNS``: as arrays they cost this process a tenth of what they cost row by row."""

LISTED_COLUMNS = LEVEL_COLUMNS.replace(
    "e.committed_at", """to_char(e.committed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as committed_at"""
)
"""``LEVEL_COLUMNS`` with ``committed_at`` as ``timestamp`` writes it."""


def levels_of_arrays(row: Mapping[Any, Any]) -> list[LevelState]:
    """Of a row of ``LEVEL_ARRAYS``."""
    return list(map(LevelState, *(row[name] or () for name in NAMES)))


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
