"""RabbitMQ's streams of all shards: those that a relay writes, or those beside its exchange."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

from rstream import AMQPMessage, schema
from rstream.constants import OffsetType
from rstream.exceptions import ServerError, StreamDoesNotExist

from followers.brokers.broker import Broker
from followers.brokers.exchange import EXCHANGE, stream_port_of
from followers.brokers.rabbitmq_streams import PORT, TLS_PORT, StreamConnection, message_of
from followers.listener.printed import line_of
from wire.bindings import AMQP_PREFIX

SHARDS_MAX = 64
CHUNKS_MAX = 10
"""Of a stream, on their way here: the broker sends the next one for each that was taken."""
WAITING_MAX = 1_000
LOOK_EVERY_S = 1.0
"""Whether the broker still answers, while nothing comes."""


async def lines(broker: Broker, prefix: str, *, from_start: bool) -> AsyncGenerator[bytes, None]:
    """Until the connection ends. Raises ConnectionError, LookupError if there is no such stream."""
    exchange = broker.address.options.get(EXCHANGE)
    port = None
    if exchange is not None:
        prefix = f"{prefix}-{exchange}"
        port = stream_port_of(broker, "the URL") or (TLS_PORT if broker.address.tls else PORT)
    start = schema.OffsetSpec(OffsetType.FIRST if from_start else OffsetType.NEXT)
    waiting: asyncio.Queue[AMQPMessage] = asyncio.Queue(WAITING_MAX)
    try:
        async with StreamConnection(broker, "stockwire-listen", port) as connection:
            found = 0
            with suppress(StreamDoesNotExist):
                for found in range(SHARDS_MAX):
                    await _subscribe(connection, f"{prefix}-{found}", found, start, waiting)
            if not found:
                raise LookupError(f"no stream {prefix}-0")
            while connection.is_open:
                try:
                    message = await asyncio.wait_for(waiting.get(), LOOK_EVERY_S)
                except TimeoutError:
                    await connection.within(connection.client.stream_exists(f"{prefix}-0"))
                else:
                    yield _line(message)
            raise ConnectionError("the connection ended")
    except (OSError, ServerError) as error:
        raise ConnectionError(str(error) or type(error).__name__) from error


async def _subscribe(
    connection: StreamConnection,
    stream: str,
    number: int,
    start: schema.OffsetSpec,
    waiting: asyncio.Queue[AMQPMessage],
) -> None:
    """``number``: of the subscription."""
    client = connection.client
    last_id: object = None

    async def take(chunk: schema.Deliver) -> None:
        """The client gives it those of all subscriptions."""
        nonlocal last_id
        if chunk.subscription_id != number:
            return
        for message in map(message_of, chunk.get_messages()):
            id_ = message.properties.message_id if message.properties else None
            if id_ is None or id_ != last_id:  # beside an exchange the last one of a page stands there twice
                await waiting.put(message)
            last_id = id_
        await client.credit(number, 1)

    client.add_handler(schema.Deliver, take, name=str(number))
    await client.run_queue_listener_task(number, take)
    await connection.within(client.subscribe(stream, number, start, CHUNKS_MAX))


def _line(message: AMQPMessage) -> bytes:
    headers = {_text(name): _text(value) for name, value in (message.application_properties or {}).items()}
    content_type = _text(message.properties.content_type) if message.properties else ""
    return line_of({**headers, "content-type": content_type}, AMQP_PREFIX, bytes(message.body or b"null"))


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value or "")
