"""The newest record of each partition of the topic of checkpoints, read to the end of what is committed."""

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from followers.brokers.broker import Broker
from followers.brokers.kafka_client import client_options
from followers.relay.message import Checkpoint
from followers.relay.sink import SinkAway, SinkRefused
from followers.relay.sinks.kafka_errors import Reported

CLIENT = "stockwire-relay"
READ_S = 5.0
"""For one partition: some answers of a broker."""
WINDOWS = (16, 1_000, 1_000_000_000)
"""Offsets before the end that are looked at: usually the last record is the second last, before the mark of its
transaction; before it may be any number of aborted ones."""
AGAIN_S = 0.05
"""Until it is looked again whether a claim can be read."""
FETCH_WAIT_MS = 50
"""The end of a partition is told after it."""


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

    def __init__(self, broker: Broker, topic: str) -> None:
        self._reported = Reported(broker, {KafkaError.TOPIC_AUTHORIZATION_FAILED: f"Read of the topic {topic}"})
        self._topic = topic
        self._known: dict[int, tuple[int, Record | None]] = {}
        self._consumer = Consumer(
            {
                **client_options(broker, CLIENT),
                "error_cb": self._reported,
                "group.id": CLIENT,  # needed, and never used: nothing is committed
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "auto.offset.reset": "error",
                "fetch.wait.max.ms": FETCH_WAIT_MS,
            }
        )

    def close(self) -> None:
        self._consumer.close()

    def newest(self, shard: int, claim: bytes | None = None) -> Record | None:
        """``claim``: the value of a claim's record, behind which nothing of those before can stand. Raises SinkError:
        SinkAway while it cannot be read yet, as long as a broker that was killed has not ended what was committed."""
        try:
            return self._newest(shard, claim)
        except KafkaException as exception:
            self._consumer.poll(0)  # for what is told beside
            raise self._reported.meaning_of(exception, f"the checkpoint of shard {shard} cannot be read") from exception

    def _newest(self, shard: int, claim: bytes | None) -> Record | None:
        ends_s = time.monotonic() + READ_S
        while True:
            low, end = self._consumer.get_watermark_offsets(TopicPartition(self._topic, shard), timeout=READ_S)
            known = self._known.get(shard)
            if claim is None and known is not None and known[0] == end:
                return known[1]
            claims: set[bytes] = set()
            record = self._looked_for(shard, low, end, ends_s, claims)
            self._reported.forget()
            if claim is None or claim in claims:
                self._known[shard] = end, record
                return record
            if time.monotonic() > ends_s:
                raise SinkAway(f"what was written before of shard {shard} cannot be read within {READ_S:g} s")
            time.sleep(AGAIN_S)

    def _looked_for(self, shard: int, low: int, end: int, ends_s: float, claims: set[bytes]) -> Record | None:
        record: Record | None = None
        for window in WINDOWS:
            start = max(low, end - window)
            if start < end:
                record = self._last_behind(shard, start, end, ends_s, claims)
            if record is not None or start == low:
                break
        return record

    def _last_behind(self, shard: int, start: int, end: int, ends_s: float, claims: set[bytes]) -> Record | None:
        """``claims``: those that were met are put in."""
        consumer = self._consumer
        consumer.assign([TopicPartition(self._topic, shard, start)])
        newest: Record | None = None
        try:
            while (left_s := ends_s - time.monotonic()) > 0:
                message = consumer.poll(left_s)  # not many at once: that waits for so many also behind the end
                if message is None:
                    continue
                if (error := message.error()) is None:
                    if message.key() == claim_key(shard):
                        claims.add(message.value() or b"")
                    else:
                        newest = self._taken(message.value(), shard)
                elif error.code() == KafkaError._PARTITION_EOF:
                    return newest
                elif error.code() != KafkaError.GROUP_AUTHORIZATION_FAILED:  # of a group that is not used
                    raise KafkaException(error)
        finally:
            consumer.unassign()
        raise SinkAway(f"the checkpoint of shard {shard} (offsets {start} to {end}) was not read within {READ_S:g} s")

    def _taken(self, value: bytes | None, shard: int) -> Record | None:
        if value is None:  # somebody's tombstone: then nothing stands there
            return None
        try:
            return record_of(value)
        except ValueError as error:
            raise SinkRefused(
                f"the topic {self._topic} holds what is no checkpoint, in partition {shard} ({error}): set another "
                "STOCKWIRE_RELAY_PREFIX"
            ) from None
