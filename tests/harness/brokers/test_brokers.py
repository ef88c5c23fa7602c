"""Brokers for tests: each starts, is killed, comes back with what it acknowledged, and leaves no process."""

import asyncio
import secrets
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import aio_pika
import nats
import nats.js.errors
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.harness.brokers.apache_kafka import ApacheKafka, need_apache_kafka
from tests.harness.brokers.nats_server import NatsServer
from tests.harness.brokers.noida import Noida, need_noida
from tests.harness.brokers.rabbitmq import RabbitMQ, need_rabbitmq
from tests.harness.children import ours
from tests.harness.waiting import PATIENCE_S, POLL_S

MESSAGES = [str(number).encode() for number in range(50)]


@pytest.fixture
def folder(server_folder: Path, processes: None) -> Iterator[Path]:
    """Of a broker of the test's own, of which neither files nor processes may be left."""
    folder = server_folder / f"broker-{secrets.token_hex(3)}"
    before = {process.pid for process in ours(folder)}
    yield folder
    assert not folder.exists()
    deadline = time.monotonic() + PATIENCE_S
    while left := [process for process in ours(folder) if process.pid not in before]:
        assert time.monotonic() < deadline, f"left behind: {left}"
        time.sleep(POLL_S)


def write_to_kafka(address: str, topic: str) -> None:
    """In one transaction, and the beginning of another that never ends."""
    settings = {"bootstrap.servers": address, "transactional.id": topic, "acks": "all"}
    admin = AdminClient({"bootstrap.servers": address})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(PATIENCE_S)
    producer = Producer(settings)
    producer.init_transactions(PATIENCE_S)
    producer.begin_transaction()
    for message in MESSAGES:
        producer.produce(topic, message)
    producer.commit_transaction(PATIENCE_S)
    producer.begin_transaction()
    producer.produce(topic, b"aborted")
    producer.flush(PATIENCE_S)


def read_from_kafka(address: str, topic: str) -> list[bytes]:
    """All that is committed. What was left open is ended by who has the same id."""
    Producer({"bootstrap.servers": address, "transactional.id": topic}).init_transactions(PATIENCE_S)
    settings = {"bootstrap.servers": address, "group.id": topic, "enable.partition.eof": True}
    found: list[bytes] = []
    with closing(Consumer({**settings, "isolation.level": "read_committed"})) as consumer:
        consumer.assign([TopicPartition(topic, 0, 0)])
        while (message := consumer.poll(PATIENCE_S)) is not None and not message.error():
            found.append(message.value() or b"")
    return found


async def test_kafka_loses_what_it_acknowledged_when_it_is_killed(folder: Path) -> None:
    need_apache_kafka()
    with ApacheKafka(folder) as broker:
        await asyncio.to_thread(write_to_kafka, broker.address, "kept")
        broker.kill()
        await broker.restart()
        assert await asyncio.to_thread(read_from_kafka, broker.address, "kept") == MESSAGES


async def test_noida_loses_what_it_acknowledged_when_it_is_stopped(folder: Path) -> None:
    need_noida()
    with Noida(folder) as broker:
        await asyncio.to_thread(write_to_kafka, broker.address, "kept")
        await broker.restart()
        assert await asyncio.to_thread(read_from_kafka, broker.address, "kept") == MESSAGES


async def test_nats_loses_what_it_acknowledged_when_it_is_killed(folder: Path) -> None:
    with NatsServer(folder) as broker:
        async with await nats.connect(broker.url, connect_timeout=PATIENCE_S) as client:
            stream = client.jetstream(timeout=PATIENCE_S)
            await stream.add_stream(name="kept", subjects=["kept.>"])
            for message in MESSAGES:
                await stream.publish("kept.one", message)
            broker.kill()
        await broker.restart()
        async with await nats.connect(broker.url, connect_timeout=PATIENCE_S) as client:
            stream = client.jetstream(timeout=PATIENCE_S)
            kept = [(await stream.get_msg("kept", number + 1)).data for number in range(len(MESSAGES))]
            assert kept == MESSAGES
            with pytest.raises(nats.js.errors.NotFoundError):
                await stream.get_msg("kept", len(MESSAGES) + 1)


@pytest.mark.timeout(4 * PATIENCE_S)  # it starts twice, for up to a minute each beside a busy machine
async def test_rabbitmq_loses_what_it_acknowledged_when_it_is_killed(folder: Path) -> None:
    need_rabbitmq()
    with RabbitMQ(folder) as broker:
        connection = await aio_pika.connect(broker.url, timeout=PATIENCE_S)
        channel = await connection.channel(publisher_confirms=True)
        await channel.declare_queue("kept", durable=True, arguments={"x-queue-type": "quorum"})
        for message in MESSAGES:
            kept = aio_pika.Message(message, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
            await channel.default_exchange.publish(kept, "kept", timeout=PATIENCE_S)
        await broker.await_kept("kept")
        broker.kill()
        await broker.restart()
        async with await aio_pika.connect(broker.url, timeout=PATIENCE_S) as connection:
            queue = await (await connection.channel()).get_queue("kept")
            found = [await queue.get(no_ack=True, timeout=PATIENCE_S) for _ in MESSAGES]
            assert [message.body for message in found if message] == MESSAGES
            assert await queue.get(no_ack=True, fail=False) is None
