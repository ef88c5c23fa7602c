"""A change as Debezium tells it: a row of the log, with the epoch in a header of its own.

It can join no texts into an id, and has no column for what is derived: both are made here, so that one consumer reads
what Debezium and what a relay wrote. ``deploy/debezium`` has the connector.
"""

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from stockwire.level import integer, moment, text

EPOCH = "stockwire_epoch"
SOURCE = "stockwire_source"


def event_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """As ``GET /v1/events`` has it. Raises Malformed."""
    event: dict[str, Any] = {}
    for name, value in row.items():
        event[name] = _written(row, name) if name in ("occurred_at", "committed_at") and value is not None else value
        if name == "reserved":
            event["available"] = integer(row, "on_hand") - integer(row, "reserved")
    return event


def attributes_of(epoch: str, source: str, event: Mapping[str, Any]) -> dict[str, str]:
    """As a relay would write them. Raises Malformed."""
    subject = f"{text(event, 'location')}/{text(event, 'sku')}"
    return {
        "specversion": "1.0",
        "id": f"{epoch}.{integer(event, 'shard')}.{integer(event, 'seq')}",
        "source": source,
        "type": f"stockwire.stock.{text(event, 'kind')}.v1",
        "subject": subject,
        "time": text(event, "committed_at"),
        "datacontenttype": "application/json",
        "sequence": f"{integer(event, 'seq'):020}",
        "partitionkey": subject,
    }


def _written(row: Mapping[str, Any], name: str) -> str:
    """RFC 3339 in UTC with six decimals, which are left out of a whole second there."""
    written = moment(row, name).astimezone(UTC).isoformat(timespec="microseconds")
    return written.removesuffix("+00:00") + "Z"
