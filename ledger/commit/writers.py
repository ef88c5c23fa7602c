"""All writers of a process: one per shard, and one for operations that span shards."""

import asyncio
from collections.abc import Mapping
from functools import partial

from ledger.commit.commit_spans import CommitSpans
from ledger.commit.counters import Counters
from ledger.commit.decider import Expire
from ledger.commit.operation import Operation, Outcome
from ledger.commit.pending import Pending, mismatch
from ledger.commit.remembered_holds import RememberedHolds
from ledger.commit.writer import Writer
from ledger.database.connector import Connector
from ledger.database.held_connection import HeldConnection
from ledger.feed.heads import Heads
from ledger.feed.publisher import Publisher
from ledger.limits import HoldLimits
from server.tracing.names import OPERATION_ID, OPERATIONS
from server.tracing.span import Span
from server.tracing.tracing import CURRENT, Tracing


class Writers:
    """Each has a connection of its own, with ``settings``: a commit waits for no other, and for no read."""

    def __init__(
        self,
        connector: Connector,
        settings: Mapping[str, str],
        shards: int,
        heads: Heads,
        publisher: Publisher,
        expire: Expire,
        limits: HoldLimits,
        tracing: Tracing | None = None,
    ) -> None:
        """``expire``: see ``decider``."""
        self.counters = Counters()
        self.remembered_holds = RememberedHolds()
        connection = partial(HeldConnection, connector, settings)
        writer = partial(
            Writer,
            heads=heads,
            publisher=publisher,
            counters=self.counters,
            holds=self.remembered_holds,
            expire=expire,
            limits=limits,
            spans=None if tracing is None else CommitSpans(tracing, publisher.broker[1]),
        )
        self._by_shard = [writer(connection(), shard=shard) for shard in range(shards)]
        self._across = writer(connection(), shard=None)
        self._in_flight: dict[str, Pending] = {}

    @property
    def queued_lines(self) -> int:
        return sum(writer.queue.lines for writer in self._all)

    @property
    def remembered_levels(self) -> int:
        return sum(len(writer.remembered) for writer in self._all)

    @property
    def listened_shards(self) -> int:
        return sum(writer.listens for writer in self._all)

    @property
    def _all(self) -> list[Writer]:
        return [*self._by_shard, self._across]

    async def submit(self, operation: Operation) -> Outcome:
        """Commit ``operation``, durably, all of it or nothing; answers after COMMIT.

        The same key again gives the stored answer, ``replayed``; while the first is under way both get its answer.
        Raises a Problem: a Refusal is as true as a success; whatever is a Later may be sent again.
        """
        return await self.enqueue(operation, CURRENT.get())

    def enqueue(self, operation: Operation, span: Span | None = None) -> asyncio.Future[Outcome]:
        """What ``submit`` waits for. ``span``: of the request, if it is traced. Raises a Problem."""
        if span is not None:
            _name(span, operation)
        known = self._in_flight.get(operation.id)
        if known is not None:
            if known.operation.request_hash != operation.request_hash:
                raise mismatch(operation.key)
            self.counters.joined += 1
            return known.outcome()
        shard = operation.shard
        writer = self._across if shard is None else self._by_shard[shard]
        pending = writer.queue.put(operation)
        self._in_flight[operation.id] = pending
        pending.ended = self._ended
        pending.span = span
        return pending.outcome()

    def _ended(self, operation: Operation) -> None:
        self._in_flight.pop(operation.id, None)

    def stop(self) -> None:
        """Take nothing more; ``run`` returns when all that was taken is answered. Safe twice."""
        for writer in self._all:
            writer.queue.stop()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for writer in self._all:
                tasks.create_task(writer.run())


def _name(span: Span, operation: Operation) -> None:
    """A request of one operation says which, one of many says how many."""
    attributes = span.attributes
    if OPERATIONS in attributes:
        attributes[OPERATIONS] += 1
    elif attributes.pop(OPERATION_ID, None) is None:
        attributes[OPERATION_ID] = operation.id
    else:
        attributes[OPERATIONS] = 2
