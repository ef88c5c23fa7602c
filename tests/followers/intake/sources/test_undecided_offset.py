"""A partition whose offset Apache Kafka leaves undecided for ever is read all the same."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.client import CoordinationType
from aiokafka.protocol.transaction import TxnOffsetCommitRequest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs do not re-export
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from followers.brokers.broker import broker_of
from followers.intake.sources.kafka_reader import Reader
from server.settings.environment import Environment
from tests.followers.intake.queues import KafkaQueue
from tests.followers.intake.running import sale
from tests.harness.brokers.apache_kafka import Kafka, yours
from tests.harness.waiting import PATIENCE_S, wait_until

VERIFIES = "transaction.partition.verification.enable"
"""Without it a broker takes what no transaction of its coordinator has, and nobody will ever end."""

pytestmark = pytest.mark.usefixtures("processes")


@contextmanager
def unverified(address: str) -> Iterator[None]:
    admin = AdminClient({"bootstrap.servers": address})

    def set_to(value: str) -> None:
        entry = ConfigEntry(VERIFIES, value, incremental_operation=AlterConfigOpType.SET)
        broker = ConfigResource(ResourceType.BROKER, "1", incremental_configs=[entry])
        for future in admin.incremental_alter_configs([broker]).values():
            future.result(PATIENCE_S)

    set_to("false")
    try:
        yield
    finally:
        set_to("true")


async def leave_undecided(address: str, group: str, topic: str) -> None:
    """As after a ``kill`` between the decision and its marks: the broker believes that there is no transaction."""
    producer = AIOKafkaProducer(bootstrap_servers=address, transactional_id=f"{group}-0")
    await producer.start()
    try:
        known = producer._txn_manager
        node = await producer.client.coordinator_lookup(CoordinationType.GROUP, group)
        assert await producer.client.ready(node)
        offsets = [(topic, [(0, 1, "")])]
        asked = TxnOffsetCommitRequest(f"{group}-0", group, known.producer_id, known.producer_epoch, offsets)

        async def taken() -> bool:
            answer = await producer.client.send(node, asked)
            return bool(answer.errors[0][1][0][1] == 0)

        with unverified(address):
            await wait_until(taken, what="the broker takes it, as the setting tells it to")
    finally:
        await producer.stop()


async def test_an_offset_that_nobody_decides_any_more_stops_no_partition(
    apache_kafka: Kafka, stream_prefix: str
) -> None:
    if yours():
        pytest.skip("it changes a setting of the broker, which this one is not ours to have")
    queue = KafkaQueue(apache_kafka.address, stream_prefix, 1)
    await queue.make()
    await leave_undecided(apache_kafka.address, f"{stream_prefix}-intake", f"{stream_prefix}.commands")
    await queue.send([sale("1", "berlin", "A")])
    reader = Reader(broker_of(Environment({"FROM": queue.url}), "FROM", {}), stream_prefix, 1, "")

    def polled() -> int:
        reader.open()
        end = time.monotonic() + PATIENCE_S
        try:
            while not any(one.waiting for one in reader.partitions.values()) and time.monotonic() < end:
                reader.poll(1, 0.1)
            return sum(one.progress.offset == 0 and len(one.waiting) for one in reader.partitions.values())
        finally:
            reader.close()

    assert await asyncio.to_thread(polled) == 1, "what may have been done comes again"
