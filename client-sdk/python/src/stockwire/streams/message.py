"""What a relay tells, and Debezium in its words: a change, a level, a rewritten history.

Held to the contract by ``wire/vectors/streams.json``.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from stockwire.level import Level, Malformed, fields, integer, text
from stockwire.operation import Event
from stockwire.streams.cloud_event import CloudEvent, KafkaHeaders
from stockwire.streams.errors import Unreadable

SEQ_MAX = 2**63 - 1
_CHANGE = re.compile(r"stockwire\.stock\.[a-z0-9_]+\.v1")
_CHANGE_ID = re.compile(r"(.+)\.([0-9]{1,10})\.([0-9]{1,19})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Change:
    """One event of the log, and the state in which it left its level."""

    id: str
    epoch: str
    event: Event
    level: Level

    @property
    def shard(self) -> int:
        return self.event.shard


@dataclass(frozen=True, slots=True)
class LevelTold:
    """The state of one level, at least as new as its shard's place in the log."""

    id: str
    epoch: str
    level: Level

    @property
    def shard(self) -> int:
        return self.level.shard


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The shard has another history, under ``epoch``: its levels follow, each as it was at seq ``head`` or newer."""

    id: str
    epoch: str
    shard: int
    head: int


@dataclass(frozen=True, slots=True)
class Complete:
    """All levels were told, none older than seq ``head``: the changes behind it follow."""

    id: str
    epoch: str
    shard: int
    head: int


Message = Change | LevelTold | Rewritten | Complete


def of_kafka(headers: KafkaHeaders, value: bytes | None) -> Message | None:
    """Of a record: ``message.headers(), message.value()`` of confluent-kafka, ``record.headers, record.value`` of
    aiokafka. None: a type that is not known here, to be ignored. Raises Unreadable."""
    return message_of(CloudEvent.of_kafka(headers, value))


def of_nats(headers: Mapping[str, str] | None, data: bytes) -> Message | None:
    """Of a message of nats-py: ``message.headers, message.data``. Returns and raises as ``of_kafka``."""
    return message_of(CloudEvent.of_nats(headers, data))


def of_amqp(properties: Mapping[Any, Any] | None, content_type: str | bytes | None, body: bytes) -> Message | None:
    """``properties``: application properties of AMQP 1.0 (streams of RabbitMQ), headers of 0-9-1 (aio-pika:
    ``message.headers, message.content_type, message.body``). Returns and raises as ``of_kafka``."""
    return message_of(CloudEvent.of_amqp(properties, content_type, body))


def message_of(event: CloudEvent) -> Message | None:
    """As ``of_kafka``."""
    read = _reader_of(event.attributes["type"])
    if read is None:
        return None
    try:
        return read(event.attributes["id"], fields(event.data, "data"))
    except Malformed as error:
        raise Unreadable(error.field, error.reason) from None


Read = Callable[[str, dict[str, Any]], Message]


def _reader_of(type_: str) -> Read | None:
    return _change if _CHANGE.fullmatch(type_) else _READERS.get(type_)


def _change(id_: str, data: dict[str, Any]) -> Change:
    event = Event.parse(data)
    named = _CHANGE_ID.fullmatch(id_)
    if named is None or (int(named[2]), int(named[3])) != (event.shard, event.seq):
        raise Unreadable("id", f"is {id_!r}, not an epoch and .{event.shard}.{event.seq}")
    if event.seq < 1:
        raise Unreadable("seq", f"is {event.seq}, not 1 or above")
    return Change(id_, named[1], event, Level.parse(data))


def _level(id_: str, data: dict[str, Any]) -> LevelTold:
    return LevelTold(id_, _epoch(data), Level.parse(data))


def _rewritten(id_: str, data: dict[str, Any]) -> Rewritten:
    return Rewritten(id_, _epoch(data), *_head(data))


def _complete(id_: str, data: dict[str, Any]) -> Complete:
    return Complete(id_, _epoch(data), *_head(data))


def _epoch(data: dict[str, Any]) -> str:
    if not (epoch := text(data, "epoch")):
        raise Unreadable("epoch", "is empty")
    return epoch


def _head(data: dict[str, Any]) -> tuple[int, int]:
    head = integer(data, "head")
    if not 0 <= head <= SEQ_MAX:
        raise Unreadable("head", f"is {head}, not 0 to {SEQ_MAX}")
    return integer(data, "shard"), head


_READERS: dict[str, Read] = {
    "stockwire.level.v1": _level,
    "stockwire.history.rewritten.v1": _rewritten,
    "stockwire.history.complete.v1": _complete,
}
