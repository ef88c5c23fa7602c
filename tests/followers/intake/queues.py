"""Queues of commands at real brokers, and what stands in their results and dead messages."""

import asyncio
import secrets
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote

import aio_pika
import nats
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka import Message as KafkaMessage
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # its stubs do not re-export
from nats.aio.client import Client
from nats.js.api import ConsumerConfig, DeliverPolicy, StreamConfig

from tests.followers.intake.running import Sent
from tests.harness.waiting import PATIENCE_S
from wire.bindings import amqp_properties, kafka_headers, nats_headers

PARTITIONS = 3
TOGETHER_MAX = 500
"""Messages at a time."""


class Told(NamedTuple):
    """``headers``: as text, without the broker's prefix of attributes."""

    headers: dict[str, str]
    value: bytes


def _text(value: object) -> str:
    assert isinstance(value, bytes)
    return value.decode()


class Queue(Protocol):
    @property
    def url(self) -> str: ...

    async def make(self) -> None:
        """What must be there before commands are sent."""

    async def send(self, commands: Sequence[Sent]) -> None:
        """In this order, and kept when it returns."""

    async def results(self) -> list[Told]:
        """All that came since it was made. It reads what is new alone, so that it may be asked often."""

    async def dead(self) -> list[Told]: ...


class KafkaQueue:
    def __init__(self, address: str, prefix: str, partitions: int = PARTITIONS) -> None:
        self.url = f"kafka://{address}"
        self._address = address
        self._prefix = prefix
        self._found: defaultdict[str, list[Told]] = defaultdict(list)
        self._next: defaultdict[tuple[str, int], int] = defaultdict(int)
        self._partitions = partitions

    async def make(self) -> None:
        def made() -> None:
            admin = AdminClient({"bootstrap.servers": self._address})
            names = [f"{self._prefix}.{name}" for name in ("commands", "results", "dead")]
            topics = [NewTopic(name, self._partitions, 1) for name in names]
            for future in admin.create_topics(topics).values():
                future.result(PATIENCE_S)
            consumer = Consumer({"bootstrap.servers": self._address, "group.id": f"{self._prefix}-test"})
            partitions = [TopicPartition(name, one) for name in names for one in range(self._partitions)]
            end = time.monotonic() + PATIENCE_S
            while partitions:  # Apache Kafka names their leader before that knows of it
                try:
                    consumer.get_watermark_offsets(partitions[-1], PATIENCE_S)
                    partitions.pop()
                except KafkaException:
                    if time.monotonic() > end:
                        raise
            consumer.close()

        await asyncio.to_thread(made)

    async def send(self, commands: Sequence[Sent]) -> None:
        def sent() -> None:
            producer = Producer({"bootstrap.servers": self._address, "enable.idempotence": True})
            for one in commands:
                headers = kafka_headers({**one.attributes, "datacontenttype": "application/json"})
                producer.produce(
                    f"{self._prefix}.commands", one.data, one.attributes.get("partitionkey"), headers=list(headers)
                )
                producer.poll(0)
            assert producer.flush(PATIENCE_S) == 0

        await asyncio.to_thread(sent)

    async def results(self) -> list[Told]:
        return await asyncio.to_thread(self._read, "results")

    async def dead(self) -> list[Told]:
        return await asyncio.to_thread(self._read, "dead")

    def _read(self, name: str) -> list[Told]:
        """Committed alone, to the end of each partition."""
        consumer = Consumer(
            {
                "bootstrap.servers": self._address,
                "group.id": f"{self._prefix}-test",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
            }
        )
        topic = f"{self._prefix}.{name}"
        try:
            consumer.assign([TopicPartition(topic, one, self._next[topic, one]) for one in range(self._partitions)])
            ended: set[int] = set()
            while len(ended) < self._partitions:
                first = consumer.poll(PATIENCE_S)
                assert first is not None, f"nothing of {name}, not even its end"
                for message in [first, *consumer.consume(TOGETHER_MAX, 0)]:  # which would wait for so many
                    partition, offset = message.partition() or 0, message.offset() or 0
                    if (error := message.error()) is not None:
                        assert error.code() == KafkaError._PARTITION_EOF, error
                        ended.add(partition)
                    else:
                        self._found[name].append(_of_kafka(message))
                        self._next[topic, partition] = offset + 1
        finally:
            consumer.close()
        return self._found[name]


def _of_kafka(message: KafkaMessage) -> Told:
    headers = dict(message.headers() or ())
    value = message.value()
    assert isinstance(value, bytes)
    return Told({name.removeprefix("ce_"): _text(said) for name, said in headers.items()}, value)


