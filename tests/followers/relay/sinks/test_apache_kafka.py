"""The same of Apache Kafka itself: what a broker without compaction and without a disk cannot show."""

import asyncio
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from followers.relay.message import Checkpoint
from followers.relay.sink import SinkAway, SinkError, SinkRefused, Superseded
from followers.relay.sinks.kafka_writer import KafkaWriter
from tests.followers.relay.batches import EPOCH, sales
from tests.followers.relay.sinks.kafka_reading import read
from tests.followers.relay.sinks.test_kafka import seqs, sink_at
from tests.harness.brokers.apache_kafka import ApacheKafka, Kafka, need_apache_kafka
from tests.harness.waiting import PATIENCE_S

PAGE = 200
GIVEN_UP_S = 3.0
"""By the test, of a broker that is dead; a relay would wait longer."""

pytestmark = pytest.mark.usefixtures("processes")


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
        assert await sink.last(0) == Checkpoint(EPOCH, 4)
    assert await seqs(address, stream_prefix) == [(0, seq) for seq in (1, 2, 3, 4)]
    there = await asyncio.to_thread(read, address, f"{stream_prefix}.events", committed=False)
    assert len(there) == 6, "the page that was left open was not sent, so this shows nothing"


def left_open(writer: KafkaWriter) -> None:
    """A page of which all was sent, by somebody who then stands still."""
    producer = writer._open()
    producer.begin_transaction()
    writer._produce_all(producer, sales(4, 5))
    assert not producer.flush(PATIENCE_S)


async def test_a_broker_that_is_killed_in_the_middle_of_pages_has_each_of_them_whole_or_not_at_all(
    server_folder: Path, stream_prefix: str
) -> None:
    need_apache_kafka()
    with ApacheKafka(server_folder / f"killed-{stream_prefix}") as kafka:
        async with sink_at(kafka.address, stream_prefix) as sink:
            await sink.prepare(1)
            async with sink.writer(0) as writer:
                known, sent = await written_until_it_is_killed(kafka, writer)
            kafka.launch()
            await kafka.await_ready()
            async with asyncio.timeout(PATIENCE_S), sink.writer(0) as writer:
                standing = await claimed(writer)
                assert known <= standing.seq <= sent
                await writer.write(sales(standing.seq + 1, standing.seq + 10))
        assert await seqs(kafka.address, stream_prefix) == [(0, seq) for seq in range(1, standing.seq + 11)]


async def written_until_it_is_killed(kafka: ApacheKafka, writer: KafkaWriter) -> tuple[int, int]:
    """The last seq that is known to stand there, and the last that may."""
    await writer.claim(EPOCH)
    await writer.write(sales(1, PAGE))
    known, killing = PAGE, None
    try:
        while True:
            killing = killing or asyncio.get_running_loop().run_in_executor(None, kafka.kill)
            async with asyncio.timeout(GIVEN_UP_S):
                await writer.write(sales(known + 1, known + PAGE))
            known += PAGE
    except (SinkError, TimeoutError):
        assert killing is not None
        await killing
    return known, known + PAGE


async def claimed(writer: KafkaWriter) -> Checkpoint:
    while True:
        try:
            standing = await writer.claim(EPOCH)
        except SinkAway:
            await asyncio.sleep(0.1)
            continue
        assert standing is not None
        return standing
