"""The fast path: what was committed, on pub/sub. Nobody waits for it; what is lost here, hubs read from the log."""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from typing import Any

import orjson
from redis.asyncio import Redis

from server.errors import BROKER_AWAY
from wire.channels import revocation_channel, shard_channel

logger = logging.getLogger(__name__)

QUEUE_MAX = 1000
"""Messages waiting for the broker. Beyond it the oldest go: a hub that misses one reads the log anyway."""

PUBLISH_DEADLINE_S = 2.0
PIPELINE_MAX = 100
PAUSE_AFTER_FAILURE_S = 0.2


@dataclass(slots=True)
class Counters:
    """Counts since start, in messages: one per batch and shard, heartbeats and revocations."""

    published: int = 0
    heartbeats: int = 0
    failed: int = 0
    dropped: int = 0


class Publisher:
    """``run`` until cancelled; ``publish`` and ``heartbeat`` never wait and never fail."""

    def __init__(self, redis_url: str, prefix: str) -> None:
        self.counters = Counters()
        self._redis_url = redis_url
        self._prefix = prefix
        self._queue: deque[tuple[str, bytes]] = deque()
        self._arrived = asyncio.Event()
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

    def publish(self, epoch: str, shard: int, events: list[dict[str, Any]]) -> None:
        """``events``: those of one batch on one shard, dense and in order."""
        message = {"epoch": epoch, "shard": shard, "first": events[0]["seq"], "events": events}
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
        self._arrived.set()

    async def run(self) -> None:
        redis = Redis.from_url(
            self._redis_url,
            protocol=2,
            socket_timeout=PUBLISH_DEADLINE_S,
            socket_connect_timeout=PUBLISH_DEADLINE_S,
        )
        async with redis:
            while not (self._stopping and (self._failing or not self._queue)):
                await self._arrived.wait()
                await self._send(redis, self._take())

    def _put(self, channel: str, message: dict[str, Any]) -> None:
        if len(self._queue) >= QUEUE_MAX:
            self._queue.popleft()
            self.counters.dropped += 1
        self._queue.append((channel, orjson.dumps(message)))
        self._arrived.set()

    def _take(self) -> list[tuple[str, bytes]]:
        messages = [self._queue.popleft() for _ in range(min(PIPELINE_MAX, len(self._queue)))]
        if not self._queue and not self._stopping:
            self._arrived.clear()
        return messages

    async def _send(self, redis: "Redis", messages: list[tuple[str, bytes]]) -> None:
        if not messages:
            return
        pipeline = redis.pipeline(transaction=False)
        for channel, payload in messages:
            pipeline.publish(channel, payload)
        try:
            async with asyncio.timeout(PUBLISH_DEADLINE_S):
                await pipeline.execute()
        except BROKER_AWAY as error:
            if not self._failing:
                logger.warning("cannot publish (hubs will read the log): %s", error)
            self._failing = True
            self.counters.failed += len(messages)
            await asyncio.sleep(PAUSE_AFTER_FAILURE_S)
        else:
            if self._failing:
                logger.info("publishing again")
            self._failing = False
            self.counters.published += len(messages)
