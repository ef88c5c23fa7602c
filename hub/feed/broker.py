"""The broker's side of the feed: pub/sub messages as they come, and every doubt about whether some did not.

Pub/sub is at most once, and a healthy-looking socket can deliver nothing. So this never reconnects behind anybody's
back: one connection per subscription, silence ends it, and each new subscription is announced.
"""

import asyncio
import logging
import random
from collections.abc import Iterator, Sequence
from contextlib import aclosing, contextmanager
from typing import Any, Protocol

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

CONNECT_S = 2.0
SILENCE_S = 2.0  # heartbeats come every 250 to 500 ms on every shard's channel
PAUSE_MIN_S, PAUSE_MAX_S = 0.1, 1.0
MESSAGES_PER_TURN = 200  # then everybody else gets a turn of the loop


class Listener(Protocol):
    """Who follows the broker: the feed."""

    def subscribed(self) -> None:
        """From now on messages arrive; some may have been missed before."""

    def message(self, channel: str, data: bytes) -> None: ...

    def unsubscribed(self) -> None:
        """From now on messages are missed."""


class Broker:
    """``channels``: all that are subscribed to. ``listener`` hears of messages and of every interruption."""

    def __init__(self, url: str, channels: Sequence[str], listener: Listener) -> None:
        self._url = url
        self._channels = channels
        self._listener = listener

    async def run(self) -> None:
        """Until cancelled. Failures are logged once each time the state changes."""
        pause_s, failing = PAUSE_MIN_S, False
        while True:
            try:
                async with aclosing(self._connect()) as redis, aclosing(redis.pubsub()) as pubsub:
                    async with asyncio.timeout(CONNECT_S):
                        with _reset_told():
                            await pubsub.subscribe(*self._channels)
                    reason = await self._listen(pubsub)
                    pause_s = PAUSE_MIN_S
            except (RedisError, OSError, TimeoutError) as error:
                reason = f"{type(error).__name__}: {error}"
            if not failing:
                log.warning("the broker is away, reading the log instead reason=%r", reason)
            failing = True
            await asyncio.sleep(pause_s * random.uniform(0.5, 1))
            pause_s = min(pause_s * 2, PAUSE_MAX_S)

    def _connect(self) -> "Redis":
        """RESP 2, as every Redis-compatible server speaks it; no retry, no health check: silence is what we watch."""
        return Redis.from_url(
            self._url,
            protocol=2,
            socket_connect_timeout=CONNECT_S,
            socket_timeout=SILENCE_S,
            health_check_interval=0,
            retry=Retry(NoBackoff(), 0),
            decode_responses=False,
        )

    async def _listen(self, pubsub: PubSub) -> str:
        """Returns why it ended; raises what the connection raises."""
        awaited, announced, turn = len(self._channels), False, 0
        try:
            while not _cancelled():
                with _reset_told():
                    message: dict[str, Any] | None = await pubsub.get_message(timeout=SILENCE_S)
                if message is None:
                    return "silence"
                if message["type"] == "message":
                    self._listener.message(message["channel"].decode(), message["data"])
                elif message["type"] == "subscribe":
                    awaited -= 1
                    if awaited <= 0:  # below 0: redis-py has reconnected and subscribed by itself after all
                        announced = True
                        self._listener.subscribed()
                turn += 1
                if turn % MESSAGES_PER_TURN == 0:
                    await asyncio.sleep(0)
            raise asyncio.CancelledError
        finally:
            if announced:
                self._listener.unsubscribed()


@contextmanager
def _reset_told() -> Iterator[None]:
    """uvloop raises RuntimeError for a write to a connection that was reset a moment ago."""
    try:
        yield
    except RuntimeError as error:
        raise ConnectionResetError(str(error)) from error


def _cancelled() -> bool:
    """Whether this task was cancelled, and the cancellation was swallowed on its way.

    redis-py waits with `asyncio.wait_for`, which up to Python 3.11 loses a cancellation that comes with the result: the
    task would listen for ever, and the hub that is being stopped would wait for it.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
