"""Streams of RabbitMQ: one for each shard, whose broker drops what it has already.

Changes are written by a producer that is named after shard and epoch, with their seq as publishing id. Any relay sends
consecutive seqs over one connection, beginning at most one behind what stands there, and the broker drops every id up
to the last that it has: whatever two relays send, and however late, the stream holds each change once and in order.

A history that was rewritten has no seqs. It is written by a producer of its own, whose ids begin higher with each claim
than all before, so that what an older relay still sends of it is dropped. Its first message is written in the name of
the epoch before, with the highest id there is: a relay that slept through the restore can write nothing behind it.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import lru_cache
from struct import Struct
from typing import NamedTuple, Self

from rstream import schema
from rstream.constants import Key
from rstream.exceptions import (
    AccessRefused,
    AuthenticationFailure,
    PreconditionFailed,
    SASLAuthenticationFailureLoopback,
    ServerError,
    VirtualHostAccessFailure,
)

from followers.brokers.broker import Broker
from followers.brokers.rabbitmq_streams import ANSWER_S, StreamConnection, StreamError
from followers.brokers.tls import NoTls
from followers.relay.amqp_message import encode, pairs
from followers.relay.message import Batch, Checkpoint, Message
from followers.relay.sink import SinkAway, SinkRefused, Superseded, TooLarge
from followers.relay.sinks.rabbitmq_last import last_of, needing
from wire.bindings import AMQP_PREFIX, COMMONS_MAX, amqp_properties
from wire.envelope import CONTENT_TYPE, REWRITTEN, STRUCTURED_CONTENT_TYPE, Common, structured

CHANGES, HISTORY, FENCE = range(3)
"""Producers on the connection of one shard."""
FENCE_ID = 2**63 - 1
GENERATION_BITS, CHANCE_BITS, INDEX_BITS = 16, 15, 32
"""Of an id of ``HISTORY``: how many were begun before, chance between two at once, and the message's place."""
FRAME_BYTES, MESSAGE_BYTES = 13, 12
"""What a frame of messages and each in it take beside their bytes."""
_PUBLISH, _MESSAGE = Struct(">IHHBI"), Struct(">QI")
LIMIT = "stream.frame_max of RabbitMQ"
REFUSED = (
    AccessRefused,
    AuthenticationFailure,
    PreconditionFailed,
    SASLAuthenticationFailureLoopback,
    VirtualHostAccessFailure,
)


class Written(NamedTuple):
    """``publisher``: of those above; ``id``: for this publisher."""

    publisher: int
    id: int
    body: bytes


class RabbitmqStreamSink:
    """See ``Sink``. A connection for each shard, and one that only reads."""

    levels_apart = False
    window: int | None = None
    repeats = False

    def __init__(self, broker: Broker, prefix: str, *, structured: bool) -> None:
        self._broker = broker
        self._prefix = prefix
        self._structured = structured
        self._reader: StreamConnection | None = None
        self._connecting = asyncio.Lock()
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()
        self._reader = None

    async def prepare(self, shards: int) -> None:
        with told():
            connection = await self._connected()
            for shard in range(shards):
                try:
                    with needing("configure", self.stream(shard)):
                        await connection.make(self.stream(shard))
                except PreconditionFailed:
                    raise SinkRefused(
                        f"the queue {self.stream(shard)} is no stream: delete it, or set another STOCKWIRE_RELAY_PREFIX"
                    ) from None

    async def last(self, shard: int) -> Checkpoint | None:
        with told():
            last = await last_of(await self._connected(), self.stream(shard))
        return None if last is None else last.checkpoint

    @asynccontextmanager
    async def writer(self, shard: int) -> AsyncIterator["RabbitmqStreamWriter"]:
        async with AsyncExitStack() as open_:
            yield RabbitmqStreamWriter(self, shard, open_)

    def connection(self) -> StreamConnection:
        return StreamConnection(self._broker, f"{self._prefix} relay")

    def stream(self, shard: int) -> str:
        return f"{self._prefix}-{shard}"

    def rendered(self, message: Message) -> bytes:
        data = message.data
        if self._structured:
            return encode(message.id, STRUCTURED_CONTENT_TYPE, b"", 0, structured(message.attributes, data))
        count, common = _common(message.common)
        properties = common + pairs(AMQP_PREFIX, message.own)
        return encode(message.id, CONTENT_TYPE, properties, count + len(message.own), data)

    async def _connected(self) -> StreamConnection:
        async with self._connecting:
            if self._reader is None or not self._reader.is_open:
                self._reader = None
                await self._open.aclose()
                self._reader = await self._open.enter_async_context(self.connection())
            return self._reader


