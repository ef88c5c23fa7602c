"""Queues of commands at real brokers, and what stands in their results and dead messages."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote

import aio_pika
import nats
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # its stubs do not re-export
from nats.aio.client import Client
from nats.js.api import StreamConfig

from tests.followers.intake.running import Sent
from tests.harness.waiting import PATIENCE_S
from wire.bindings import amqp_properties, kafka_headers, nats_headers

PARTITIONS = 3


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
        """All that there are."""

    async def dead(self) -> list[Told]: ...


class KafkaQueue:
    def __init__(self, address: str, prefix: str) -> None:
        self.url = f"kafka://{address}"
        self._address = address
        self._prefix = prefix

    async def make(self) -> None:
        def made() -> None:
            admin = AdminClient({"bootstrap.servers": self._address})
            topics = [NewTopic(f"{self._prefix}.{name}", PARTITIONS, 1) for name in ("commands", "results", "dead")]
            for future in admin.create_topics(topics).values():
                future.result(PATIENCE_S)

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
        found: list[Told] = []
        try:
            consumer.assign([TopicPartition(f"{self._prefix}.{name}", number, 0) for number in range(PARTITIONS)])
            ended: set[int] = set()
            while len(ended) < PARTITIONS:
                message = consumer.poll(PATIENCE_S)
                assert message is not None, f"nothing of {name}, not even its end"
                if (error := message.error()) is not None:
                    assert error.code() == KafkaError._PARTITION_EOF, error
                    ended.add(message.partition() or 0)
                else:
                    headers = dict(message.headers() or ())
                    told = {name.removeprefix("ce_"): _text(said) for name, said in headers.items()}
                    value = message.value()
                    assert isinstance(value, bytes)
                    found.append(Told(told, value))
        finally:
            consumer.close()
        return found


class RabbitMQQueue:
    """Reads what stands in a queue without taking it: everything goes back when the connection ends."""

    def __init__(self, address: str, prefix: str) -> None:
        self.url = f"rabbitmq://{address}"
        self._amqp = f"amqp://guest:guest@{address}/"
        self._prefix = prefix

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
        found: list[Told] = []
        async with await aio_pika.connect(self._amqp) as connection, connection.channel() as channel:
            queue = await channel.get_queue(f"{self._prefix}.{name}")
            while (message := await queue.get(fail=False, timeout=PATIENCE_S)) is not None:
                headers = {key.removeprefix("cloudEvents:"): str(value) for key, value in message.headers.items()}
                found.append(Told(headers, message.body))
        return found


class NatsQueue:
    def __init__(self, address: str, prefix: str) -> None:
        self.url = f"nats://{address}"
        self._prefix = prefix

    async def make(self) -> None:
        async with self._client() as client:
            jetstream = client.jetstream(timeout=PATIENCE_S)
            for name in ("commands", "results", "dead"):
                subjects = [f"{self._prefix}.{name}", f"{self._prefix}.{name}.>"]
                await jetstream.add_stream(StreamConfig(name=f"{self._prefix}-{name}", subjects=subjects))

    async def send(self, commands: Sequence[Sent]) -> None:
        """One after the other, since each is on disk when it is confirmed."""
        async with self._client() as client:
            jetstream = client.jetstream(timeout=PATIENCE_S)
            told = [
                await jetstream.publish_async(
                    f"{self._prefix}.commands", one.data, headers=nats_headers(one.attributes)
                )
                for one in commands
            ]
            await asyncio.gather(*told)

    async def results(self) -> list[Told]:
        return await self._read("results")

    async def dead(self) -> list[Told]:
        return await self._read("dead")

    async def _read(self, name: str) -> list[Told]:
        found: list[Told] = []
        async with self._client() as client:
            jetstream = client.jetstream(timeout=PATIENCE_S)
            stream = f"{self._prefix}-{name}"
            kept = (await jetstream.stream_info(stream)).state.messages
            reader = await jetstream.subscribe(f"{self._prefix}.{name}", stream=stream, ordered_consumer=True)
            while len(found) < kept:
                message = await reader.next_msg(PATIENCE_S)
                headers = {key.removeprefix("ce-"): unquote(value) for key, value in (message.headers or {}).items()}
                found.append(Told(headers, message.data))
        return found

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[Client]:
        client = await nats.connect(self.url)
        try:
            yield client
        finally:
            await client.close()
