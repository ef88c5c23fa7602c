"""The end of a partition, as far as it is committed."""

import time
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from followers.brokers.broker import Broker
from followers.brokers.kafka_client import client_options
from followers.relay.sink import SinkAway
from followers.relay.sinks.kafka_errors import Reported

CLIENT = "stockwire-relay"
READ_S = 5.0
"""For some answers of a broker."""
FETCH_WAIT_MS = 10
"""The end of a partition is told after it."""


Kept = TypeVar("Kept", bound=Hashable)


class Partition(NamedTuple):
    topic: str
    shard: int

    def __str__(self) -> str:
        return f"{self.topic}, partition {self.shard}"


class Tail:
    """Of partitions of some topics. Blocks; to be used by one thread. Raises KafkaException, SinkAway."""

    def __init__(self, broker: Broker, topics: Sequence[str]) -> None:
        needs = {KafkaError.TOPIC_AUTHORIZATION_FAILED: f"Read of the topics {', '.join(topics)}"}
        self.reported = Reported(broker, needs)
        self._consumer = Consumer(
            {
                **client_options(broker, CLIENT),
                "error_cb": self.reported,
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

    def poll(self) -> None:
        """For what is told beside."""
        self._consumer.poll(0)

    def bounds(self, partition: Partition) -> tuple[int, int]:
        """The first offset that is kept, and the one behind the last that is decided."""
        low, end = self._consumer.get_watermark_offsets(TopicPartition(*partition), timeout=READ_S)
        return low, end

    def read(
        self,
        partition: Partition,
        windows: Sequence[int],
        kept: Callable[[Message], Kept],
        wanted: Callable[[Kept], bool],
    ) -> tuple[dict[Kept, Message], bool]:
        """What stands at the end of what is decided, of each ``kept`` the newest alone; and whether that is all there
        is: a transaction may be open, or ended and not marked here yet. ``windows``: offsets before the end, each read
        within ``READ_S``, the next one where the one before holds nothing that is ``wanted``."""
        low, end = self.bounds(partition)
        found, whole = dict[Kept, Message](), True
        for window in windows:
            start = max(low, end - window)
            found, whole = self._read(partition, start, kept)
            if start == low or any(map(wanted, found)):
                break
        return found, whole

    def _read(
        self, partition: Partition, start: int, kept: Callable[[Message], Kept]
    ) -> tuple[dict[Kept, Message], bool]:
        consumer, at = self._consumer, TopicPartition(*partition, start)
        found: dict[Kept, Message] = {}
        ends_s = time.monotonic() + READ_S
        consumer.assign([at])
        try:
            while (left_s := ends_s - time.monotonic()) > 0:
                message = consumer.poll(left_s)  # not many at once: that waits for so many also behind the end
                if message is None:
                    continue
                if (error := message.error()) is None:
                    found[kept(message)] = message
                elif error.code() == KafkaError._PARTITION_EOF:
                    _, written = consumer.get_watermark_offsets(at, cached=True)
                    return found, (message.offset() or 0) >= written
                elif error.code() != KafkaError.GROUP_AUTHORIZATION_FAILED:  # of a group that is not used
                    raise KafkaException(error)
        finally:
            consumer.unassign()
        raise SinkAway(f"{partition} was not read from {start:,} to its end within {READ_S:g} s")
