"""One connection to RabbitMQ by AMQP 0-9-1. It is never mended by the library: its robust connection leaves what is
being published hanging while the broker is away."""

import asyncio
import logging
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import AMQPError
from aiormq.exceptions import InvalidFrameError

from followers.brokers.answered import Answer, End, answered
from followers.brokers.broker import Broker
from followers.brokers.rabbitmq_frames import ReadableConnection
from followers.brokers.tls import connecting

PORT, TLS_PORT = 5672, 5671
USER = "guest"
"""RabbitMQ's own, by loopback, where none is named; its password is the same."""
CONNECT_S = 5.0
ANSWER_S = 10.0
CLOSE_S = 2.0
HEARTBEAT_S = 10


class VhostRefused(AMQPError):
    pass


class RabbitmqConnection:
    """Of whoever entered it."""

    def __init__(self, broker: Broker, name: str) -> None:
        logging.getLogger("aiormq").setLevel(logging.CRITICAL)  # tracebacks of what whoever asks is told
        logging.getLogger("aio_pika").setLevel(logging.CRITICAL)
        self._broker = broker
        self._name = name
        self._closed = End()
        self._connection: AbstractConnection

    @property
    def is_open(self) -> bool:
        return not self._closed.is_set()

    async def __aenter__(self) -> Self:
        """Tries the hosts in their order. Raises what the last one raised: OSError, NoTls among them, and AMQPError,
        VhostRefused among them."""
        address = self._broker.address
        *others, last = address.endpoints(TLS_PORT if address.tls else PORT)
        for host, port in others:
            try:
                return await self._connect(host, port)
            except (OSError, AMQPError):
                pass
        return await self._connect(*last)

    async def _connect(self, host: str, port: int) -> Self:
        broker, vhost = self._broker, self._broker.address.vhost
        try:
            async with connecting(broker, host, port, (OSError, AMQPError)):
                self._connection = await aio_pika.connect(
                    host=host,
                    port=port,
                    login=broker.user or USER,
                    password=broker.password or USER,
                    virtualhost=vhost,
                    ssl=broker.address.tls,
                    ssl_context=broker.context_now(),
                    timeout=CONNECT_S,
                    client_properties={"connection_name": self._name},
                    heartbeat=HEARTBEAT_S,
                    connection_class=ReadableConnection,
                )
        except InvalidFrameError as error:  # of the library, where it is told that there is no such vhost
            raise VhostRefused(
                f"the vhost {vhost} is not there, or this user may do nothing in it: see the vhost in the URL"
            ) from error
        self._connection.close_callbacks.add(self._on_closed)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._connection.close()
        except (OSError, AMQPError, RuntimeError):  # it is gone either way
            pass

    async def channel(self) -> AbstractChannel:
        """With confirms; what leads nowhere raises."""
        channel = self._connection.channel(publisher_confirms=True, on_return_raises=True)
        await channel.initialize()
        return channel

    async def left(self, channel: AbstractChannel) -> None:
        """Closes it. Never raises."""
        if not self.is_open:
            return
        try:
            async with asyncio.timeout(CLOSE_S):
                await channel.close()
        except (OSError, AMQPError, RuntimeError):
            pass

    async def within(self, asked: Coroutine[Any, Any, Answer]) -> Answer:
        """Raises ConnectionError when the connection ends, or after ``ANSWER_S``."""
        return await answered(asked, self._closed, ANSWER_S)

    def _on_closed(self, *_: object) -> None:
        self._closed.set()
