"""One connection to RabbitMQ by the protocol of its streams. It is never mended, and what it is asked for ends with it:
the library's own producer and consumer reconnect by themselves, which would hide what was lost.
"""

import asyncio
import logging
import struct
from collections.abc import Callable, Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from rstream import schema
from rstream.amqp import AMQPMessage, amqp_decoder
from rstream.client import Client
from rstream.constants import OffsetType
from rstream.exceptions import ServerError, StreamAlreadyExists
from rstream.utils import OnClosedErrorInfo

from followers.brokers.answered import Answer, End, answered, heed_cancelling
from followers.brokers.broker import PASSWORD, Broker
from followers.brokers.broker import USER as USER_SETTING
from followers.brokers.tls import connecting

PORT, TLS_PORT = 5552, 5551
USER = "guest"
"""RabbitMQ's own, by loopback, where none is named; its password is the same."""
CONNECT_S = 5.0
ANSWER_S = 10.0
CLOSE_S = 8.0
"""The library asks the broker for up to 5 s whether it may go."""
HEARTBEAT_S = 10
FRAME_BYTES_MAX = 2**24
"""A broker asks for less: 1 MiB as it comes."""
SUBSCRIPTION = 0
LOOK = f"see scheme, port and the vhost in the URL, {USER_SETTING} and {PASSWORD}_FILE"

_NO_MESSAGE = (TypeError, LookupError, ValueError, RecursionError, MemoryError, struct.error)
"""What the library raises of bytes that are none."""

StreamError = (OSError, ServerError)
"""What anything of a ``StreamConnection`` may raise; TimeoutError and ConnectionError are OSErrors."""


class StreamConnection:
    """Of whoever entered it."""

    def __init__(self, broker: Broker, name: str, port: int | None = None) -> None:
        """``port``: where it is another than the URL has, or says nothing of."""
        logging.getLogger("rstream").setLevel(logging.CRITICAL)  # tracebacks of what whoever asks is told
        self._broker = broker
        self._name = name
        self._port = port
        self._closed = End()
        self._when_closed: list[Callable[[], None]] = []
        self._reading = asyncio.Lock()
        self.client: _Client

    @property
    def is_open(self) -> bool:
        return not self._closed.is_set()

    async def __aenter__(self) -> Self:
        """Tries the hosts in their order. Raises what the last one raised, of ``StreamError``."""
        address = self._broker.address
        ours = TLS_PORT if address.tls else PORT
        endpoints = address.endpoints(ours)
        if self._port is not None:
            endpoints = [(host, self._port) for host, _ in endpoints]
        *others, last = endpoints
        for host, port in others:
            try:
                return await self._connect(host, port)
            except StreamError:
                pass
        return await self._connect(*last)

    async def _connect(self, host: str, port: int) -> Self:
        broker = self._broker
        client = _Client(
            host,
            port,
            ssl_context=broker.context_now(),
            frame_max=FRAME_BYTES_MAX,
            heartbeat=HEARTBEAT_S,
            connection_name=self._name,
            connection_closed_handler=self._on_closed,
        )
        client.add_stream(self._name)  # it tells of its end only where it has one
        self._closed.clear()
        try:
            async with connecting(broker, host, port, (OSError,)):
                await answered(self._logged_in(client), self._closed, CONNECT_S)
        except BaseException as error:
            await client.leave()
            if type(error) is ConnectionError:  # of whom it refuses the broker may close it before it has said so
                raise ConnectionError(f"{error}: {LOOK}") from error
            raise
        self.client = client
        return self

    async def _logged_in(self, client: "_Client") -> None:
        broker = self._broker
        await client.start()
        await client.authenticate(broker.address.vhost, broker.user or USER, broker.password or USER)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        await self.client.leave()

    async def within(self, asked: Coroutine[Any, Any, Answer]) -> Answer:
        """``asked``: something of ``client``. Raises ConnectionError when that ends, or after ``ANSWER_S``. Then the
        connection is given up: what was asked may be done later all the same, and the library only notes that
        heartbeats are missing."""
        try:
            return await answered(asked, self._closed, ANSWER_S)
        except ServerError:  # an answer
            raise
        except BaseException:
            self._closed.set()
            raise

    async def make(self, stream: str) -> None:
        """Does nothing where it is there."""
        with suppress(StreamAlreadyExists):
            await self.within(self.client.create_stream(stream))

    async def last_message(self, stream: str) -> tuple[int, AMQPMessage] | None:
        """With its offset; None if there is none. Raises ``StreamError``."""
        async with self._reading:
            last = await self.within(self._chunk(stream, OffsetType.LAST))
            if last is None and await self.within(self._chunk(stream, OffsetType.FIRST)) is not None:
                raise ConnectionError("the last messages are not on enough nodes yet to be read")
        if last is None:
            return None
        return last.chunk_first_offset + last.num_records - 1, message_of(last.get_messages()[-1])

    async def _chunk(self, stream: str, offset: OffsetType) -> schema.Deliver | None:
        """The broker sends what there is right behind its answer to the subscription, before it answers anything else:
        an empty stream is told from a slow one by the next answer."""
        client = self.client
        delivered: list[schema.Deliver] = []
        client.add_handler(schema.Deliver, delivered.append, name=str(SUBSCRIPTION))
        await client.run_queue_listener_task(SUBSCRIPTION, delivered.append)
        try:
            await client.subscribe(stream, SUBSCRIPTION, schema.OffsetSpec(offset), initial_credit=1)
            await client.unsubscribe(SUBSCRIPTION)
        finally:
            await client.stop_queue_listener_task(SUBSCRIPTION)
            client.remove_handler(schema.Deliver, name=str(SUBSCRIPTION))
        return delivered[0] if delivered else None

    def when_closed(self, call: Callable[[], None]) -> None:
        self._when_closed.append(call)

    async def _on_closed(self, _: OnClosedErrorInfo) -> None:
        self._closed.set()
        for call in self._when_closed:
            call()


class _Client(Client):
    async def send(self, frame: bytes) -> None:
        """As ``send_frame``, of one that is encoded already. Raises ConnectionError."""
        if self._conn is None or not self.is_connection_alive():
            raise ConnectionError("the connection has ended")
        await self._conn._write_frame_raw(frame)

    async def leave(self) -> None:
        """Closes also the socket of a connection that has ended, which the library leaves open. Raises CancelledError
        alone."""
        connection, task = self._conn, asyncio.current_task()
        assert task is not None, "whoever leaves is a task"
        cancelled_before = task.cancelling()
        try:
            async with asyncio.timeout(CLOSE_S):
                await self.close()
                if connection is not None:
                    await connection.close()
        except OSError:
            pass
        heed_cancelling(task, cancelled_before)


def message_of(data: bytes) -> AMQPMessage:
    """Anybody may write a stream: of bytes that are no message one that has them as its body, and nothing else."""
    with suppress(*_NO_MESSAGE):
        message = amqp_decoder(data)
        if message.body is None or isinstance(message.body, bytes):
            return message
    return AMQPMessage(body=data)
