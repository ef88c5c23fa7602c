"""What each change is called on a broker: attributes of CloudEvents 1.0.2.

The data of a message is JSON: of a change the event of ``GET /v1/events``, field for field; else ``level_data`` or
``history_data``. How attributes and data go into a broker's message: ``wire.bindings``.
``docs/reference/streams.md`` has the tables, ``wire/schemas`` the schemas; ``wire/vectors/streams.json`` holds every
part to them.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from wire.messages import LevelState

SPEC_VERSION = "1.0"
"""What ``specversion`` says for every 1.0.x."""
SEQUENCE_DIGITS = 20
"""So many that numbers of 64 bits sort as text does."""
LEVEL = "stockwire.level.v1"
REWRITTEN = "stockwire.history.rewritten.v1"
COMPLETE = "stockwire.history.complete.v1"
CONTENT_TYPE = "application/json"
STRUCTURED_CONTENT_TYPE = "application/cloudevents+json; charset=UTF-8"

Attributes = dict[str, str]
"""By name, without a binding's prefix."""


class EventId(NamedTuple):
    """Of a change: what its ``id`` says."""

    epoch: str
    shard: int
    seq: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.shard}.{self.seq}"


def source_of(system: str) -> str:
    return f"/stockwire/{system}"


def type_of(kind: str) -> str:
    """Of a change, by the ``kind`` of its event."""
    return f"stockwire.stock.{kind}.v1"


def sequence_of(seq: int) -> str:
    return f"{seq:0{SEQUENCE_DIGITS}}"


def key_of(location: str, sku: str) -> str:
    """Of a level: what partitions and compacts. Neither name can hold a slash."""
    return f"{location}/{sku}"


def change(source: str, epoch: str, event: Mapping[str, Any]) -> Attributes:
    """Of one event of the log."""
    key = key_of(event["location"], event["sku"])
    return {
        "specversion": SPEC_VERSION,
        "id": f"{epoch}.{event['shard']}.{event['seq']}",
        "source": source,
        "type": type_of(event["kind"]),
        "subject": key,
        "time": event["committed_at"],
        "datacontenttype": CONTENT_TYPE,
        "sequence": sequence_of(event["seq"]),
        "partitionkey": key,
    }


def level(source: str, epoch: str, shard: int, seq: int, row: Mapping[str, Any]) -> Attributes:
    """Of the newest state of one level; ``seq``: of the shard, at which it was so or newer."""
    key = key_of(row["location"], row["sku"])
    return {
        "specversion": SPEC_VERSION,
        "id": f"{epoch}.{shard}.level/{key}/{row['version']}",
        "source": source,
        "type": LEVEL,
        "subject": key,
        "datacontenttype": CONTENT_TYPE,
        "sequence": sequence_of(seq),
        "partitionkey": key,
    }


def rewritten(source: str, epoch: str, shard: int, head: int) -> Attributes:
    """Whatever was known of another epoch is dropped; all levels follow, each as ``LEVEL``, then ``COMPLETE``."""
    return _of_history(REWRITTEN, "rewritten", source, epoch, shard, head)


def complete(source: str, epoch: str, shard: int, head: int) -> Attributes:
    """All levels were told, none older than ``head``: the changes behind it follow."""
    return _of_history(COMPLETE, "complete", source, epoch, shard, head)


def _of_history(type_: str, word: str, source: str, epoch: str, shard: int, head: int) -> Attributes:
    return {
        "specversion": SPEC_VERSION,
        "id": f"{epoch}.{shard}.{word}",
        "source": source,
        "type": type_,
        "datacontenttype": CONTENT_TYPE,
        "sequence": sequence_of(head),
        "partitionkey": str(shard),
    }


def structured(attributes: Attributes, data: bytes) -> bytes:
    """Attributes and data as one JSON object; ``data``: JSON."""
    return orjson.dumps({**attributes, "data": orjson.Fragment(data)})


def level_data(epoch: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """``row``: of ``GET /v1/levels``, or the event by which the level became so. ``seq`` in it is that event's."""
    return {"epoch": epoch, **{name: row[name] for name in LevelState.__struct_fields__}}


def history_data(epoch: str, shard: int, head: int) -> dict[str, Any]:
    """Of ``rewritten`` and ``complete``."""
    return {"epoch": epoch, "shard": shard, "head": head}


def parse_id(id_: str) -> EventId | None:
    """Of a change; None for any other message."""
    rest, _, seq = id_.rpartition(".")
    epoch, _, shard = rest.rpartition(".")
    if not (epoch and shard.isdecimal() and seq.isdecimal() and shard.isascii() and seq.isascii()):
        return None
    return EventId(epoch, int(shard), int(seq))
