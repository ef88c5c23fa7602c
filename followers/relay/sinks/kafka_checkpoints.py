"""The newest record of each partition of the topic of checkpoints, read to the end of what is committed."""

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import orjson
from confluent_kafka import KafkaException, Message

from followers.relay.message import Checkpoint
from followers.relay.sink import SinkAway, SinkRefused
from followers.relay.sinks.kafka_tail import READ_S, Partition, Tail

WINDOWS = (16, 1_000, 10_000, 100_000, 1_000_000, 1_000_000_000)
"""Offsets before the end that are looked at: usually the last record is the second last, before the mark of its
transaction; before it may be any number of aborted ones, and of claims."""
AGAIN_S = 0.05
"""Until it is looked again whether a claim can be read."""


class Record(NamedTuple):
    """``checkpoint``: None by whoever claimed what was empty. ``writer``: the relay that wrote it."""

    checkpoint: Checkpoint | None
    writer: str

    def to_json(self) -> bytes:
        fields = {} if self.checkpoint is None else self.checkpoint._asdict()
        return orjson.dumps({**fields, "writer": self.writer})


def record_of(value: bytes) -> Record:
    """Raises ValueError if it is none."""
    fields: Any = orjson.loads(value)
    if not isinstance(fields, dict) or not isinstance(writer := fields.pop("writer", None), str):
        raise ValueError("no writer")
    return Record(_checkpoint_of(fields) if fields else None, writer)


def _checkpoint_of(fields: Mapping[str, Any]) -> Checkpoint:
    """Fields of a later version are passed over."""
    epoch, seq = fields.get("epoch"), fields.get("seq")
    if not isinstance(epoch, str) or not isinstance(seq, int):
        raise ValueError("no epoch or no seq")
    return Checkpoint(
        epoch, seq, bool(fields.get("complete", True)), int(fields.get("levels", 0)), int(fields.get("told", 0))
    )


def claim_key(shard: int) -> bytes:
    """Of the record by which whoever has claimed a shard sees that it has read to the end: it is no checkpoint."""
    return f"{shard} claim".encode()


class Checkpoints:
    """Blocks; to be used by one thread. ``newest`` costs one question where nothing has changed."""

    def __init__(self, tail: Tail, topic: str) -> None:
        self._tail = tail
        self._topic = topic
        self._known: dict[int, tuple[int, Record | None]] = {}

    def newest(self, shard: int, claim: bytes | None = None) -> Record | None:
        """``claim``: the value of a claim's record, behind which nothing of those before can stand. Raises SinkError:
        SinkAway while it cannot be read yet, as long as a broker that was killed has not ended what was committed."""
        try:
            return self._newest(shard, claim)
        except KafkaException as exception:
            self._tail.poll()
            doing = f"the checkpoint of shard {shard} cannot be read"
            raise self._tail.reported.meaning_of(exception, doing) from exception

    def _newest(self, shard: int, claim: bytes | None) -> Record | None:
        partition = Partition(self._topic, shard)
        ends_s = time.monotonic() + READ_S
        while True:
            _, end = self._tail.bounds(partition)
            known = self._known.get(shard)
            if claim is None and known is not None and known[0] == end:
                return known[1]
            read, _ = self._tail.read(partition, WINDOWS, _claims(shard), lambda claims: not claims)
            self._tail.reported.forget()
            claimed = read.get(True)
            if claim is None or (claimed is not None and claimed.value() == claim):
                newest = read.get(False)
                record = None if newest is None else self._taken(newest.value(), shard)
                self._known[shard] = end, record
                return record
            if time.monotonic() > ends_s:
                raise SinkAway(f"what was written before of shard {shard} cannot be read within {READ_S:g} s")
            time.sleep(AGAIN_S)

    def _taken(self, value: bytes | None, shard: int) -> Record | None:
        if value is None:  # somebody's tombstone: then nothing stands there
            return None
        try:
            return record_of(value)
        except ValueError as error:
            raise SinkRefused(
                f"the topic {self._topic} holds what is no checkpoint, in partition {shard} ({error}): set "
                "another STOCKWIRE_RELAY_PREFIX"
            ) from None


def _claims(shard: int) -> Callable[[Message], bool]:
    """Whether a message is a claim's record."""
    key = claim_key(shard)
    return lambda message: message.key() == key
