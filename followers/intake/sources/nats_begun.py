"""Which message was begun, and how often, kept with the consumer.

The server counts deliveries, also of what only waited for its turn behind a command that ends the process. While
messages come again they are begun one by one, so one is to be remembered.
"""

from collections.abc import Mapping
from dataclasses import replace

from nats.js.api import ConsumerConfig
from nats.js.errors import NotFoundError

from followers.brokers.nats_client import NatsConnection

NOTE = "stockwire-begun"
"""Of the consumer's metadata: the message's sequence and how often it was begun since it came again."""


class Begun:
    def __init__(self, connection: NatsConnection, stream: str, consumer: ConsumerConfig) -> None:
        """``consumer``: how it is set up, with its name."""
        self._connection = connection
        self._stream = stream
        self._consumer = consumer
        self._sequence = self._times = 0

    async def make(self) -> None:
        """Makes the consumer, or sets it up as it has to be, and keeps what was noted."""
        await self._set_up(await self._noted())

    async def read(self) -> None:
        """To be called by whoever begins to work: others may have noted more since ``make``."""
        sequence, _, times = ((await self._noted()) or "").partition(" ")
        if sequence.isdecimal() and times.isdecimal():
            self._sequence, self._times = int(sequence), int(times)

    async def times(self, sequence: int) -> int:
        """How often a message that has come before was begun, this time and the first one included. Noted when it
        returns. Raises as the connection does."""
        self._times = self._times + 1 if sequence == self._sequence else 1
        self._sequence = sequence
        await self._set_up(f"{sequence} {self._times}")
        return 1 + self._times

    async def _noted(self) -> str | None:
        name = self._consumer.durable_name or ""
        try:
            info = await self._connection.within(self._connection.jetstream.consumer_info(self._stream, name))
        except NotFoundError:
            return None
        metadata: Mapping[str, str] = info.config.metadata or {}
        return metadata.get(NOTE)

    async def _set_up(self, noted: str | None) -> None:
        consumer = replace(self._consumer, metadata=None if noted is None else {NOTE: noted})
        await self._connection.within(self._connection.jetstream.add_consumer(self._stream, consumer))
