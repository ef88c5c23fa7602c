"""NATS JetStream: one stream for each shard, every write of which says behind which message it belongs.

The stream itself is the checkpoint: its last message says where to go on. Every write says what it follows, so that one
that does not follow the last message is refused, however old it is and whoever sent it: a paused relay that wakes is
told. An atomic batch (ADR-50, nats-server 2.12) names the last message by its sequence: it takes no expected id. Where
there are no such batches, messages go one by one: the first names the sequence, and each of the others the id of the
one before it, so that when one is refused all behind it are. A sequence alone could let one in behind a message of
somebody else.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Self
from urllib.parse import unquote
from uuid import uuid4

import nats.errors
from nats.js.api import RetentionPolicy, StorageType, StreamConfig, StreamInfo
from nats.js.errors import APIError, NotFoundError, ServiceUnavailableError

from followers.brokers.broker import Broker
from followers.brokers.nats_client import (
    BATCH_COMMIT,
    BATCH_ID,
    BATCH_SEQUENCE,
    NatsConnection,
    UserRefused,
    command,
)
from followers.brokers.tls import NoTls
from followers.relay.message import Batch, Checkpoint, Message
from followers.relay.routes import subject
from followers.relay.sink import SinkAway, SinkRefused, Superseded, TooLarge
from followers.relay.standing import attributes_in, checkpoint_of
from wire.bindings import NATS_PREFIX, NATS_STRUCTURED, nats_common, nats_headers, nats_lines
from wire.envelope import structured

ATOMIC_MAX = 1000
"""Messages in one atomic batch: a page of the log, and the most that a server takes."""
HEADER_BYTES = len("NATS/1.0\r\n\r\n")
HEADERS_BYTES_MAX = 8 * 2**10
"""All headers of a message together: names of 64 characters, percent-encoded, stand in three of them."""
OWN_HEADERS_BYTES = 400
"""What the headers below take at most, beside those of the message."""
# Headers and error codes of the server, which the client does not name.
MESSAGE_ID, EXPECTED_SEQUENCE, EXPECTED_ID = "Nats-Msg-Id", "Nats-Expected-Last-Sequence", "Nats-Expected-Last-Msg-Id"
WRONG_LAST_SEQUENCE, WRONG_LAST_ID, DUPLICATE = 10071, 10070, 10201
"""The last one, of an atomic batch, with an id that the stream has got within its duplicate window."""
STRUCTURED_LINES = "".join(f"{name}: {value}\r\n" for name, value in NATS_STRUCTURED.items())

Rendered = tuple[Message, bytes]
"""A message and its body."""


class NatsSink:
    """See ``Sink``. A relay is superseded by the first write of another one, not by its claim."""

    levels_apart = False
    window: int | None = None
    repeats = False

    def __init__(self, broker: Broker, prefix: str, *, structured: bool) -> None:
        self._broker = broker
        self._prefix = prefix
        self._structured = structured
        self._connection: NatsConnection | None = None
        self._connecting = asyncio.Lock()
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()
        self._connection = None

    async def prepare(self, shards: int) -> None:
        connection = await self._connected()
        for shard in range(shards):
            with _told():
                await self._stream(connection, shard)

    async def last(self, shard: int) -> Checkpoint | None:
        connection = await self._connected()
        with _told():
            return await self._standing(connection, shard)

    @asynccontextmanager
    async def writer(self, shard: int) -> AsyncIterator["NatsWriter"]:
        yield NatsWriter(self, shard)

    async def claim(self, shard: int) -> tuple[NatsConnection, StreamInfo, Checkpoint | None]:
        """The stream as it is before its last message is read: what comes between the two is no checkpoint of ours,
        and the next write is refused."""
        connection = await self._connected()
        with _told():
            info = await self._stream(connection, shard)
            return connection, info, await self._standing(connection, shard)

    def subject(self, shard: int, message: Message) -> str:
        return subject(self._prefix, shard, message.key)

    def body(self, message: Message) -> bytes:
        return structured(message.attributes, message.data) if self._structured else message.data

    def headers(self, message: Message) -> dict[str, str]:
        return dict(NATS_STRUCTURED) if self._structured else nats_headers(message.attributes)

    def lines(self, message: Message) -> str:
        """``headers`` as they stand in a message."""
        return STRUCTURED_LINES if self._structured else nats_common(message.common) + nats_lines(message.own)

    async def _connected(self) -> NatsConnection:
        async with self._connecting:
            if self._connection is None or not self._connection.is_open:
                await self._open.aclose()
                with _told():
                    self._connection = await self._open.enter_async_context(
                        NatsConnection(self._broker, f"{self._prefix} relay")
                    )
            return self._connection

    async def _stream(self, connection: NatsConnection, shard: int) -> StreamInfo:
        """Makes it where it is missing. Raises SinkRefused."""
        name, subjects = self._name(shard), [f"{self._prefix}.{shard}.>"]
        jetstream = connection.jetstream
        try:
            info = await connection.within(jetstream.stream_info(name))
        except NotFoundError:
            atomic = connection.has_batches
            config = StreamConfig(name=name, subjects=subjects, storage=StorageType.FILE, allow_atomic=atomic or None)
            return await connection.within(jetstream.add_stream(config))
        for what, is_so, fix in _losses(info.config, subjects):
            if is_so:
                raise SinkRefused(f"the stream {name} {what}: {fix}")
        return info

    async def _standing(self, connection: NatsConnection, shard: int) -> Checkpoint | None:
        name = self._name(shard)
        try:
            message = await connection.within(connection.jetstream.get_last_msg(name, ">"))
        except NotFoundError:
            return None
        headers = message.headers or {}
        if any(header.startswith(NATS_PREFIX) for header in headers):
            attributes = {header.removeprefix(NATS_PREFIX): unquote(value) for header, value in headers.items()}
        else:
            attributes = attributes_in(message.data or b"")
        checkpoint = checkpoint_of(attributes, message.seq or 0)
        if checkpoint is None:
            raise SinkRefused(
                f"the last message of the stream {name} ({message.seq:,}) is none of a relay: let nobody else write to "
                f"{self._prefix}.{shard}.>, and delete that message or set another STOCKWIRE_RELAY_PREFIX"
            )
        return checkpoint

    def _name(self, shard: int) -> str:
        return f"{self._prefix}-{shard}"


class NatsWriter:
    """See ``Writer``."""

    def __init__(self, sink: NatsSink, shard: int) -> None:
        self._sink = sink
        self._shard = shard
        self._connection: NatsConnection | None = None
        self._last = 0
        self._claim = ""
        self._atomic = False
        self._bytes_max = 0
        self._limited_by = ""

    async def claim(self, epoch: str) -> Checkpoint | None:
        self._connection = None
        connection, info, checkpoint = await self._sink.claim(self._shard)
        self._last = info.state.last_seq
        self._claim = uuid4().hex
        self._atomic = bool(info.config.allow_atomic)
        self._bytes_max, self._limited_by = connection.client.max_payload, "max_payload of nats-server"
        of_stream = info.config.max_msg_size or -1
        if 0 < of_stream < self._bytes_max:
            self._bytes_max, self._limited_by = of_stream, f"max_msg_size of the stream {info.config.name}"
        self._connection = connection
        return checkpoint

    async def rest(self) -> None:
        """What is kept is shown."""

    async def write(self, batch: Batch) -> None:
        connection = self._connection
        if connection is None:
            raise SinkAway("the shard has to be claimed first")
        messages = [(message, self._sink.body(message)) for message in batch.messages]
        for message, body in messages:
            self._refuse_large(message, body)
        self._connection = None  # until it is known what stands there
        for first in range(0, len(messages), ATOMIC_MAX):
            together = messages[first : first + ATOMIC_MAX]
            with _told():
                if self._atomic:
                    await connection.within(self._write_whole(connection, together))
                else:
                    await connection.within(self._write_each(connection, together))
            self._last += len(together)
        self._connection = connection

    def _id(self, message: Message) -> str:
        """What is told of a rewritten history is told again, with the same ids, and must not be dropped then."""
        return message.id if message.seq is not None else f"{message.id} {self._claim}"

    def _refuse_large(self, message: Message, body: bytes) -> None:
        """Before anything of it is sent: a server ends the connection over a message above its ``max_payload``."""
        if len(body) + HEADERS_BYTES_MAX <= self._bytes_max:
            return
        size = HEADER_BYTES + len(self._sink.lines(message)) + OWN_HEADERS_BYTES + len(body)
        if size > self._bytes_max:
            raise TooLarge(message.id, size, self._bytes_max, self._limited_by)

    async def _write_whole(self, connection: NatsConnection, messages: Sequence[Rendered]) -> None:
        """Only the last one is answered: what is wrong with any is told there."""
        sink, shard, batch, last = self._sink, self._shard, uuid4().hex, len(messages)
        follows = f"{EXPECTED_SEQUENCE}: {self._last}\r\n"
        commands = [
            command(
                sink.subject(shard, message),
                f"{sink.lines(message)}{MESSAGE_ID}: {self._id(message)}\r\n"
                f"{BATCH_ID}: {batch}\r\n{BATCH_SEQUENCE}: {number}\r\n"
                f"{follows if number == 1 else ''}",
                body,
            )
            for number, (message, body) in enumerate(messages[:-1], 1)
        ]
        await connection.client.send(commands)
        headers = {BATCH_ID: batch, BATCH_SEQUENCE: str(last), BATCH_COMMIT: "1"}
        if last == 1:
            headers[EXPECTED_SEQUENCE] = str(self._last)
        await self._kept(connection, messages[-1], headers, self._last + last)

    async def _write_each(self, connection: NatsConnection, messages: Sequence[Rendered]) -> None:
        """All are on their way before the first is answered."""
        follows = [{EXPECTED_SEQUENCE: str(self._last)}]
        follows += [{EXPECTED_ID: self._id(before)} for before, _ in messages[:-1]]
        answers = await asyncio.gather(
            *(
                self._kept(connection, message, headers, sequence)
                for sequence, (message, headers) in enumerate(zip(messages, follows, strict=True), self._last + 1)
            ),
            return_exceptions=True,
        )
        for error in answers:
            if error is not None:
                raise error

    async def _kept(self, connection: NatsConnection, one: Rendered, own: dict[str, str], sequence: int) -> None:
        message, body = one
        headers = {**self._sink.headers(message), MESSAGE_ID: self._id(message), **own}
        answer = await connection.jetstream.publish(self._sink.subject(self._shard, message), body, headers=headers)
        if answer.duplicate:
            raise Superseded(f"another relay has written {message.id}")
        if answer.seq != sequence:
            raise SinkAway(f"the server counts {answer.seq:,} where {sequence:,} was expected")


def _losses(config: StreamConfig, subjects: list[str]) -> Iterator[tuple[str, bool, str]]:
    """What a stream may be set to that would lose messages or the checkpoint: what it is, whether, and the fix.
    Bounded by size it always keeps its last message, so that is not among them."""
    edit = f"nats stream edit {config.name}"
    make_anew = f"nats stream rm {config.name}, and the relay makes it anew"
    foreign = config.mirror is not None or bool(config.sources) or config.subject_transform is not None
    yield f"has the subjects {config.subjects}", config.subjects != subjects, f"{edit} --subjects '{subjects[0]}'"
    yield (
        f"has the retention {config.retention}, which forgets what was read",
        config.retention != RetentionPolicy.LIMITS,
        make_anew,
    )
    yield "is kept in memory", config.storage != StorageType.FILE, make_anew
    yield "acknowledges nothing (no_ack)", config.no_ack, f"{edit} --ack"
    yield "is sealed", config.sealed, make_anew
    yield "takes messages from elsewhere or rewrites subjects", foreign, make_anew
    yield (
        f"drops messages by age ({config.max_age:g} s), and so where to go on",
        bool(config.max_age),
        f"{edit} --max-age=0, bound it by --max-bytes instead",
    )
    yield (
        f"keeps {config.max_msgs_per_subject} messages per subject, which makes gaps",
        config.max_msgs_per_subject > 0,
        f"{edit} --max-msgs-per-subject=-1",
    )


@contextmanager
def _told() -> Iterator[None]:
    """What the library raises, as SinkError."""
    try:
        yield
    except APIError as error:
        if error.err_code in (WRONG_LAST_SEQUENCE, WRONG_LAST_ID, DUPLICATE):
            raise Superseded(f"another relay has written: {error.description}") from error
        if isinstance(error, ServiceUnavailableError) and not error.description:
            raise SinkAway("nats-server has no JetStream, or not yet: start it with -js") from error
        raise SinkAway(f"nats-server answered {error.err_code}: {error.description}") from error
    except UserRefused as error:
        raise SinkRefused(f"nats-server refuses: {error} (docs/how-to/nats.md has the rights)") from error
    except NoTls as error:
        raise (SinkRefused if error.refused else SinkAway)(f"nats-server: {error}") from error
    except (OSError, nats.errors.Error) as error:
        raise SinkAway(f"nats-server is away: {error}") from error
