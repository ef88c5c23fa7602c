"""The same of Apache Kafka itself: what a broker without compaction and without a disk cannot show."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewTopic

from followers.relay.message import Checkpoint
from followers.relay.sink import SinkAway, SinkRefused, Superseded, TooLarge
from followers.relay.sinks.kafka_writer import KafkaWriter
from tests.followers.relay.batches import EPOCH, event, logged, planning, sales
from tests.followers.relay.sinks.conformance import Conformance
from tests.followers.relay.sinks.kafka_place import KafkaPlace, sink_at
from tests.followers.relay.sinks.kafka_reading import read
from tests.followers.relay.sinks.test_kafka import seqs
from tests.harness.brokers.apache_kafka import ApacheKafka, Kafka, need_apache_kafka
from tests.harness.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.usefixtures("processes")


@pytest.fixture(scope="module")
def killed_kafka(server_folder: Path, processes: None) -> Iterator[ApacheKafka]:
    """Of this file: it is killed."""
    need_apache_kafka()
    with ApacheKafka(server_folder / "kafka-sink") as broker:
        yield broker


class TestApacheKafka(Conformance):
    test_two_relays_at_once_leave_what_one_would = None  # type: ignore[assignment]
    """Each claim would throw the other one out, for ever: relays wait longer each time (``StandingBy``)."""

    @pytest.fixture
    def place(self, killed_kafka: ApacheKafka, stream_prefix: str) -> KafkaPlace:
        return KafkaPlace(killed_kafka, stream_prefix)


def made(address: str, topic: str, **config: str) -> None:
    admin = AdminClient({"bootstrap.servers": address})
    new = NewTopic(topic, num_partitions=1, replication_factor=1, config=config)
    admin.create_topics([new])[topic].result(PATIENCE_S)


@pytest.mark.parametrize(
    ("name", "policy", "wanted"), [("events", "compact", "delete"), ("levels", "delete", "compact")]
)
async def test_a_topic_that_would_lose_something_is_refused_with_the_fix(
    apache_kafka: Kafka, stream_prefix: str, name: str, policy: str, wanted: str
) -> None:
    topic = f"{stream_prefix}.{name}"
    await asyncio.to_thread(made, apache_kafka.address, topic, **{"cleanup.policy": policy})
    async with sink_at(apache_kafka.address, stream_prefix) as sink:
        with pytest.raises(SinkRefused) as refused:
            await sink.prepare(1)
    assert str(refused.value) == (
        f"the topic {topic} has cleanup.policy={policy}, and that has to be {wanted}: kafka-configs.sh "
        f"--bootstrap-server {apache_kafka.address} --alter --entity-type topics --entity-name {topic} "
        f"--add-config cleanup.policy={wanted}"
    )


async def test_a_message_above_a_limit_that_was_lowered_since_is_named(apache_kafka: Kafka, stream_prefix: str) -> None:
    """The broker refuses it, and does not say which it was. What came with it is seen by nobody."""
    address = apache_kafka.address
    async with sink_at(address, stream_prefix) as sink:
        await sink.prepare(2)
        async with sink.writer(0) as writer:
            await writer.claim(EPOCH)
            await writer.write(sales(1, 2))
            await asyncio.to_thread(limited, address, f"{stream_prefix}.events", 2_000)
            with pytest.raises(TooLarge, match=rf"the message {EPOCH}\.0\.4 has .* bytes") as refused:
                await writer.write(planning().changes(logged([event(3), event(4, reason="x" * 3_000), event(5)]), 0))
            assert refused.value.size_bytes > 3_000
        async with sink.writer(0) as writer:
            assert await writer.claim(EPOCH) == Checkpoint(EPOCH, 2)
            await writer.write(sales(3, 3))
    events = await asyncio.to_thread(read, address, f"{stream_prefix}.events")
    assert [one.seq for one in events if one.partition == 0] == [1, 2, 3]


def limited(address: str, topic: str, message_bytes_max: int) -> None:
    """Returns when the broker refuses what is above it, in partition 1: it takes a moment longer than its answer."""
    entry = ConfigEntry("max.message.bytes", str(message_bytes_max), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": address})
    admin.incremental_alter_configs([resource])[resource].result(PATIENCE_S)
    refused: list[KafkaError | None] = []
    producer = Producer({"bootstrap.servers": address, "on_delivery": lambda error, _: refused.append(error)})
    ends_s = time.monotonic() + PATIENCE_S
    while not any(refused):
        assert time.monotonic() < ends_s, "the limit is not kept"
        producer.produce(topic, b"x" * (message_bytes_max + 1_000), b"1", 1)
        producer.flush(PATIENCE_S)


async def test_who_claimed_before_can_write_no_more_and_what_it_left_open_is_seen_by_nobody(
    apache_kafka: Kafka, stream_prefix: str
) -> None:
    address = apache_kafka.address
    async with sink_at(address, stream_prefix) as sink:
        await sink.prepare(1)
        async with sink.writer(0) as paused, sink.writer(0) as successor:
            assert await paused.claim(EPOCH) is None
            await paused.write(sales(1, 3))
            await asyncio.to_thread(left_open, paused)
            assert await successor.claim(EPOCH) == Checkpoint(EPOCH, 3)
            await successor.write(sales(4, 4))
            with pytest.raises((Superseded, SinkAway)):
                await paused.write(sales(4, 6))

        async def read_again() -> bool:  # it is kept a moment before it can be read
            return await sink.last(0) == Checkpoint(EPOCH, 4)

        await wait_until(read_again, what="the last page is read")
    assert await seqs(address, stream_prefix) == [(0, seq) for seq in (1, 2, 3, 4)]
    there = await asyncio.to_thread(read, address, f"{stream_prefix}.events", committed=False)
    assert len(there) == 6, "the page that was left open was not sent, so this shows nothing"


def left_open(writer: KafkaWriter) -> None:
    """A page of which all was sent, by somebody who then stands still."""
    producer = writer._open()
    producer.begin_transaction()
    writer._produce_all(producer, sales(4, 5))
    assert not producer.flush(PATIENCE_S)