class RabbitmqStreamWriter:
    """See ``Writer``."""

    def __init__(self, sink: RabbitmqStreamSink, shard: int, open_: AsyncExitStack) -> None:
        self._sink = sink
        self._stream = sink.stream(shard)
        self._open = open_
        self._confirms: Confirms | None = None
        self._last = 0
        self._fences = False
        self._history = 0
        """The last id of ``HISTORY`` that was used; 0 before the first."""

    async def claim(self, epoch: str) -> Checkpoint | None:
        """The last id is read before the last message, which then is at least as new."""
        self._confirms = None
        with told():
            await self._open.aclose()
            connection = await self._open.enter_async_context(self._sink.connection())
            with needing("configure", self._stream):
                await connection.make(self._stream)
            await self._declare(connection, CHANGES, epoch)
            self._last = await self._last_id(connection, epoch)
            last = await last_of(connection, self._stream)
            checkpoint = None if last is None else last.checkpoint
            self._fences = checkpoint is not None and checkpoint.epoch != epoch
            if self._last and (checkpoint is None or self._fences):
                raise SinkAway(f"changes of this epoch up to {self._last:,} cannot be read yet")
            if checkpoint is not None and self._fences:
                await self._declare(connection, FENCE, checkpoint.epoch)
                self._fences = await self._last_id(connection, checkpoint.epoch) < FENCE_ID
            await self._declare(connection, HISTORY, "history")
            self._history = 0
        self._confirms = Confirms(connection)
        if checkpoint is not None and checkpoint.complete and checkpoint.epoch == epoch:
            self._last = max(checkpoint.seq, self._last)
            return checkpoint._replace(seq=self._last)
        return checkpoint

    async def rest(self) -> None:
        """What is kept is shown."""

    async def write(self, batch: Batch) -> None:
        confirms = self._confirms
        if confirms is None:
            raise SinkAway("the shard has to be claimed first")
        bodies = [self._sink.rendered(message) for message in batch.messages]
        for message, body in zip(batch.messages, bodies, strict=True):
            size, limit = len(body) + FRAME_BYTES + MESSAGE_BYTES, confirms.frame_bytes_max
            if size > limit:
                raise TooLarge(message.id, size, limit, LIMIT)
        self._confirms = None  # until it is known what stands there
        with told():
            if not self._history and any(message.seq is None for message in batch.messages):
                self._history = _begun_after(await self._last_id(confirms.connection, "history"))
            written = [
                Written(*self._named(message), body) for message, body in zip(batch.messages, bodies, strict=True)
            ]
            await confirms.write(written)
            if any(one.publisher == HISTORY for one in written):
                standing_id = await self._last_id(confirms.connection, "history")
                if standing_id != self._history:
                    raise Superseded("another relay has begun to tell this shard's history")
        self._confirms = confirms

    def _named(self, message: Message) -> tuple[int, int]:
        if message.seq is not None:
            if message.seq <= self._last:
                raise SinkRefused(
                    f"{self._stream} has changes of this epoch up to {self._last:,} already, and would drop "
                    f"{message.seq:,}: begin a new epoch (stockwire migrate --new-epoch)"
                )
            self._last = message.seq
            return CHANGES, message.seq
        if self._fences and message.common.type == REWRITTEN:
            self._fences = False
            return FENCE, FENCE_ID
        self._history += 1
        return HISTORY, self._history

    async def _declare(self, connection: StreamConnection, publisher: int, name: str) -> None:
        with needing("write", self._stream):
            await connection.within(connection.client.declare_publisher(self._stream, self._reference(name), publisher))

    async def _last_id(self, connection: StreamConnection, name: str) -> int:
        """0 where there is none."""
        return await connection.within(connection.client.query_publisher_sequence(self._stream, self._reference(name)))

    def _reference(self, name: str) -> str:
        return f"{self._stream}-{name}"


