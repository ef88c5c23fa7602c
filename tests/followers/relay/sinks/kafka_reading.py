"""What stands in topics of a Kafka, as a consumer of somebody else's would have it."""

import time
from typing import NamedTuple, cast

from confluent_kafka import Consumer, KafkaError, TopicPartition

from tests.harness.waiting import PATIENCE_S

Headers = list[tuple[str, bytes]]
"""As confluent-kafka gives them, whatever else may be given to it."""


class Read(NamedTuple):
    partition: int
    key: str
    headers: dict[str, str]
    value: bytes

    @property
    def id(self) -> str:
        return self.headers["ce_id"]

    @property
    def seq(self) -> int:
        return int(self.headers["ce_sequence"])


def read(address: str, topic: str, *, committed: bool = True) -> list[Read]:
    """All of it, partition by partition. Blocks. ``committed``: not what was aborted or is open."""
    consumer = Consumer(
        {
            "bootstrap.servers": address,
            "group.id": "reading",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed" if committed else "read_uncommitted",
            "fetch.wait.max.ms": 50,
            "log_level": 0,
        }
    )
    try:
        partitions = consumer.list_topics(topic, timeout=PATIENCE_S).topics[topic].partitions
        consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        found: list[Read] = []
        left = set(partitions)
        ends_s = time.monotonic() + PATIENCE_S
        while left:
            assert time.monotonic() < ends_s, f"{topic}: partitions {left} do not end"
            for message in consumer.consume(500, 0.1):
                if (error := message.error()) is not None:
                    assert error.code() == KafkaError._PARTITION_EOF, error
                    left.discard(message.partition() or 0)
                    continue
                headers = {name: value.decode() for name, value in cast(Headers, message.headers() or [])}
                found.append(
                    Read(message.partition() or 0, (message.key() or b"").decode(), headers, message.value() or b"")
                )
        return sorted(found, key=lambda one: one.partition)
    finally:
        consumer.close()
