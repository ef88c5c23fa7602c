"""What a reader makes of what stands at a broker, held to the ledger: its log, dense, in order, and its levels."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson
from cloudevents.core.bindings.kafka import KafkaMessage, from_structured
from cloudevents.core.formats.json import JSONFormat

from followers.log.ledger import Ledger
from stockwire.streams import (
    Change,
    CloudEvent,
    Complete,
    Follower,
    Levels,
    LevelTold,
    Message,
    Rewritten,
    message_of,
)
from tests.wire.streams.vectors import validator
from wire.envelope import structured

PAGE = 1_000
SCHEMAS = {
    Change: "change.json",
    LevelTold: "level.json",
    Rewritten: "history.json",
    Complete: "history.json",
}

Event = dict[str, Any]


@dataclass
class Held:
    """Of one shard, by the consumer's rule. ``begun``: seq behind which ``events`` are all there were."""

    epoch: str = ""
    begun: int = 0
    events: list[object] = field(default_factory=list)


@dataclass
class Reader:
    """Takes all messages of a broker, those of each shard in order. ``seen``: every id, as often as it came."""

    shards: dict[int, Held] = field(default_factory=lambda: defaultdict(Held))
    levels: Levels = field(default_factory=Levels)
    starts_over: int = 0
    ids: list[str] = field(default_factory=list)
    _follower: Follower = field(default_factory=Follower)

    def read(self, told: Iterable[CloudEvent]) -> None:
        """Raises Gap."""
        for one in told:
            message = message_of(one)
            assert message is not None, one.attributes
            validate(one, message)
            self._take(message, one.data)

    def _take(self, message: Message, data: object) -> None:
        if isinstance(message, Change):
            self.ids.append(message.id)
        if (step := self._follower.take(message)) is None:
            return
        self.levels.apply(step)
        held = self.shards[step.shard]
        if step.starts_over:
            self.starts_over += bool(held.epoch)
            held = self.shards[step.shard] = Held(step.epoch)
        if isinstance(message, Complete):
            held.begun = message.head
        if isinstance(message, Change):
            held.events.append(data)

    @property
    def repeats(self) -> int:
        """Changes that stand there once more."""
        return len(self.ids) - len(set(self.ids))


def validate(event: CloudEvent, message: Message) -> None:
    """By our schemas, and by the SDK of CloudEvents. Raises ValidationError, or the SDK's errors."""
    attributes = dict(event.attributes)
    validator("attributes.json").validate(attributes)
    validator(SCHEMAS[type(message)]).validate(event.data)
    read = from_structured(KafkaMessage({}, None, structured(attributes, orjson.dumps(event.data))), JSONFormat())
    assert (read.get_id(), read.get_subject(), read.get_data()) == (message.id, attributes.get("subject"), event.data)


async def check(ledger: Ledger, reader: Reader) -> None:
    """That it holds what the ledger has, of every shard; nobody writes meanwhile."""
    answer = await ledger.shards()
    for one in answer["shards"]:
        if not one["head"]:
            continue
        held = reader.shards[one["shard"]]
        assert held.epoch == answer["epoch"]
        assert held.events == await log_of(ledger, one["shard"], held.begun)
    found = {(level.location, level.sku): (level.version, level.on_hand, level.reserved) for level in reader.levels}
    assert found == {
        (row["location"], row["sku"]): (row["version"], row["on_hand"], row["reserved"])
        for row in await rows_of(ledger)
    }


async def log_of(ledger: Ledger, shard: int, after: int) -> list[Event]:
    found: list[Event] = []
    while events := (await ledger.events(shard, found[-1]["seq"] if found else after, PAGE))["events"]:
        found += events
    return found


async def rows_of(ledger: Ledger) -> list[Event]:
    """Of all levels."""
    found: list[Event] = []
    after: str | None = None
    while True:
        page = await ledger.levels(after, PAGE)
        found += page["levels"]
        if (after := page["next"]) is None:
            return found
