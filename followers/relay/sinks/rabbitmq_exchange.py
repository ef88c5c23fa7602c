"""A topic exchange of RabbitMQ, for queues that others bind by ``location.sku``: at least once.

Beside those queues a stream for each shard is bound, whose last message says how far the shard is. The broker hands a
message to all queues at once, but a crash can leave it in the stream and not in a queue: confirmed is only what was
confirmed. So each message says up to where all was before it (``CONFIRMED``), and when a page was confirmed, its last
message is written to the stream once more, to that alone, and says so of itself. Who finds another message last goes on
behind what that says is confirmed: the windows that were on their way come twice, with the same ids, or a whole history
that was being told. Who writes is in each message too (``WRITER``): a relay that finds another one's behind its own
gives up. Between the look and the write nothing stops it, which costs a page of repeats, no more.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, Self

from aio_pika import DeliveryMode, ExchangeType
from aio_pika import Message as AmqpMessage
from aio_pika.abc import AbstractChannel, AbstractExchange
from aio_pika.exceptions import AMQPError, ChannelPreconditionFailed, ProbableAuthenticationError, PublishError
from aiormq.exceptions import ChannelAccessRefused, ConnectionNotAllowed

from followers.brokers.broker import Broker
from followers.brokers.rabbitmq import ANSWER_S, RabbitmqConnection, VhostRefused
from followers.brokers.rabbitmq_streams import PORT as STREAM_PORT
from followers.brokers.rabbitmq_streams import TLS_PORT as STREAM_TLS_PORT
from followers.brokers.rabbitmq_streams import StreamConnection
from followers.brokers.tls import NoTls
from followers.relay.message import Batch, Checkpoint, Message
from followers.relay.routes import routing_key
from followers.relay.sink import SinkAway, SinkRefused, Superseded, TooLarge
from followers.relay.sinks.rabbitmq_last import RIGHTS_FIX, Last, last_of
from followers.relay.sinks.rabbitmq_stream import told
from wire.bindings import amqp_properties
from wire.envelope import CONTENT_TYPE, STRUCTURED_CONTENT_TYPE, structured

ALSO_TO = "BCC"
"""More routing keys of a message, of which those who get it see nothing (RabbitMQ's sender-selected distribution)."""
CONFIRMED, WRITER = "stockwire:confirmed", "stockwire:writer"
TELLING = "telling"
"""``CONFIRMED`` while a history is being told; empty where nothing stood before."""
LOG_BYTES_MAX, LOG_SEGMENT_BYTES = 64 * 2**20, 8 * 2**20
"""Of the stream beside the queues, of which only the last message counts."""
WINDOW, WINDOWS = 50, 2
"""Messages that are confirmed together, and how many times as many are on their way at once, of a page of up to 1,000:
what a failure repeats. While one window is confirmed the next is sent."""
MESSAGE_BYTES_MAX = 16 * 2**20
"""RabbitMQ's ``max_message_size`` since 4.0, as it comes: before it takes 128 MiB. Nothing of a ledger is so large."""


class RabbitmqExchangeSink:
    """See ``Sink``. A channel for each shard over one connection, and a connection of streams that only reads."""

    levels_apart = False
    window: int | None = WINDOW
    repeats = True

    def __init__(
        self, broker: Broker, prefix: str, *, structured: bool, exchange: str, stream_port: int | None
    ) -> None:
        """``stream_port``: of the same hosts, None where it is the usual one."""
        self._broker = broker
        self._prefix = prefix
        self._structured = structured
        self._exchange = exchange
        self._stream_port = stream_port or (STREAM_TLS_PORT if broker.address.tls else STREAM_PORT)
        self._connection: RabbitmqConnection | None = None
        self._reader: StreamConnection | None = None
        self._connecting = asyncio.Lock()
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()
        self._connection = self._reader = None

    async def prepare(self, shards: int) -> None:
        with published():
            connection, _ = await self._connected()
            for shard in range(shards):
                await connection.within(self._bind(connection, shard))

    async def _bind(self, connection: RabbitmqConnection, shard: int) -> None:
        async with await connection.channel() as channel:
            exchange = await channel.declare_exchange(self._exchange, ExchangeType.TOPIC, durable=True)
            log = await channel.declare_queue(
                self.log(shard),
                durable=True,
                arguments={
                    "x-queue-type": "stream",
                    "x-max-length-bytes": LOG_BYTES_MAX,
                    "x-stream-max-segment-size-bytes": LOG_SEGMENT_BYTES,
                },
            )
            await log.bind(exchange, self.log_key(shard))

    async def last(self, shard: int) -> Checkpoint | None:
        last = await self.last_written(shard)
        return None if last is None else confirmed_in(last)

    async def last_written(self, shard: int) -> Last | None:
        with published(), told():
            _, reader = await self._connected()
            return await last_of(reader, self.log(shard))

    @asynccontextmanager
    async def writer(self, shard: int) -> AsyncIterator["RabbitmqExchangeWriter"]:
        async with AsyncExitStack() as open_:
            yield RabbitmqExchangeWriter(self, shard, open_)

    async def opened(self, open_: AsyncExitStack) -> tuple[RabbitmqConnection, AbstractChannel, AbstractExchange]:
        """The channel is closed with ``open_``."""
        connection, _ = await self._connected()
        channel = await connection.within(connection.channel())
        open_.push_async_callback(connection.left, channel)
        return connection, channel, await connection.within(channel.get_exchange(self._exchange, ensure=True))

    def rendered(self, message: Message, own: dict[str, Any]) -> AmqpMessage:
        """``own``: headers of the relay."""
        attributes, data = message.attributes, message.data
        if self._structured:
            content_type, headers, body = STRUCTURED_CONTENT_TYPE, {}, structured(attributes, data)
        else:
            content_type, headers, body = CONTENT_TYPE, amqp_properties(attributes), data
        return AmqpMessage(
            body,
            headers={**headers, **own},
            content_type=content_type,
            delivery_mode=DeliveryMode.PERSISTENT,
            message_id=message.id,
        )

    def log(self, shard: int) -> str:
        """The stream beside the queues."""
        return f"{self._prefix}-{self._exchange}-{shard}"

    def log_key(self, shard: int) -> str:
        """Three words, which no binding by ``location.sku`` can mean, nor one by the shard."""
        return f"{self._prefix}.log.{shard}"

    async def _connected(self) -> tuple[RabbitmqConnection, StreamConnection]:
        async with self._connecting:
            if not (self._connection and self._connection.is_open and self._reader and self._reader.is_open):
                self._connection = self._reader = None
                await self._open.aclose()
                name = f"{self._prefix} relay"
                connection = await self._open.enter_async_context(RabbitmqConnection(self._broker, name))
                with told():
                    self._reader = await self._open.enter_async_context(
                        StreamConnection(self._broker, name, self._stream_port)
                    )
                self._connection = connection
            return self._connection, self._reader


class RabbitmqExchangeWriter:
    """See ``Writer``."""

    def __init__(self, sink: RabbitmqExchangeSink, shard: int, open_: AsyncExitStack) -> None:
        self._sink = sink
        self._shard = shard
        self._open = open_
        self._channel: tuple[RabbitmqConnection, AbstractChannel, AbstractExchange] | None = None
        self._me = secrets.token_hex(6)
        self._written_by: str | None = None
        self._confirmed: Checkpoint | None = None

    async def claim(self, epoch: str) -> Checkpoint | None:
        self._channel = None
        await self._open.aclose()
        with published():
            self._channel = await self._sink.opened(self._open)
        last = await self._sink.last_written(self._shard)
        self._written_by = None if last is None else last.properties.get(WRITER)
        self._confirmed = None if last is None else confirmed_in(last)
        return self._confirmed

    async def rest(self) -> None:
        """What is kept is shown."""

    async def write(self, batch: Batch) -> None:
        if self._channel is None:
            raise SinkAway("the shard has to be claimed first")
        connection, channel, exchange = self._channel
        own = {WRITER: self._me, ALSO_TO: [self._sink.log_key(self._shard)]}
        messages = [self._sink.rendered(message, own) for message in batch.messages]
        for message, rendered in zip(batch.messages, messages, strict=True):
            if len(rendered.body) > MESSAGE_BYTES_MAX:
                raise TooLarge(message.id, len(rendered.body), MESSAGE_BYTES_MAX, "max_message_size of RabbitMQ")
        last = await self._sink.last_written(self._shard)
        if (None if last is None else last.properties.get(WRITER)) != self._written_by:
            raise Superseded("another relay has written")
        self._channel = None  # until it is known what stands there
        if messages:
            with published():
                await self._publish(connection, exchange, batch, messages)
                if batch.checkpoint.complete:
                    await connection.within(self._mark(channel, batch))
            self._written_by = self._me
        self._confirmed = batch.checkpoint
        self._channel = connection, channel, exchange

    async def _publish(
        self, connection: RabbitmqConnection, exchange: AbstractExchange, batch: Batch, rendered: list[AmqpMessage]
    ) -> None:
        """All in order, and until all are confirmed."""
        sent: deque[tuple[asyncio.Task[None], Message]] = deque()
        try:
            for start in range(0, len(rendered), WINDOW):
                window = rendered[start : start + WINDOW]
                messages = batch.messages[start : start + WINDOW]
                if len(sent) == WINDOWS:
                    await self._kept(sent, batch.checkpoint.epoch)
                for one in window:
                    one.headers[CONFIRMED] = text_of(self._confirmed)
                publishing = asyncio.create_task(_publish(connection, exchange, messages, window))
                sent.append((publishing, messages[-1]))
            while sent:
                await self._kept(sent, batch.checkpoint.epoch)
        finally:
            for task, _ in sent:
                task.cancel()
            await asyncio.gather(*(task for task, _ in sent), return_exceptions=True)

    async def _kept(self, sent: deque[tuple[asyncio.Task[None], Message]], epoch: str) -> None:
        """Waits for the first of them. Of a history all is confirmed at its end."""
        task, last = sent[0]
        await task
        sent.popleft()
        if last.seq is not None:
            self._confirmed = Checkpoint(epoch, last.seq)

    async def _mark(self, channel: AbstractChannel, batch: Batch) -> None:
        own = {CONFIRMED: text_of(batch.checkpoint), WRITER: self._me}
        mark = self._sink.rendered(batch.messages[-1], own)
        await channel.default_exchange.publish(mark, self._sink.log(self._shard), mandatory=True, timeout=ANSWER_S)


async def _publish(
    connection: RabbitmqConnection, exchange: AbstractExchange, messages: list[Message], rendered: list[AmqpMessage]
) -> None:
    """All are on their way, in order, before the first is confirmed."""

    async def confirmed() -> list[object]:
        publishing = (
            exchange.publish(one, routing_key(message.key), mandatory=True, timeout=ANSWER_S)
            for message, one in zip(messages, rendered, strict=True)
        )
        return await asyncio.gather(*publishing, return_exceptions=True)

    for outcome in await connection.within(confirmed()):
        if isinstance(outcome, BaseException):
            raise outcome


def text_of(confirmed: Checkpoint | None) -> str:
    if confirmed is None:
        return ""
    return f"{confirmed.epoch} {confirmed.seq}" if confirmed.complete else TELLING


def confirmed_in(last: Last) -> Checkpoint:
    """Up to where all is in the queues too. A history that was being told is told again from its beginning."""
    confirmed = last.properties.get(CONFIRMED, TELLING)
    if confirmed == TELLING or not last.checkpoint.complete:
        return last.checkpoint._replace(complete=False)
    epoch, _, seq = confirmed.partition(" ")
    return Checkpoint(epoch, int(seq)) if seq.isdecimal() else last.checkpoint._replace(seq=0)


@contextmanager
def published() -> Iterator[None]:
    """What aio-pika raises, as SinkError."""
    try:
        yield
    except PublishError as error:
        raise SinkRefused(
            "the exchange leads to no stream of the relay any more: leave its bindings alone; the relay makes them anew"
        ) from error
    except ChannelAccessRefused as error:
        raise SinkRefused(f"RabbitMQ refuses: {error}: {RIGHTS_FIX}") from error
    except (ChannelPreconditionFailed, ConnectionNotAllowed, VhostRefused) as error:
        raise SinkRefused(f"RabbitMQ refuses: {error}: delete what is in the way") from error
    except ProbableAuthenticationError as error:
        raise SinkRefused(
            "RabbitMQ does not know this user: check STOCKWIRE_BROKER_USER and its password file"
        ) from error
    except NoTls as error:
        raise (SinkRefused if error.refused else SinkAway)(f"RabbitMQ: {error}") from error
    except (OSError, AMQPError, RuntimeError) as error:  # RuntimeError: the library's, of a channel that is closed
        raise SinkAway(f"RabbitMQ is away: {str(error) or type(error).__name__}") from error
