"""A RabbitMQ as tests of its sinks need it: what stands there, and what is in the way."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
import orjson
from rstream import schema
from rstream.amqp import amqp_decoder
from rstream.constants import OffsetType

from followers.brokers.address import address_of
from followers.brokers.broker import Broker as BrokerSettings
from followers.brokers.exchange import OPTIONS
from followers.brokers.rabbitmq_streams import StreamConnection
from followers.relay.message import Batch, Checkpoint
from followers.relay.routes import routing_key
from followers.relay.sinks.rabbitmq_exchange import ALSO_TO, CONFIRMED, WRITER, RabbitmqExchangeSink, text_of
from followers.relay.sinks.rabbitmq_stream import RabbitmqStreamSink
from stockwire.streams import CloudEvent
from tests.followers.relay.sinks.conformance import SHARD, Told
from tests.harness.brokers.rabbitmq import STREAMS, RabbitMQ
from tests.harness.waiting import wait_until
from wire.envelope import CONTENT_TYPE

PREFIX = "cloudEvents:"
CREDITS = 65_535
"""Chunks, each of one message at least: as many as can be asked for at once."""


def settings(url: str) -> BrokerSettings:
    return BrokerSettings(address_of(url, OPTIONS), "guest", "guest", "", None, None, None)


class StreamPlace:
    large_bytes = 2**20
    takes_back = False

    def __init__(self, broker: RabbitMQ, prefix: str) -> None:
        self.broker = broker
        self.prefix = prefix
        self.settings = settings(f"rabbitmq://127.0.0.1:{broker.stream_port}")

    def sink(self, *, structured: bool = False) -> RabbitmqStreamSink:
        return RabbitmqStreamSink(self.settings, self.prefix, structured=structured)

    async def read(self, shard: int) -> list[Told]:
        """From its first chunk on, until the last message that is there now was read."""
        stream = f"{self.prefix}-{shard}"
        chunks: list[schema.Deliver] = []
        async with StreamConnection(self.settings, "test") as connection:
            last = await connection.last_message(stream)
            if last is None:
                return []
            client = connection.client
            client.add_handler(schema.Deliver, chunks.append, name="1")
            await client.run_queue_listener_task(1, chunks.append)
            await client.subscribe(stream, 1, schema.OffsetSpec(OffsetType.FIRST), initial_credit=CREDITS)

            async def read_to_the_end() -> bool:
                return bool(chunks) and chunks[-1].chunk_first_offset + chunks[-1].num_records > last[0]

            await wait_until(read_to_the_end, what=f"{stream} was read")
        return [told(body) for chunk in chunks for body in chunk.get_messages()]

    async def settle(self) -> None:
        await self.broker.await_kept(STREAMS)

    async def write_foreign(self, message: aio_pika.Message) -> None:
        async with await aio_pika.connect(self.broker.url) as connection, connection.channel() as channel:
            await channel.default_exchange.publish(message, f"{self.prefix}-{SHARD}")

    async def spoil(self) -> str:
        async with await aio_pika.connect(self.broker.url) as connection:
            channel = await connection.channel()
            await channel.declare_queue(f"{self.prefix}-0", durable=True)
        return f"the queue {self.prefix}-0 is no stream: delete it"


def told(body: bytes) -> Told:
    message = amqp_decoder(body)
    found = {
        name.decode().removeprefix(PREFIX): value.decode()
        for name, value in (message.application_properties or {}).items()
        if name.startswith(PREFIX.encode())
    }
    assert message.properties is not None
    assert message.properties.message_id == found["id"].encode()
    attributes, data = content_typed(found, message.properties.content_type.decode()), bytes(message.body or b"")
    read = CloudEvent.of_amqp(message.application_properties, message.properties.content_type, data)
    assert read == CloudEvent(attributes, orjson.loads(data)), "the client reads it so"
    return Told(attributes, data)


def content_typed(attributes: dict[str, str], content_type: str) -> dict[str, str]:
    assert content_type == CONTENT_TYPE
    return {**attributes, "datacontenttype": content_type}


class ExchangePlace:
    large_bytes = 2**24
    takes_back = False

    def __init__(self, broker: RabbitMQ, prefix: str) -> None:
        self.broker = broker
        self.prefix = prefix
        self._exchange = f"{prefix}.stock"
        url = f"rabbitmq://127.0.0.1:{broker.port}?exchange={self._exchange}"
        self.settings = settings(url)
        self.listened = settings(f"{url}&stream_port={broker.stream_port}")

    def sink(self, *, structured: bool = False) -> RabbitmqExchangeSink:
        return RabbitmqExchangeSink(
            self.settings,
            self.prefix,
            structured=structured,
            exchange=self._exchange,
            stream_port=self.broker.stream_port,
        )

    async def bind(self, levels: str = "berlin.*") -> None:
        """A queue of somebody else. ``levels``: the binding; of conformance's shard 1 all are in Berlin."""
        async with await aio_pika.connect(self.broker.url) as connection:
            channel = await connection.channel()
            exchange = await channel.declare_exchange(self._exchange, "topic", durable=True)
            queue = await channel.declare_queue(self.prefix, durable=True, arguments={"x-queue-type": "quorum"})
            await queue.bind(exchange, levels)
            await queue.bind(exchange, "*")

    @asynccontextmanager
    async def full_behind(self, messages: int) -> AsyncIterator[None]:
        """With another queue, which refuses what is more."""
        async with await aio_pika.connect(self.broker.url) as connection:
            channel = await connection.channel()
            bounds: dict[str, Any] = {"x-max-length": messages, "x-overflow": "reject-publish"}
            queue = await channel.declare_queue(f"{self.prefix}-full", exclusive=True, arguments=bounds)
            await queue.bind(self._exchange, "berlin.*")
            yield

    async def write_unconfirmed(self, batch: Batch, before: Checkpoint) -> None:
        """As a relay that is killed before it knows that the page is kept. ``before``: what it knew of."""
        sink = self.sink()
        own = {CONFIRMED: text_of(before), WRITER: "killed", ALSO_TO: [sink.log_key(SHARD)]}
        async with await aio_pika.connect(self.broker.url) as connection:
            exchange = await (await connection.channel()).get_exchange(self._exchange)
            for message in batch.messages:
                await exchange.publish(sink.rendered(message, own), routing_key(message.key))

    async def unbind(self, shard: int) -> None:
        """The relay's own stream."""
        async with await aio_pika.connect(self.broker.url) as connection:
            channel = await connection.channel()
            log = await channel.get_queue(f"{self.prefix}-{self._exchange}-{shard}")
            await log.unbind(self._exchange, f"{self.prefix}.log.{shard}")

    async def read(self, shard: int) -> list[Told]:
        read: list[Told] = []
        async with await aio_pika.connect(self.broker.url) as connection:
            channel = await connection.channel()
            queue = await channel.get_queue(self.prefix)
            while (message := await queue.get(no_ack=True, fail=False)) is not None:
                headers = {
                    name.removeprefix(PREFIX): str(value)
                    for name, value in message.headers.items()
                    if name.startswith(PREFIX)
                }
                assert message.message_id == headers["id"]
                assert message.delivery_mode == aio_pika.DeliveryMode.PERSISTENT
                attributes = content_typed(headers, message.content_type or "")
                by_client = CloudEvent.of_amqp(message.headers, message.content_type, message.body)
                assert by_client == CloudEvent(attributes, orjson.loads(message.body)), "the client reads it so"
                read.append(Told(attributes, message.body))
        return read if shard else []

    async def settle(self) -> None:
        await self.broker.await_kept(STREAMS)
        await self.broker.await_kept(self.prefix)

    async def spoil(self) -> str:
        async with await aio_pika.connect(self.broker.url) as connection:
            channel = await connection.channel()
            await channel.exchange_delete(self._exchange)
            await channel.declare_exchange(self._exchange, "fanout", durable=True)
        return "RabbitMQ refuses: .*type.* delete what is in the way"
