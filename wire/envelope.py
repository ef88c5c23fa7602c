"""What each change is called on a broker: attributes of CloudEvents 1.0.2.

The data of a message is JSON: of a change the event of ``GET /v1/events``, field for field; else ``level_data`` or
``history_data``. How attributes and data go into a broker's message: ``wire.bindings``.
``docs/reference/streams.md`` has the tables, ``wire/schemas`` the schemas; ``wire/vectors/streams.json`` holds every
part to them.
"""

from typing import Any, NamedTuple

import orjson
from msgspec.structs import asdict

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


class Common(NamedTuple):
    """What all messages of one type from one system have alike: whoever writes many renders it once."""

    source: str
    type: str

    @property
    def attributes(self) -> Attributes:
        return {
            "specversion": SPEC_VERSION,
            "source": self.source,
            "type": self.type,
            "datacontenttype": CONTENT_TYPE,
        }


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
    return str(seq).zfill(SEQUENCE_DIGITS)


def key_of(location: str, sku: str) -> str:
    """Of a level: what partitions and compacts. Neither name can hold a slash."""
    return f"{location}/{sku}"


def of_change(epoch: str, event: LevelState) -> Attributes:
    """Of one event of the log, beside what is common. ``event``: the level as it became by it."""
    key = key_of(event.location, event.sku)
    return {
        "id": f"{epoch}.{event.shard}.{event.seq}",
        "subject": key,
        "time": event.committed_at or "",
        "sequence": sequence_of(event.seq),
        "partitionkey": key,
    }


def of_level(epoch: str, shard: int, seq: int, level: LevelState) -> Attributes:
    """Of the newest state of one level, beside what is common; ``seq``: of the shard, at which it was so or newer."""
    key = key_of(level.location, level.sku)
    return {
        "id": f"{epoch}.{shard}.level/{key}/{level.version}",
        "subject": key,
        "sequence": sequence_of(seq),
        "partitionkey": key,
    }


def of_rewritten(epoch: str, shard: int, head: int) -> Attributes:
    """Whatever was known of another epoch is dropped; all levels follow, each as ``LEVEL``, then ``COMPLETE``."""
    return _of_history("rewritten", epoch, shard, head)


def of_complete(epoch: str, shard: int, head: int) -> Attributes:
    """All levels were told, none older than ``head``: the changes behind it follow."""
    return _of_history("complete", epoch, shard, head)


def _of_history(word: str, epoch: str, shard: int, head: int) -> Attributes:
    return {"id": f"{epoch}.{shard}.{word}", "sequence": sequence_of(head), "partitionkey": str(shard)}


def structured(attributes: Attributes, data: bytes) -> bytes:
    """Attributes and data as one JSON object; ``data``: JSON."""
    return orjson.dumps({**attributes, "data": orjson.Fragment(data)})


def level_data(epoch: str, level: LevelState) -> dict[str, Any]:
    """``seq`` in it is of the event by which the level became so."""
    return {"epoch": epoch, **asdict(level)}


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