class Confirms:
    """What was sent over one connection and is not confirmed yet."""

    def __init__(self, connection: StreamConnection) -> None:
        self.connection = connection
        self.frame_bytes_max = connection.client.frame_max
        self._waiting: dict[int, set[int]] = {}
        """Ids, by their publisher."""
        self._all: asyncio.Future[None] | None = None
        connection.client.add_handler(schema.PublishConfirm, self._confirmed)
        connection.client.add_handler(schema.PublishError, self._failed)
        connection.client.add_handler(schema.MetadataUpdate, self._moved)

    async def write(self, messages: Sequence[Written]) -> None:
        """Returns when all of them are kept. Raises SinkAway, ConnectionError."""
        if not messages:
            return
        self._waiting = {publisher: set() for publisher in (CHANGES, HISTORY, FENCE)}
        for message in messages:
            self._waiting[message.publisher].add(message.id)
        self._all = asyncio.get_running_loop().create_future()
        await self.connection.within(self._sent_and_confirmed(messages, self._all))

    async def _sent_and_confirmed(self, messages: Sequence[Written], confirmed: asyncio.Future[None]) -> None:
        client = self.connection.client
        for frame in self._frames(messages):
            await client.send(frame)
        async with asyncio.timeout(ANSWER_S):
            await confirmed

    def _frames(self, messages: Sequence[Written]) -> Iterator[bytes]:
        """Each of one publisher, in order; none larger than the broker takes."""
        publisher, together, size = messages[0].publisher, list[Written](), FRAME_BYTES
        for message in messages:
            bytes_ = MESSAGE_BYTES + len(message.body)
            if together and (message.publisher != publisher or size + bytes_ > self.frame_bytes_max):
                yield _frame(publisher, together)
                together, size = [], FRAME_BYTES
            publisher = message.publisher
            together.append(message)
            size += bytes_
        yield _frame(publisher, together)

    def _confirmed(self, frame: schema.PublishConfirm) -> None:
        self._waiting[frame.publisher_id].difference_update(frame.publishing_ids)
        if not any(self._waiting.values()) and self._all is not None and not self._all.done():
            self._all.set_result(None)

    def _failed(self, frame: schema.PublishError) -> None:
        codes = sorted({error.response_code for error in frame.errors})
        self._fail(f"RabbitMQ kept some messages not, code {codes[0]}")

    def _moved(self, _: schema.MetadataUpdate) -> None:
        self._fail("the stream is being moved or was deleted")

    def _fail(self, why: str) -> None:
        if self._all is not None and not self._all.done():
            self._all.set_exception(SinkAway(why))


def _frame(publisher: int, messages: Sequence[Written]) -> bytes:
    """``Publish`` of the protocol of streams, version 1."""
    parts = [part for one in messages for part in (_MESSAGE.pack(one.id, len(one.body)), one.body)]
    size = FRAME_BYTES + sum(map(len, parts))
    return b"".join((_PUBLISH.pack(size - 4, Key.Publish.value, 1, publisher, len(messages)), *parts))


@lru_cache(COMMONS_MAX)
def _common(common: Common) -> tuple[int, bytes]:
    """How many properties, and them."""
    properties = amqp_properties(common.attributes)
    return len(properties), pairs("", properties)


def _begun_after(last: int) -> int:
    """Above every id of a history that was begun before, where the first message counts one more."""
    generation = (last >> (CHANCE_BITS + INDEX_BITS)) + 1
    if generation >> GENERATION_BITS:
        raise SinkRefused("no more histories can be told apart in this stream: delete it, and the relay makes it anew")
    return ((generation << CHANCE_BITS) | secrets.randbits(CHANCE_BITS)) << INDEX_BITS


@contextmanager
def told() -> Iterator[None]:
    """What the library raises, as SinkError."""
    try:
        yield
    except NoTls as error:
        raise (SinkRefused if error.refused else SinkAway)(f"RabbitMQ: {error}") from error
    except REFUSED as error:
        raise SinkRefused(
            f"RabbitMQ refuses ({type(error).__name__}): check STOCKWIRE_BROKER_USER, its password file, what it may "
            "do, and the vhost in the URL"
        ) from error
    except ServerError as error:
        raise SinkAway(f"RabbitMQ answered {type(error).__name__}, code {error.code}") from error
    except StreamError as error:
        raise SinkAway(f"RabbitMQ is away: {str(error) or type(error).__name__}") from error
