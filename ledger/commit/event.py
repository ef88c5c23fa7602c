"""An event: one committed change of one level by one operation, and the one list of its fields.

What the commit statement is handed, the columns it writes, what is read back and what goes out are made from this
list when the module is imported. ``wire.messages.Event`` says the same to hubs, and a test holds the two together.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

TIMESTAMPS_MAX = 1_024
"""Moments that are remembered as they are written out: those of a batch are mostly the same ones."""


class Source(Enum):
    """Where a field of an event gets its value."""

    DECIDED = "by ``ledger.commit.decide``, before the commit"
    COMMITTED = "by the database, with the commit"
    DERIVED = "from other fields: told, and not stored"


class Field(NamedTuple):
    """``sql``: the type of its column, or what it is derived by; ``e`` stands for the row of ``stock_event``."""

    name: str
    sql: str
    source: Source = Source.DECIDED


FIELDS = (
    Field("shard", "int"),
    Field("seq", "bigint", Source.COMMITTED),
    Field("sku", "text"),
    Field("location", "text"),
    Field("version", "bigint"),
    Field("kind", "text"),
    Field("on_hand_delta", "int"),
    Field("reserved_delta", "int"),
    Field("on_hand", "int"),
    Field("reserved", "int"),
    Field("available", "e.on_hand - e.reserved", Source.DERIVED),
    Field("operation", "uuid"),
    Field("actor", "text"),
    Field("reason", "text"),
    Field("reference", "text"),
    Field("occurred_at", "timestamptz"),
    Field("committed_at", "timestamptz", Source.COMMITTED),
    Field("view_version", "bigint"),
)
"""In the order in which they go out."""

NAMES = tuple(field.name for field in FIELDS)

EVENT_COLUMNS = ", ".join(
    f"{field.sql} as {field.name}" if field.source is Source.DERIVED else f"e.{field.name}" for field in FIELDS
)
"""What ``event_of_row`` needs of ``stock_event e``."""

PARAMETERS = {field.name: field.sql for field in FIELDS if field.source is Source.DECIDED}
"""The fields that the commit statement is handed, with the types of their columns."""

parameters_of = itemgetter(*PARAMETERS)
"""Their values in a decided event, in that order."""


def event_of_row(values: Sequence[Any]) -> dict[str, Any]:
    """``values``: those of ``EVENT_COLUMNS``."""
    event = dict(zip(NAMES, values, strict=True))
    event["operation"] = str(event["operation"])
    event["occurred_at"] = timestamp(event["occurred_at"])
    event["committed_at"] = timestamp(event["committed_at"])
    return event


def complete(event: dict[str, Any], seq: int, committed_at: str | None) -> None:
    """Makes of a decided event what goes out, with what the database gave it."""
    event["seq"] = seq
    event["committed_at"] = committed_at


@lru_cache(TIMESTAMPS_MAX)
def timestamp(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC, always with microseconds."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
