"""Commands from RabbitMQ: the quorum queue ``<prefix>.commands``, of which one consumer at a time is active.

So commands are delivered in the order of the queue, also what somebody had in hand who is gone: RabbitMQ puts that back
in its place. A result is confirmed before its command is acknowledged: after a crash it may be told twice, alike.
"""

import asyncio
import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

import orjson
from aio_pika import DeliveryMode
from aio_pika import Message as AmqpMessage
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue
from aio_pika.exceptions import (
    AMQPError,
    ChannelPreconditionFailed,
    DeliveryError,
    ProbableAuthenticationError,
    PublishError,
)
from aiormq.channel import Channel as Frames
from aiormq.exceptions import ChannelAccessRefused, ConnectionNotAllowed
from pamqp import encode

from followers.brokers.broker import Broker
from followers.brokers.rabbitmq import RabbitmqConnection, VhostRefused
from followers.brokers.rabbitmq_frames import UNREADABLE
from followers.brokers.tls import NoTls
from followers.intake.answering import Dead
from followers.intake.applying import Applying, Outcome, Result
from followers.intake.laid_aside import PROBLEM_HEADER, lacking, laid_aside
from followers.intake.source import SourceAway, SourceRefused
from followers.intake.sources.rabbitmq_acks import Acks
from stockwire.streams.cloud_event import CloudEvent
from stockwire.streams.errors import Unreadable
from wire.bindings import amqp_properties
from wire.envelope import CONTENT_TYPE

DELIVERIES = "x-delivery-count"
"""A quorum queue's own, of a message that it delivers again. It counts for all that was in hand with the one that ended
the process, and also for what was only waiting: so it is no measure."""
PROPERTIES_BYTES = 2_048
"""Of a frame of headers, beside the headers: six texts of 255 bytes at most."""
NAME_BYTES_MAX = 128
"""Of a header. The library cuts off what is more."""
TEXT_BYTES_MAX = 255
"""Of a property such as ``correlation_id``."""
LOOK_S = 0.1
"""Between two looks whether it is to end, or the connection has."""


class RabbitMQSource:
    def __init__(self, broker: Broker, prefix: str, window: int) -> None:
        self._broker = broker
        self._prefix = prefix
        self._window = window

    async def run(self, applying: Applying, stopping: asyncio.Event, reached: Callable[[], None]) -> None:
        with _told():
            async with RabbitmqConnection(self._broker, f"{self._prefix} intake") as connection:
                channel = await connection.within(connection.channel())
                queue = await connection.within(self._declare(channel))
                working = _Working(self._prefix, connection, channel, queue, applying)
                reached()
                try:
                    await working.run(stopping, self._window)
                except ChannelPreconditionFailed as error:  # of an acknowledgement
                    raise SourceAway("the queue of commands is another than it was: it is looked for anew") from error
                finally:
                    await working.cancel()

    async def _declare(self, channel: AbstractChannel) -> AbstractQueue:
        """Makes what is missing. Raises ChannelPreconditionFailed where it is of another kind."""
        kept: dict[str, Any] = {"x-queue-type": "quorum"}
        for name in ("results", "dead"):
            await channel.declare_queue(f"{self._prefix}.{name}", durable=True, arguments={**kept})
        await channel.declare_queue(f"{self._prefix}.attempts", durable=True, arguments={**kept, "x-max-length": 1})
        ordered: dict[str, Any] = {**kept, "x-single-active-consumer": True}
        return await channel.declare_queue(f"{self._prefix}.commands", durable=True, arguments=ordered)


