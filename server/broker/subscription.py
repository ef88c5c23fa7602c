"""A subscription to channels of the broker: messages as they come, and every doubt about whether some did not.

Pub/sub is at most once, and a healthy-looking socket can deliver nothing. So this never reconnects behind anybody's
back: one connection per subscription, silence ends it, and each new subscription is announced.
"""

import asyncio
import logging
import random
from collections.abc import Sequence
from typing import Protocol

from redis.exceptions import RedisError

from server.broker.broker_connection import BrokerConnection, broker_connection, packed

log = logging.getLogger(__name__)

CONNECT_S = 2.0
SILENCE_S = 2.0  # heartbeats come every 250 to 500 ms on every shard's channel
PAUSE_MIN_S, PAUSE_MAX_S = 0.1, 1.0


class Listener(Protocol):
    """Who follows the broker."""

    def subscribed(self) -> None:
        """From now on messages arrive; some may have been missed before."""

    def message(self, channel: str, data: bytes) -> None: ...

    def unsubscribed(self) -> None:
        """From now on messages are missed."""


class Subscription:
    """``listener`` hears of messages on ``channels``, and of every interruption.

    ``instead``: what is done while the broker is away, for the log.
    """

    def __init__(self, url: str, channels: Sequence[str], listener: Listener, instead: str) -> None:
        self._url = url
        self._channels = channels
        self._listener = listener
        self._instead = instead
        self._awaited = 0
        self._subscribed = False
        self._failing = False
        self._pause_s = PAUSE_MIN_S

    async def run(self) -> None:
        """Until cancelled. Failures are logged once each time the state changes."""
        while True:
            try:
                async with broker_connection(self._url, self._received, CONNECT_S) as connection:
                    await self._listen(connection)
            except (RedisError, OSError, TimeoutError) as error:
                if not self._failing:
                    reason = f"{type(error).__name__}: {error}"
                    log.warning("the broker is away instead=%r reason=%r", self._instead, reason)
                self._failing = True
            await asyncio.sleep(self._pause_s * random.uniform(0.5, 1))
            self._pause_s = min(self._pause_s * 2, PAUSE_MAX_S)

    async def _listen(self, connection: BrokerConnection) -> None:
        """Raises what ends it."""
        self._awaited = len(self._channels)
        connection.send(packed("SUBSCRIBE", *self._channels))
        try:
            await connection.watch(lambda: connection.heard_at, SILENCE_S)
        finally:
            if self._subscribed:
                self._subscribed = False
                self._listener.unsubscribed()

    def _received(self, reply: object) -> None:
        """A message, or that a channel is subscribed. After what came with one read others have their turn."""
        match reply:
            case [b"message", bytes(channel), bytes(data)]:
                self._listener.message(channel.decode(), data)
            case [b"subscribe", *_]:
                self._awaited -= 1
                if self._awaited == 0:
                    self._subscribed, self._failing, self._pause_s = True, False, PAUSE_MIN_S
                    self._listener.subscribed()
