"""The log of one shard through restores, and what a relay writes of it to a sink that keeps the order."""

import random
from dataclasses import dataclass, field
from typing import Any

import orjson

from stockwire.streams import Message, of_amqp, of_kafka, of_nats
from tests.wire.streams import attributes as attributes_of
from wire import envelope
from wire.bindings import KAFKA_STRUCTURED, amqp_properties, kafka_headers, nats_headers

SOURCE = envelope.source_of("shop")
SKUS = ("A", "B", "C.1", "ß")


@dataclass
class History:
    """Of one shard in one epoch: ``events`` as ``GET /v1/events`` has them; up to ``told`` they were told as levels."""

    epoch: str
    shard: int
    events: list[dict[str, Any]] = field(default_factory=list)
    told: int = 0

    def commit(self, sku: str, delta: int) -> None:
        before = self.levels(len(self.events)).get(sku, {"version": 0, "on_hand": 0})
        seq = len(self.events) + 1
        on_hand = max(0, before["on_hand"] + delta)
        self.events.append(
            {
                **{"shard": self.shard, "seq": seq, "sku": sku, "location": f"berlin-{self.shard}"},
                **{"version": before["version"] + 1, "kind": "count", "on_hand_delta": on_hand - before["on_hand"]},
                **{"reserved_delta": 0, "on_hand": on_hand, "reserved": 0, "available": on_hand},
                **{"operation": "0b1e6f1c-3c1f-5d0a-9d0e-2f6f3a1c9b77", "actor": self.epoch, "reason": None},
                **{"reference": None, "occurred_at": None, "committed_at": "2026-11-22T10:00:00.000000Z"},
                **{"view_version": 1},
            }
        )

    def levels(self, seq: int) -> dict[str, dict[str, Any]]:
        """By sku, as they were at ``seq``."""
        return {event["sku"]: event for event in self.events[:seq]}

    def restored(self, epoch: str, seq: int) -> "History":
        """An older backup of it, put back."""
        return History(epoch, self.shard, self.events[:seq])


def told_from_the_beginning(history: History) -> list[Message]:
    return [change(history, event) for event in history.events]


def told_anew(history: History, head: int, chance: random.Random) -> list[Message]:
    """As it is told under another epoch: levels that were read while the shard went on, then what came behind
    ``head``. A relay may die in between, and another begin again."""
    told: list[Message] = []
    for _ in range(chance.choice((0, 0, 1, 2))):
        told += _levels(history, head, chance)[: chance.randrange(4)]
        head = chance.randint(head, len(history.events))
    told += _levels(history, head, chance)
    epoch, shard = history.epoch, history.shard
    told.append(message(attributes_of.complete(SOURCE, epoch, shard, head), envelope.history_data(epoch, shard, head)))
    return told + [change(history, event) for event in history.events[head:]]


def _levels(history: History, head: int, chance: random.Random) -> list[Message]:
    """Each level at ``head`` or newer; what was made behind it may be there or not."""
    epoch, shard = history.epoch, history.shard
    told = [message(attributes_of.rewritten(SOURCE, epoch, shard, head), envelope.history_data(epoch, shard, head))]
    read_at = head
    for sku in SKUS:
        read_at = chance.randint(read_at, len(history.events))  # pages are read one after another
        if (row := history.levels(read_at).get(sku)) is not None:
            level = attributes_of.level(SOURCE, epoch, shard, read_at, row)
            told.append(message(level, envelope.level_data(epoch, attributes_of.level_of(row))))
    return told


def change(history: History, event: dict[str, Any]) -> Message:
    return message(attributes_of.change(SOURCE, history.epoch, event), event)


def message(attributes: envelope.Attributes, data: dict[str, Any]) -> Message:
    """As it comes from one of the brokers: which one depends on the message alone."""
    body = orjson.dumps(data)
    match len(body) % 4:
        case 0:
            read = of_kafka(kafka_headers(attributes), body)
        case 1:
            read = of_nats(nats_headers(attributes), body)
        case 2:
            read = of_amqp(amqp_properties(attributes), envelope.CONTENT_TYPE, body)
        case _:
            read = of_kafka(KAFKA_STRUCTURED, envelope.structured(attributes, body))
    assert read is not None
    return read
