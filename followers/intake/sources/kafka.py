"""Commands from Kafka: the topic ``<prefix>.commands``; results, dead messages and offsets in one transaction."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from confluent_kafka import Message as Delivered

from followers.brokers.broker import Broker
from followers.brokers.kafka_headers import Headers, headers_of
from followers.intake.answering import Dead
from followers.intake.applying import Applying, Outcome
from followers.intake.laid_aside import PROBLEM_HEADER, lacking, problem_text
from followers.intake.progress import may_begin
from followers.intake.sources.kafka_reader import Partition, Reader, Record
from stockwire.streams.cloud_event import CloudEvent
from stockwire.streams.errors import Unreadable
from wire.bindings import kafka_headers

BUSY_S, IDLE_S = 0.005, 0.1
"""How long a look for commands takes at most while others are in hand, and while none are. What is done meanwhile is
written together: a transaction costs as much as some commands."""
ROOM = 4
"""One part of so many of the window has to be free before there is a look for more, unless nothing is in hand."""
FULL_S = 2.0
"""Without room for so long, the broker is kept company without being given anything."""
END_S = 8.0
"""For all that the broker is still told when the process ends: beside one that hangs it has ended, also with a call
that was begun before, well before Kubernetes would kill it."""
Returned = TypeVar("Returned")


class KafkaSource:
    def __init__(self, broker: Broker, prefix: str, window: int, instance: str) -> None:
        """``instance``: a name of this process among those of the group, the same again when it starts anew: then it
        goes on at once. Empty: none."""
        self._reader_of = partial(Reader, broker, prefix, window, instance)
        self._window = window

    async def run(self, applying: Applying, stopping: asyncio.Event, reached: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "kafka") as thread:

            async def call(function: Callable[..., Returned], *arguments: Any) -> Returned:
                """To its end, even if nobody waits: two calls at a time would be one too many."""
                future = loop.run_in_executor(thread, partial(function, *arguments))
                try:
                    return await asyncio.shield(future)
                except asyncio.CancelledError:
                    await asyncio.wait([future])
                    raise

            reader = await call(self._reader_of)
            working = _Working(reader, applying, self._window, call)
            try:
                await call(reader.open)
                reached()
                await working.run(stopping)
            finally:
                await working.cancel()
                await call(reader.close)


class _Working:
    """What is in hand of each partition."""

    def __init__(self, reader: Reader, applying: Applying, window: int, call: Callable[..., Awaitable[Any]]) -> None:
        self._reader = reader
        self._applying = applying
        self._window = window
        self._call = call
        self._tasks: dict[asyncio.Task[None], Partition] = {}
        self._full_since: float | None = None
        self._paused = False
        self._stirred = asyncio.Event()

    async def run(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            await self._take()
            await self._begin()
            await self._settle()
        self._reader.end_within(END_S)
        loop = asyncio.get_running_loop()
        end = loop.time() + self._applying.end_s
        while self._tasks and loop.time() < end:
            await asyncio.wait(self._tasks, timeout=end - loop.time(), return_when=asyncio.FIRST_COMPLETED)
            self._ended()
            await self._settle()

    async def cancel(self, partition: Partition | None = None) -> None:
        """All that is in hand, or that of one partition."""
        tasks = [task for task, its in self._tasks.items() if partition in (None, its)]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for task in tasks:
            del self._tasks[task]

    async def _take(self) -> None:
        partitions = self._reader.partitions.values()
        waiting = sum(len(one.waiting) for one in partitions)
        room = self._window - waiting - sum(one.progress.in_hand for one in partitions)
        if room > 0 and (not self._tasks or (room * ROOM >= self._window and not waiting)):
            self._full_since = None
            if self._paused:
                self._paused = False
                await self._call(partial(self._reader.pause, paused=False))
            wait_s = BUSY_S if self._tasks else 0.0 if waiting else IDLE_S
            await self._call(self._reader.poll, room, wait_s)
        else:
            await self._full()
        for partition in self._reader.lost:
            await self.cancel(partition)
        self._reader.lost.clear()

    async def _full(self) -> None:
        """Waits for room, or for what is in hand alone: without asking for more, which would be thrown away when it
        pauses."""
        loop = asyncio.get_running_loop()
        if self._full_since is None:
            self._full_since = loop.time()
        if loop.time() - self._full_since >= FULL_S:
            if not self._paused:
                self._paused = True
                await self._call(partial(self._reader.pause, paused=True))
            await self._call(self._reader.poll, 1, 0.0)
        if self._tasks:
            with suppress(TimeoutError):
                async with asyncio.timeout(IDLE_S):
                    await self._stirred.wait()
                await asyncio.sleep(BUSY_S)

    async def _begin(self) -> None:
        partitions, alone = may_begin(list(self._reader.partitions.values()))
        for partition in partitions:
            if partition.waiting and not partition.noted:
                await self._call(self._reader.note, partition)
            for _ in range(1 if alone else len(partition.waiting)):
                delivered = partition.waiting.popleft()
                deliveries = partition.progress.take(_offset(delivered))
                headers = headers_of(delivered)
                end = partial(self._end, partition, delivered, headers)
                read = partial(event_of, headers, _value(delivered))
                task = self._applying.begin(_value(delivered), read, deliveries, end)
                self._tasks[task] = partition

    async def _end(self, partition: Partition, delivered: Delivered, headers: Headers | None, outcome: Outcome) -> None:
        partition.progress.done(_offset(delivered), self._record(delivered, headers, outcome))
        self._stirred.set()

    async def _settle(self) -> None:
        self._stirred.clear()
        self._ended()
        if ready := [one for one in self._reader.partitions.values() if one.progress.is_ready]:
            await self._call(self._reader.settle, ready)

    def _ended(self) -> None:
        """Raises what a task raised."""
        for task in [task for task in self._tasks if task.done()]:
            del self._tasks[task]
            task.result()

    def _record(self, delivered: Delivered, headers: Headers | None, outcome: Outcome) -> Record:
        key = delivered.key()
        raw_key = key.encode() if isinstance(key, str) else key
        if isinstance(outcome, Dead):
            problem = outcome.problem if headers is not None else lacking(outcome.problem, ["all headers"])
            came = [(name, value or b"") for name, value in headers or () if name != PROBLEM_HEADER]
            said = (PROBLEM_HEADER, problem_text(problem).encode())
            return Record(self._reader.dead, raw_key, _value(delivered), [*came, said])
        return Record(self._reader.results, raw_key, outcome.data, kafka_headers(outcome.attributes))


def event_of(headers: Headers | None, value: bytes) -> CloudEvent:
    """Raises Unreadable."""
    if headers is None:
        raise Unreadable("headers", "have a name that is no UTF-8")
    return CloudEvent.of_kafka(headers, value)


def _value(delivered: Delivered) -> bytes:
    value = delivered.value()
    return value.encode() if isinstance(value, str) else value or b""


def _offset(delivered: Delivered) -> int:
    offset = delivered.offset()
    assert offset is not None, "what was delivered has one"
    return offset