class RabbitMQQueue:
    """Takes what stands in a queue, as whoever reads answers does."""

    def __init__(self, address: str, prefix: str, vhost: str = "") -> None:
        self.url = f"rabbitmq://{address}/{vhost}"
        self._amqp = f"amqp://guest:guest@{address}/{vhost}"
        self._prefix = prefix
        self._found: defaultdict[str, list[Told]] = defaultdict(list)

    async def make(self) -> None:
        async with await aio_pika.connect(self._amqp) as connection, connection.channel() as channel:
            quorum: dict[str, Any] = {"x-queue-type": "quorum"}
            for name in ("results", "dead"):
                await channel.declare_queue(f"{self._prefix}.{name}", durable=True, arguments={**quorum})
            ordered = {**quorum, "x-single-active-consumer": True}
            await channel.declare_queue(f"{self._prefix}.commands", durable=True, arguments=ordered)

    async def send(self, commands: Sequence[Sent]) -> None:
        async with await aio_pika.connect(self._amqp) as connection, connection.channel() as channel:
            messages = [
                aio_pika.Message(
                    one.data,
                    headers=dict(amqp_properties(one.attributes)),
                    content_type="application/json",
                    delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                )
                for one in commands
            ]
            exchange = channel.default_exchange
            await asyncio.gather(*(exchange.publish(one, f"{self._prefix}.commands") for one in messages))

    async def results(self) -> list[Told]:
        return await self._read("results")

    async def dead(self) -> list[Told]:
        return await self._read("dead")

    async def _read(self, name: str) -> list[Told]:
        async with await aio_pika.connect(self._amqp) as connection, connection.channel() as channel:
            await channel.set_qos(prefetch_count=2 * TOGETHER_MAX)
            queue = await channel.get_queue(f"{self._prefix}.{name}")
            left = queue.declaration_result.message_count or 0
            if left == 0:
                return self._found[name]
            async with queue.iterator(timeout=PATIENCE_S) as messages:
                async for message in messages:
                    headers = {key.removeprefix("cloudEvents:"): str(value) for key, value in message.headers.items()}
                    self._found[name].append(Told(headers, message.body))
                    left -= 1
                    if left % TOGETHER_MAX == 0:
                        await message.ack(multiple=True)
                    if left == 0:
                        break
        return self._found[name]


class NatsQueue:
    def __init__(self, address: str, prefix: str) -> None:
        self.url = f"nats://{address}"
        self._prefix = prefix
        self._found: defaultdict[str, list[Told]] = defaultdict(list)

    async def make(self) -> None:
        async with self._client() as client:
            jetstream = client.jetstream(timeout=PATIENCE_S)
            for name in ("commands", "results", "dead"):
                subjects = [f"{self._prefix}.{name}", f"{self._prefix}.{name}.>"]
                stream = StreamConfig(name=f"{self._prefix}-{name}", subjects=subjects, allow_atomic=True)
                await jetstream.add_stream(stream)

    async def send(self, commands: Sequence[Sent]) -> None:
        """In atomic batches (ADR-50): one by one each would be on disk before the next."""
        async with self._client() as client:
            jetstream = client.jetstream(timeout=PATIENCE_S)
            for first in range(0, len(commands), TOGETHER_MAX):
                together = commands[first : first + TOGETHER_MAX]
                batch = secrets.token_hex(8)
                for number, one in enumerate(together, 1):
                    headers = {
                        **nats_headers(one.attributes),
                        "Nats-Batch-Id": batch,
                        "Nats-Batch-Sequence": f"{number}",
                    }
                    if len(together) == 1:
                        await jetstream.publish(
                            f"{self._prefix}.commands", one.data, headers=nats_headers(one.attributes)
                        )
                    elif number < len(together):
                        await client.publish(f"{self._prefix}.commands", one.data, headers=headers)
                    else:
                        headers["Nats-Batch-Commit"] = "1"
                        await jetstream.publish(f"{self._prefix}.commands", one.data, headers=headers)

    async def results(self) -> list[Told]:
        return await self._read("results")

    async def dead(self) -> list[Told]:
        return await self._read("dead")

    async def _read(self, name: str) -> list[Told]:
        found = self._found[name]
        async with self._client() as client:
            jetstream = client.jetstream(timeout=PATIENCE_S)
            stream = f"{self._prefix}-{name}"
            kept = (await jetstream.stream_info(stream)).state.messages
            if len(found) < kept:
                behind = ConsumerConfig(deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=len(found) + 1)
                reader = await jetstream.subscribe(
                    f"{self._prefix}.{name}", stream=stream, ordered_consumer=True, config=behind
                )
                while len(found) < kept:
                    message = await reader.next_msg(PATIENCE_S)
                    headers = {
                        key.removeprefix("ce-"): unquote(value) for key, value in (message.headers or {}).items()
                    }
                    found.append(Told(headers, message.data))
        return found

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[Client]:
        client = await nats.connect(self.url)
        try:
            yield client
        finally:
            await client.close()


QUEUES: dict[str, Callable[[str, str], Queue]] = {"kafka": KafkaQueue, "rabbitmq": RabbitMQQueue, "nats": NatsQueue}
"""By the name of a broker's fixture: of its address and a prefix."""
