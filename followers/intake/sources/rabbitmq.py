"""Commands from RabbitMQ: the quorum queue ``<prefix>.commands``, of which one consumer at a time is active.

So commands are delivered in the order of the queue, also what somebody had in hand who is gone: RabbitMQ puts that back
in its place. A result is confirmed before its command is acknowledged: after a crash it may be told twice, alike.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from aio_pika import DeliveryMode
from aio_pika import Message as AmqpMessage
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue
from aio_pika.exceptions import AMQPError, ChannelPreconditionFailed, ProbableAuthenticationError, PublishError
from aiormq.exceptions import ChannelAccessRefused, ConnectionNotAllowed

from followers.brokers.broker import Broker
from followers.brokers.rabbitmq import RabbitmqConnection
from followers.intake.answering import Dead
from followers.intake.applying import Applying, Outcome, Result, Turn
from followers.intake.result import PROBLEM_HEADER, problem_text
from followers.intake.source import SourceAway, SourceRefused
from stockwire.streams.cloud_event import CloudEvent
from wire.bindings import amqp_properties
from wire.envelope import CONTENT_TYPE

DELIVERIES = "x-delivery-count"
"""How often a quorum queue has delivered a message before."""
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
                finally:
                    await working.cancel()

    async def _declare(self, channel: AbstractChannel) -> AbstractQueue:
        """Makes what is missing. Raises ChannelPreconditionFailed where it is of another kind."""
        kept: dict[str, Any] = {"x-queue-type": "quorum"}
        for name in ("results", "dead"):
            await channel.declare_queue(f"{self._prefix}.{name}", durable=True, arguments={**kept})
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
        self._delivered: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, stopping: asyncio.Event, window: int) -> None:
        """One by one until a command comes that was never delivered before: whatever ended this process then takes no
        others with it, whose deliveries would count as well."""
        await self._one_by_one(stopping)
        if not stopping.is_set():
            await self._consume(window)
        while not stopping.is_set():
            if (delivered := await self._next()) is not None:
                turn = self._enter(delivered)
                self._tasks.add(asyncio.create_task(self._handle(delivered, turn), name="command"))
            self._ended()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._applying.end_s)
        self._ended()

    async def cancel(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _one_by_one(self, stopping: asyncio.Event) -> None:
        tag = await self._consume(1)
        while not stopping.is_set():
            delivered = await self._next()
            if delivered is None:
                continue
            outcome = await self._unless_stopped(self._applying.outcome(self._enter(delivered)), stopping)
            if outcome is None:
                return
            await self._tell(delivered, outcome)
            if fresh := not delivered.redelivered:
                await self._connection.within(self._queue.cancel(tag))
            await self._connection.within(delivered.ack())
            if fresh:
                return

    async def _unless_stopped(self, decided: Coroutine[Any, Any, Outcome], stopping: asyncio.Event) -> Outcome | None:
        """None if it comes to no end in time."""
        task = asyncio.create_task(decided, name="command")
        try:
            while not task.done() and not stopping.is_set() and self._connection.is_open:
                await asyncio.wait({task}, timeout=LOOK_S)
            if not task.done() and self._connection.is_open:
                await asyncio.wait({task}, timeout=self._applying.end_s)
            return task.result() if task.done() else None
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def _consume(self, most: int) -> str:
        await self._connection.within(self._channel.set_qos(prefetch_count=most))
        return await self._connection.within(self._queue.consume(self._take))

    async def _take(self, delivered: AbstractIncomingMessage) -> None:
        self._delivered.put_nowait(delivered)

    async def _next(self) -> AbstractIncomingMessage | None:
        """None if there is none for a while. Raises ConnectionError."""
        if not self._connection.is_open or self._channel.is_closed:
            raise ConnectionError("the connection ended")
        try:
            return await asyncio.wait_for(self._delivered.get(), LOOK_S)
        except TimeoutError:
            return None

    def _enter(self, delivered: AbstractIncomingMessage) -> Turn:
        before = delivered.headers.get(DELIVERIES)
        deliveries = before + 1 if isinstance(before, int) else 2 if delivered.redelivered else 1
        return self._applying.enter(delivered.body, partial(event_of, delivered), deliveries)

    async def _handle(self, delivered: AbstractIncomingMessage, turn: Turn) -> None:
        await self._tell(delivered, await self._applying.outcome(turn))
        await self._connection.within(delivered.ack())

    async def _tell(self, delivered: AbstractIncomingMessage, outcome: Outcome) -> None:
        """To where the command asks for its answer, if that is there."""
        if isinstance(outcome, Dead):
            await self._publish(f"{self._prefix}.dead", _dead(delivered, outcome))
            return
        result = _result(delivered, outcome)
        if delivered.reply_to:
            try:
                await self._publish(delivered.reply_to, result)
                return
            except PublishError:
                pass  # whoever asked has gone
        await self._publish(f"{self._prefix}.results", result)

    async def _publish(self, queue: str, message: AmqpMessage) -> None:
        await self._connection.within(self._channel.default_exchange.publish(message, queue, mandatory=True))

    def _ended(self) -> None:
        """Raises what a task raised."""
        for task in [task for task in self._tasks if task.done()]:
            self._tasks.discard(task)
            task.result()


def event_of(delivered: AbstractIncomingMessage) -> CloudEvent:
    """Raises Unreadable."""
    return CloudEvent.of_amqp(delivered.headers, delivered.content_type, delivered.body)


def _result(delivered: AbstractIncomingMessage, outcome: Result) -> AmqpMessage:
    return AmqpMessage(
        outcome.data,
        headers=dict(amqp_properties(outcome.attributes)),
        content_type=CONTENT_TYPE,
        delivery_mode=DeliveryMode.PERSISTENT,
        message_id=outcome.attributes["id"],
        correlation_id=delivered.correlation_id or outcome.attributes["causationid"],
    )


def _dead(delivered: AbstractIncomingMessage, outcome: Dead) -> AmqpMessage:
    """As it came, so that it can be sent again."""
    headers: dict[str, Any] = {name: value for name, value in delivered.headers.items() if name != DELIVERIES}
    return AmqpMessage(
        delivered.body,
        headers={**headers, PROBLEM_HEADER: problem_text(outcome.problem)},
        content_type=delivered.content_type,
        delivery_mode=DeliveryMode.PERSISTENT,
        message_id=delivered.message_id,
        correlation_id=delivered.correlation_id,
        reply_to=delivered.reply_to,
    )


@contextmanager
def _told() -> Iterator[None]:
    """What aio-pika raises, as SourceError."""
    try:
        yield
    except PublishError as error:
        raise SourceAway("a queue of results or dead messages is gone: it is made anew") from error
    except (ChannelPreconditionFailed, ChannelAccessRefused, ConnectionNotAllowed) as error:
        raise SourceRefused(
            f"RabbitMQ refuses ({error}): the queues have to be quorum queues, that of commands with "
            "x-single-active-consumer; delete what is in the way, or give the user its rights"
        ) from error
    except ProbableAuthenticationError as error:
        raise SourceRefused("RabbitMQ does not know this user: see STOCKWIRE_BROKER_USER and its password") from error
    except (OSError, AMQPError, RuntimeError) as error:  # RuntimeError: the library's, of a channel that is closed
        raise SourceAway(f"RabbitMQ is away: {error or type(error).__name__}") from error
