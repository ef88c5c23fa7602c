"""Where relays of a campaign write, and what a reader is shown there."""

import asyncio
from dataclasses import dataclass, field

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from stockwire.streams import CloudEvent
from tests.followers.relay.sinks.conformance import Told
from tests.followers.relay.sinks.kafka_reading import read
from tests.followers.relay.sinks.nats_place import NatsPlace
from tests.followers.relay.sinks.rabbitmq_place import ExchangePlace, StreamPlace
from tests.harness.brokers.nats_server import NatsServer
from tests.harness.brokers.rabbitmq import RabbitMQ
from tests.harness.waiting import PATIENCE_S

SHARDS = 4
"""Of a database that nobody asked for others."""


@dataclass
class KafkaTopic:
    address: str
    prefix: str

    @property
    def to(self) -> str:
        return f"kafka://{self.address}"

    async def settle(self) -> None:
        """What it says that it has, it has."""

    async def read(self) -> list[CloudEvent]:
        """By librdkafka. Raises AssertionError if aiokafka, another implementation, is shown anything else."""
        found = [
            CloudEvent.of_kafka([(name, value.encode()) for name, value in one.headers.items()], one.value)
            for one in await asyncio.to_thread(read, self.address, self._topic)
        ]
        assert found == await read_by_aiokafka(self.address, self._topic)
        return found

    async def aborted(self) -> int:
        everything = await asyncio.to_thread(read, self.address, self._topic, committed=False)
        return sum(not one.key.endswith(" claim") for one in everything) - len(await self.read())

    @property
    def _topic(self) -> str:
        return f"{self.prefix}.events"


async def read_by_aiokafka(address: str, topic: str) -> list[CloudEvent]:
    """All that is committed, partition by partition."""
    partitions = [TopicPartition(topic, shard) for shard in range(SHARDS)]
    found: dict[TopicPartition, list[CloudEvent]] = {partition: [] for partition in partitions}
    consumer = AIOKafkaConsumer(
        bootstrap_servers=address,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    await consumer.start()
    try:
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        async with asyncio.timeout(PATIENCE_S):
            while any([await consumer.position(partition) < end for partition, end in ends.items()]):
                for partition, records in (await consumer.getmany(timeout_ms=100)).items():
                    found[partition] += [CloudEvent.of_kafka(record.headers, record.value) for record in records]
    finally:
        await consumer.stop()
    return [event for partition in partitions for event in found[partition]]


@dataclass
class Streams:
    """One for each shard."""

    to: str
    prefix: str
    place: NatsPlace | StreamPlace

    async def settle(self) -> None:
        await self.place.settle()

    async def read(self) -> list[CloudEvent]:
        return [_event(one) for shard in range(SHARDS) for one in await self.place.read(shard)]

    async def aborted(self) -> int:
        return 0


@dataclass
class Queue:
    """Of somebody who bound it to an exchange: what was read is gone from there. ``place.bind`` before anything."""

    to: str
    prefix: str
    place: ExchangePlace
    taken: list[CloudEvent] = field(default_factory=list)

    async def settle(self) -> None:
        await self.place.settle()

    async def read(self) -> list[CloudEvent]:
        self.taken += [_event(one) for one in await self.place.read(1)]
        return self.taken

    async def aborted(self) -> int:
        return 0


def nats_streams(broker: NatsServer, prefix: str) -> Streams:
    return Streams(f"nats://{broker.address}", prefix, NatsPlace(broker, prefix))


def rabbitmq_streams(broker: RabbitMQ, prefix: str) -> Streams:
    return Streams(f"rabbitmq://127.0.0.1:{broker.stream_port}", prefix, StreamPlace(broker, prefix))


async def rabbitmq_queue(broker: RabbitMQ, prefix: str) -> Queue:
    place = ExchangePlace(broker, prefix)
    await place.bind("*.*")
    to = f"rabbitmq://127.0.0.1:{broker.port}?exchange={prefix}.stock&stream_port={broker.stream_port}"
    return Queue(to, prefix, place)


def _event(told: Told) -> CloudEvent:
    return CloudEvent(told.attributes, orjson.loads(told.data))