class _Working:
    """What is in hand. It is never left to another consumer before it is decided: only then what comes behind it may be
    begun elsewhere."""

    def __init__(
        self,
        prefix: str,
        connection: RabbitmqConnection,
        channel: AbstractChannel,
        queue: AbstractQueue,
        applying: Applying,
    ) -> None:
        self._prefix = prefix
        self._connection = connection
        self._channel = channel
        self._queue = queue
        self._applying = applying
        self._attempts = f"{prefix}.attempts"
        self._frames: Frames
        self._acks: Acks
        self._note: tuple[str, int] | None = None
        self._delivered: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_cancelled = False
        self._writing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def run(self, stopping: asyncio.Event, window: int) -> None:
        """One by one until a command comes that was never delivered before, each noted before it is begun: so the one
        that ends the process is found out. All that comes again is in hand at once, all the same: what returns to the
        queue goes behind what has returned there before, and would be out of order."""
        frames = await self._connection.within(self._channel.get_underlay_channel())
        assert isinstance(frames, Frames), "the library has one kind"
        self._frames = frames
        self._acks = Acks(self._connection, frames)
        frames.on_consumer_cancel_callbacks.add(self._cancelled)
        await self._connection.within(self._channel.set_qos(prefetch_count=window))
        await self._connection.within(self._queue.consume(self._take))
        one_by_one = True
        while not stopping.is_set():
            self._ended()
            if one_by_one and self._tasks:
                await asyncio.wait(self._tasks, timeout=LOOK_S)
                self._check()
            elif (delivered := await self._next()) is not None:
                one_by_one &= bool(delivered.redelivered)
                deliveries = await self._noted(delivered) if one_by_one else 1
                end = partial(self._end, delivered)
                read = partial(event_of, delivered)
                self._tasks.add(self._applying.begin(delivered.body, read, deliveries, end))
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._applying.end_s)
        self._ended()

    async def cancel(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _noted(self, delivered: AbstractIncomingMessage) -> int:
        """How often it has been delivered at least, with this time; and says there that it is begun."""
        which = hashlib.sha256(delivered.body).hexdigest()
        if self._note is None:
            channel = await self._connection.within(self._connection.channel())
            queue = await self._connection.within(channel.get_queue(self._attempts))
            kept = await self._connection.within(queue.get(no_ack=True, fail=False))
            await self._connection.left(channel)
            self._note = ("", 0) if kept is None else note_in(kept.body)
        begun = self._note[1] + 1 if self._note[0] == which else 1
        self._note = which, begun
        text = orjson.dumps(self._note)
        await self._publish(self._attempts, AmqpMessage(text, delivery_mode=DeliveryMode.PERSISTENT))
        return begun + 1

    async def _take(self, delivered: AbstractIncomingMessage) -> None:
        assert delivered.delivery_tag is not None, "it was delivered to be acknowledged"
        self._acks.come(delivered.delivery_tag)
        self._delivered.put_nowait(delivered)

    async def _next(self) -> AbstractIncomingMessage | None:
        """None if there is none for a while. Raises ConnectionError."""
        self._check()
        if not self._delivered.empty():
            return self._delivered.get_nowait()
        try:
            async with asyncio.timeout(LOOK_S):
                return await self._delivered.get()
        except TimeoutError:
            return None

    def _cancelled(self, _: Any) -> None:
        """By the broker, as when the queue is deleted."""
        self._is_cancelled = True

    def _check(self) -> None:
        """Raises ConnectionError, and SourceAway where nothing can come of the queue any more."""
        if self._is_cancelled:
            raise SourceAway(
                f"the queue {self._queue.name} was deleted, or RabbitMQ gives nothing of it any more: see that nobody "
                "deletes it; it is made anew"
            )
        if not self._connection.is_open or self._channel.is_closed:
            raise ConnectionError("the connection ended")

    async def _end(self, delivered: AbstractIncomingMessage, outcome: Outcome) -> None:
        await self._tell(delivered, outcome)
        assert delivered.delivery_tag is not None, "it was delivered to be acknowledged"
        await self._acks.end(delivered.delivery_tag)

    async def _tell(self, delivered: AbstractIncomingMessage, outcome: Outcome) -> None:
        """To where the command asks for its answer, if that is there and takes it."""
        if isinstance(outcome, Dead):
            room = self._frames.max_content_size - PROPERTIES_BYTES
            await self._publish(f"{self._prefix}.dead", _dead(delivered, outcome, room))
            return
        result = _result(delivered, outcome)
        if delivered.reply_to and not delivered.reply_to.startswith(f"{self._prefix}."):
            try:
                await self._publish(delivered.reply_to, result)
                return
            except DeliveryError:
                pass  # whoever asked has gone, or their queue takes no more
        await self._publish(f"{self._prefix}.results", result)

    async def _publish(self, queue: str, message: AmqpMessage) -> None:
        """Until the queue has it, on disk. Of those with one id one after the other: by their id alone the library
        knows which of them the broker gives back, and would take the other for kept."""
        if message.message_id is None:
            await self._published(queue, message)
            return
        async with self._writing.setdefault(message.message_id, asyncio.Lock()):
            await self._published(queue, message)

    async def _published(self, queue: str, message: AmqpMessage) -> None:
        """aio-pika's ``publish`` lets one after the other wait for the socket."""
        asked = self._frames.basic_publish(
            message.body, routing_key=queue, properties=message.properties, mandatory=True, wait=False
        )
        await self._connection.within(asked)

    def _ended(self) -> None:
        """Raises what a task raised."""
        for task in [task for task in self._tasks if task.done()]:
            self._tasks.discard(task)
            task.result()


def event_of(delivered: AbstractIncomingMessage) -> CloudEvent:
    """Raises Unreadable."""
    if delivered.content_type == UNREADABLE:
        raise Unreadable("headers", "or other properties cannot be read")
    return CloudEvent.of_amqp(delivered.headers, delivered.content_type, delivered.body)


def note_in(text: bytes) -> tuple[str, int]:
    """Which command was begun last alone, and how often. What somebody else has put there counts as nothing."""
    try:
        note = orjson.loads(text)
    except orjson.JSONDecodeError:
        return "", 0
    match note:
        case [str(which), int(begun)]:
            return which, begun
    return "", 0


def _result(delivered: AbstractIncomingMessage, outcome: Result) -> AmqpMessage:
    causation = outcome.attributes["causationid"]
    fits = len(causation.encode()) <= TEXT_BYTES_MAX
    return AmqpMessage(
        outcome.data,
        headers=dict(amqp_properties(outcome.attributes)),
        content_type=CONTENT_TYPE,
        delivery_mode=DeliveryMode.PERSISTENT,
        message_id=outcome.attributes["id"],
        correlation_id=delivered.correlation_id or (causation if fits else None),
    )


def _dead(delivered: AbstractIncomingMessage, outcome: Dead, headers_bytes_max: int) -> AmqpMessage:
    """As it came, so that it can be sent again. Its body is in frames of its own, and there may be any number."""
    came = [(name, _writable(value)) for name, value in delivered.headers.items() if name != DELIVERIES]
    unreadable = delivered.content_type == UNREADABLE
    problem = lacking(outcome.problem, ["all headers and properties"]) if unreadable else outcome.problem
    fitting = laid_aside(came, delivered.body, problem, _size, headers_bytes_max, sys.maxsize)
    return AmqpMessage(
        fitting.body,
        headers={**dict(fitting.headers), PROBLEM_HEADER: fitting.problem},
        content_type=None if unreadable else delivered.content_type,
        delivery_mode=DeliveryMode.PERSISTENT,
        message_id=delivered.message_id,
        correlation_id=delivered.correlation_id,
        reply_to=delivered.reply_to,
    )


def _writable(value: Any) -> Any:
    """The library reads a text that is no UTF-8 as bytes, which it does not write."""
    return bytearray(value) if isinstance(value, bytes) else value


def _size(name: str, value: Any) -> int:
    """0: it is none that the library writes as it has read it."""
    if not 0 < len(name.encode()) <= NAME_BYTES_MAX:
        return 0
    try:
        return len(encode.field_table({name: value}))
    except (TypeError, ValueError, OverflowError, RecursionError):
        return 0


@contextmanager
def _told() -> Iterator[None]:
    """What aio-pika raises, as SourceError."""
    try:
        yield
    except PublishError as error:
        raise SourceAway("a queue of results or dead messages is gone: it is made anew") from error
    except ChannelAccessRefused as error:
        raise SourceRefused(
            f"RabbitMQ refuses ({error}): docs/how-to/commands.md has the rabbitmqctl line of the user's rights"
        ) from error
    except (ChannelPreconditionFailed, ConnectionNotAllowed, VhostRefused) as error:
        raise SourceRefused(
            f"RabbitMQ refuses ({error}): the queues have to be quorum queues, that of commands with "
            "x-single-active-consumer; delete what is in the way"
        ) from error
    except ProbableAuthenticationError as error:
        raise SourceRefused("RabbitMQ does not know this user: see STOCKWIRE_BROKER_USER and its password") from error
    except NoTls as error:
        raise (SourceRefused if error.refused else SourceAway)(f"RabbitMQ: {error}") from error
    except (OSError, AMQPError, RuntimeError) as error:  # RuntimeError: the library's, of a channel that is closed
        raise SourceAway(f"RabbitMQ is away: {str(error) or type(error).__name__}") from error
