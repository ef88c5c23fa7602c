"""RabbitMQ's streams of all shards."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

from rstream import AMQPMessage, Consumer, ConsumerOffsetSpecification, MessageContext, OffsetType, amqp_decoder
from rstream.exceptions import ServerError, StreamDoesNotExist
from rstream.utils import OnClosedErrorInfo

from followers.brokers.broker import Broker
from followers.brokers.rabbitmq_streams import PORT, TLS_PORT, USER
from followers.listener.printed import line_of
from wire.bindings import AMQP_PREFIX

SHARDS_MAX = 64
WAITING_MAX = 1_000
LOOK_EVERY_S = 1.0


async def lines(broker: Broker, prefix: str, *, from_start: bool) -> AsyncGenerator[bytes, None]:
    """Until the connection ends. Raises ConnectionError, LookupError if there is no such stream."""
    waiting: asyncio.Queue[AMQPMessage] = asyncio.Queue(WAITING_MAX)
    closed = asyncio.Event()

    async def ended(_: OnClosedErrorInfo) -> None:
        closed.set()

    async def told(message: AMQPMessage, _: MessageContext) -> None:
        await waiting.put(message)

    address = broker.address
    host, port = address.endpoints(TLS_PORT if address.tls else PORT)[0]
    consumer = Consumer(
        host,
        port,
        username=broker.user or USER,
        password=broker.password or USER,
        vhost=address.vhost,
        ssl_context=broker.context(),
        on_close_handler=ended,
        connection_name="stockwire-listen",
    )
    start = ConsumerOffsetSpecification(OffsetType.FIRST if from_start else OffsetType.NEXT)
    try:
        await consumer.start()
        found = 0
        with suppress(StreamDoesNotExist):
            for found in range(SHARDS_MAX):
                await consumer.subscribe(f"{prefix}-{found}", told, decoder=amqp_decoder, offset_specification=start)
        if not found:
            raise LookupError(f"no stream {prefix}-0")
        while not closed.is_set():
            with suppress(TimeoutError):
                message = await asyncio.wait_for(waiting.get(), LOOK_EVERY_S)
                yield _line(message)
        raise ConnectionError("the connection ended")
    except (OSError, ServerError) as error:
        raise ConnectionError(str(error)) from error
    finally:
        await consumer.close()


def _line(message: AMQPMessage) -> bytes:
    headers = {_text(name): _text(value) for name, value in (message.application_properties or {}).items()}
    content_type = _text(message.properties.content_type) if message.properties else ""
    return line_of({**headers, "content-type": content_type}, AMQP_PREFIX, bytes(message.body or b"null"))


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value or "")
