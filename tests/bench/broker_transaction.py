"""One transaction of a broker, written and read by the broker's own clients: what no relay can do without.

Each carries one change as a relay writes it. Kafka: begin, event, level, checkpoint, commit, read by a consumer with
``read_committed``. NATS: an atomic batch of one, acknowledged. RabbitMQ: one message into a stream, confirmed.
"""

import asyncio
import itertools
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import nats
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from nats.js.api import DeliverPolicy, StreamConfig
from rstream.amqp import AMQPMessage
from rstream.client import Client
from rstream.constants import OffsetType
from rstream.schema import Deliver, Message, OffsetSpec, Publish, PublishConfirm

from tests.followers.relay.batches import sales
from tests.harness.brokers.rabbitmq import PASSWORD, USER
from wire.bindings import amqp_properties, kafka_headers, nats_headers

TRANSACTIONS = 200
"""A tenth of them warms up and is not counted."""
ANSWER_S, ALL_S = 30.0, 120.0
BATCH = sales(1, 1)
(EVENT,), (LEVEL,) = BATCH.messages, BATCH.levels

Once = Callable[[], Awaitable[None]]


async def transactions_ms(kind: str, url: str) -> list[float]:
    """Of each, one after the other, until it was read. ``url``: as a relay is told it."""
    took: list[float] = []
    async with asyncio.timeout(ALL_S), OF_KIND[kind](urlsplit(url).netloc) as once:
        for _ in range(TRANSACTIONS):
            began_s = time.perf_counter()
            await once()
            took.append((time.perf_counter() - began_s) * 1_000)
    return took[TRANSACTIONS // 10 :]


@asynccontextmanager
async def _kafka(address: str) -> AsyncIterator[Once]:
    """In a thread, as its client blocks."""
    name = _name()
    topics = [f"{name}.{topic}" for topic in ("events", "levels", "checkpoints")]
    admin = AdminClient({"bootstrap.servers": address})
    for made in admin.create_topics([NewTopic(one, 1, 1) for one in topics]).values():
        made.result(ANSWER_S)
    producer = Producer({"bootstrap.servers": address, "transactional.id": name, "acks": "all"})
    producer.init_transactions(ANSWER_S)
    consumer = Consumer({"bootstrap.servers": address, "group.id": name, "isolation.level": "read_committed"})
    consumer.assign([TopicPartition(topics[0], 0, 0)])

    def once() -> None:
        producer.begin_transaction()
        for topic, message in zip(topics, (EVENT, LEVEL), strict=False):
            headers: Any = kafka_headers(message.attributes)
            producer.produce(topic, message.data, message.key, 0, headers=headers)
        producer.produce(topics[2], BATCH.checkpoint.epoch, "0", 0)
        producer.commit_transaction(ANSWER_S)
        read = consumer.poll(ANSWER_S)
        assert read is not None
        assert read.error() is None, read.error()

    try:
        yield lambda: asyncio.to_thread(once)
    finally:
        consumer.close()


@asynccontextmanager
async def _nats(address: str) -> AsyncIterator[Once]:
    name = _name()
    client = await nats.connect(f"nats://{address}")
    try:
        jetstream = client.jetstream()
        await jetstream.add_stream(StreamConfig(name=name, subjects=[f"{name}.>"], allow_atomic=True))
        read = await jetstream.subscribe(
            f"{name}.>", stream=name, ordered_consumer=True, deliver_policy=DeliverPolicy.ALL
        )

        async def once() -> None:
            batch = {"Nats-Batch-Id": secrets.token_hex(16), "Nats-Batch-Sequence": "1", "Nats-Batch-Commit": "1"}
            await jetstream.publish(f"{name}.0", EVENT.data, headers={**nats_headers(EVENT.attributes), **batch})
            await read.next_msg(ANSWER_S)

        yield once
    finally:
        await client.close()


@asynccontextmanager
async def _rabbitmq(address: str) -> AsyncIterator[Once]:
    name = _name()
    host, _, port = address.partition(":")
    client = Client(host, int(port), frame_max=2**20, heartbeat=60)
    client.add_stream(name)
    await client.start()
    try:
        await client.authenticate("/", USER, PASSWORD)
        await client.create_stream(name)
        await client.declare_publisher(name, name, 0)
        confirmed, read = asyncio.Queue[None](1), asyncio.Queue[None](1)

        async def take(_: Deliver) -> None:
            await client.credit(0, 1)
            read.put_nowait(None)

        client.add_handler(PublishConfirm, lambda _: confirmed.put_nowait(None))
        client.add_handler(Deliver, take, name="0")
        await client.run_queue_listener_task(0, take)
        await client.subscribe(name, 0, OffsetSpec(OffsetType.FIRST), 10)
        body = bytes(AMQPMessage(body=EVENT.data, application_properties=dict(amqp_properties(EVENT.attributes))))
        ids = itertools.count(1)

        async def once() -> None:
            await client.send_publish_frame(Publish(0, [Message(next(ids), None, body)]))
            await confirmed.get()
            await read.get()

        yield once
    finally:
        await client.close()


def _name() -> str:
    return f"alone-{secrets.token_hex(4)}"


OF_KIND = {"kafka": _kafka, "nats": _nats, "rabbitmq": _rabbitmq}
