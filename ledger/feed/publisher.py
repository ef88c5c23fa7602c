"""The fast path: what was committed, on pub/sub. Nobody waits for it; what is lost here, hubs read from the log."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from redis.exceptions import InvalidResponse

from server.broker.broker_connection import BrokerConnection, broker_connection, packed
from server.errors import BROKER_AWAY
from server.histogram import Histogram
from wire.channels import revocation_channel, shard_channel

logger = logging.getLogger(__name__)

QUEUE_MAX = 1000
"""Messages waiting for the broker. Beyond it the oldest go: a hub that misses one reads the log anyway."""

PUBLISH_DEADLINE_S = 2.0
PIPELINE_MAX = 100
"""Messages on their way, which the broker has not answered. A try that fails takes no more with it."""
PAUSE_AFTER_FAILURE_S = 0.2


@dataclass(slots=True)
class Counters:
    """Counts since start, in messages: one per batch and shard, heartbeats and revocations."""

    published: int = 0
    heartbeats: int = 0
    failed: int = 0
    dropped: int = 0


class Publisher:
    """``run`` until cancelled; ``publish`` and ``heartbeat`` never wait and never fail.

    ``took``: from when a message was put here until the broker took it.
    """

    def __init__(self, redis_url: str, prefix: str) -> None:
        self.counters = Counters()
        self.took = Histogram()
        self._redis_url = redis_url
        self._prefix = prefix
        self._queue: deque[tuple[bytes, float]] = deque()
        self._connection: BrokerConnection | None = None
        self._unanswered: deque[float] = deque()
        self._unanswered_since = 0.0
        self._stopping = False
        self._failing = False

    @property
    def queued(self) -> int:
        """Messages that wait for the broker."""
        return len(self._queue)

    @property
    def broker_up(self) -> bool:
        """Whether the broker took the last messages."""
        return not self._failing

    @property
    def broker(self) -> tuple[str, str]:
        """Where messages go: the broker's URL, and the prefix of its channels."""
        return self._redis_url, self._prefix

    def publish(
        self, epoch: str, shard: int, writer: str, events: list[dict[str, Any]], traces: Mapping[str, str] | None = None
    ) -> None:
        """``events``: those of one batch on one shard, dense and in order. ``writer``: the one that committed them.
        ``traces``: of the operations that are traced, the ``traceparent`` by id."""
        message = {"epoch": epoch, "shard": shard, "first": events[0]["seq"], "writer": writer, "events": events}
        if traces:
            message["traces"] = traces
        self._put(shard_channel(self._prefix, shard), message)

    def heartbeat(self, epoch: str, shard: int, head: int) -> None:
        self.counters.heartbeats += 1
        self._put(shard_channel(self._prefix, shard), {"epoch": epoch, "shard": shard, "head": head})

    def revoke(self, key: str) -> None:
        """Tell every hub that the API key with this id is no longer good."""
        self._put(revocation_channel(self._prefix), {"key": key})

    def stop(self) -> None:
        """``run`` returns when the queue is empty or the broker does not take it. Safe twice."""
        self._stopping = True
        self._close_when_done()

    async def run(self) -> None:
        while not (self._stopping and (self._failing or not self._queue)):
            try:
                async with broker_connection(self._redis_url, self._answered, PUBLISH_DEADLINE_S) as connection:
                    await self._publish_on(connection)
            except BROKER_AWAY as error:
                self._fail(error)
                await asyncio.sleep(PAUSE_AFTER_FAILURE_S)

    def _put(self, channel: str, message: dict[str, Any]) -> None:
        if len(self._queue) >= QUEUE_MAX:
            self._queue.popleft()
            self.counters.dropped += 1
        self._queue.append((packed("PUBLISH", channel, orjson.dumps(message)), time.monotonic()))
        self._send()

    async def _publish_on(self, connection: BrokerConnection) -> None:
        self._connection = connection
        try:
            self._send()
            self._close_when_done()
            await connection.watch(self._silent_since, PUBLISH_DEADLINE_S)
        finally:
            self._connection = None

    def _send(self) -> None:
        """What the connection takes now; the rest follows with the answers."""
        connection = self._connection
        while connection and self._queue and len(self._unanswered) < PIPELINE_MAX and connection.takes_more:
            if not self._unanswered:
                self._unanswered_since = connection.clock()
            message, put_at = self._queue.popleft()
            self._unanswered.append(put_at)
            connection.send(message)

    def _answered(self, _subscribers: int) -> None:
        if not self._unanswered:
            raise InvalidResponse("the broker sent a reply that nobody asked for")
        self.took.observe(time.monotonic() - self._unanswered.popleft())
        self.counters.published += 1
        if self._failing:
            logger.info("publishing again")
            self._failing = False
        self._send()
        self._close_when_done()

    def _close_when_done(self) -> None:
        if self._stopping and self._connection and not self._queue and not self._unanswered:
            self._connection.close()

    def _silent_since(self) -> float:
        assert self._connection is not None
        if not self._unanswered:
            return self._connection.clock()
        return max(self._unanswered_since, self._connection.heard_at)

    def _fail(self, error: BaseException) -> None:
        """What was on its way is lost, or what a try would have taken."""
        if not self._failing:
            logger.warning("cannot publish, hubs read the log reason=%r", f"{type(error).__name__}: {error}")
        elif not self._unanswered:
            for _ in range(min(PIPELINE_MAX, len(self._queue))):
                self._queue.popleft()
                self.counters.failed += 1
        self._failing = True
        self.counters.failed += len(self._unanswered)
        self._unanswered.clear()
