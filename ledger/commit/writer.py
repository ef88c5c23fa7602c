"""The optimistic group commit: one writer task per shard gathers what has arrived and commits it as one statement.

No fixed wait: while a batch commits, the next one gathers. A batch that lost a race is decided once more under its
level locks and cannot miss. Writers that fight commit in turns. See docs/decisions/0001-group-commit.md.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from ledger.commit import statements
from ledger.commit.commit_spans import BatchSpan, CommitSpans
from ledger.commit.contention import Contention
from ledger.commit.counters import Counters
from ledger.commit.decide import Decision, holds_of, keys_of
from ledger.commit.decider import Decider, Expire, OverdueHolds
from ledger.commit.failure import ALONE, AT_ONCE, MISSED, Failure, failure_of, not_now, problem_of
from ledger.commit.operation import Operation
from ledger.commit.pending import Pending, complete_by_shard, settle
from ledger.commit.queue import BATCH_LINES_MAX, Queue
from ledger.commit.remembered_holds import RememberedHolds
from ledger.commit.statements import Head, Stored
from ledger.database.connector import CheckedConnection
from ledger.database.held_connection import HeldConnection
from ledger.database.reason import reason_of
from ledger.errors import Refusal, ReservationLimit
from ledger.feed.heads import Heads
from ledger.feed.publisher import Publisher
from ledger.feed.rivals import Rivals
from ledger.limits import HoldLimits
from server.problems import Invalid, Problem
from server.tracing.tracing import exemplar_of, within

logger = logging.getLogger(__name__)

COMMIT_DEADLINE_S = 10.0
"""A batch tries again for this long when connections are lost, then its outcome is unknown."""

LOCKED_MISSES_MAX = 4
"""Under its locks a batch cannot miss, unless the public steps were changed, or the same key is misused elsewhere, at
this very moment."""

HALVES_LOCK_TIMEOUT = "set local lock_timeout = '100ms'"
"""While looking for the operation that others hold up, its neighbours do not wait the full two seconds each time."""

NEVER = -1
"""Before the first connection: epoch and steps are read before anything is decided."""

DOUBTFUL = (Invalid, ReservationLimit)
"""What does not fit is not stored, so no statement checks its levels or its key: it may have been done before, when it
fitted, or another replica may have made room. It is decided under the locks."""

RETRY_PAUSES_S = (0.05, 0.1, 0.2, 0.4)


@dataclass(slots=True)
class Attempt:
    """One try at committing a batch.

    ``released``: overdue holds that were let go of for it already. ``sent``: the commit statement has left. If the
    connection is lost after that, the batch may still commit. ``span``: if any of it is traced.
    """

    batch: Sequence[Pending]
    released: Collection[str] = ()
    sent: bool = False
    span: BatchSpan | None = None

    @property
    def operations(self) -> list[Operation]:
        return [pending.operation for pending in self.batch]


class Writer:
    """Commits the operations in its ``queue``, one batch at a time.

    ``shard``: of all of them. None: they span shards; then it always locks, since other writers of this process move
    the same levels.
    """

    def __init__(
        self,
        connection: HeldConnection,
        heads: Heads,
        publisher: Publisher,
        *,
        counters: Counters,
        shard: int | None,
        holds: RememberedHolds,
        expire: Expire,
        limits: HoldLimits,
        spans: CommitSpans | None = None,
    ) -> None:
        self.queue = Queue()
        self._decider = Decider(heads, counters, shard, holds, expire, limits)
        self.remembered = self._decider.levels
        self._connection = connection
        self._seen_opened = NEVER
        self._heads = heads
        self._publisher = publisher
        self._counters = counters
        self._spans = spans
        self._always_locked = shard is None
        self._name = secrets.token_hex(4)
        self._contention = Contention(self.remembered, counters)
        if shard is not None:
            self._contention.rivals = Rivals(publisher.broker, shard, self._name, lambda: heads.epoch, self._contention)

    @property
    def listens(self) -> bool:
        """Whether it hears what others commit on its shard."""
        return self._contention.rivals is not None and self._contention.rivals.live

    async def run(self) -> None:
        """Until the queue is stopped and everything in it is answered."""
        try:
            async with asyncio.TaskGroup() as tasks:
                listening = tasks.create_task(self._contention.run(), name="rivals")
                while batch := await self.queue.next_batch(self._contention.turn):
                    await self._commit(batch)
                listening.cancel()
        finally:
            await self._connection.close()

    async def _commit(self, batch: list[Pending]) -> None:
        """Answers every operation of the batch, one way or another."""
        started = time.monotonic()
        traced = None
        for pending in batch:
            trace = pending.trace
            traced = traced or trace
            self._counters.waits.observe(started - pending.arrived, exemplar_of(trace))
        if self._spans is not None:
            self._spans.taken(batch, started)
        await self._commit_until(batch, started + COMMIT_DEADLINE_S)
        took_s = time.monotonic() - started
        if self._spans is not None:
            self._spans.took(batch, took_s)
        self._contention.took(took_s)
        self._counters.took.observe(took_s, exemplar_of(traced))

    async def _commit_until(
        self, batch: list[Pending], deadline: float, half: bool = False, unknown: bool = False
    ) -> None:
        """``half``: of a batch that one of its operations held up.

        ``unknown``: the batch was sent before on a connection that was lost, and may still commit there.
        """
        tries = misses = 0
        released: set[str] = set()
        locked = half or self._always_locked or self._contention.locked
        began = deadline - COMMIT_DEADLINE_S
        while True:
            attempt = Attempt(batch, released, span=None if self._spans is None else self._spans.begin(batch, began))
            try:
                return await (self._try_locked(attempt, half) if locked else self._try_optimistic(attempt))
            except OverdueHolds as overdue:
                _failed(attempt, "overdue")
                if time.monotonic() > deadline:
                    return _give_up(batch, unknown, overdue)
                released |= holds_of(overdue.releases)
                batch = await self._behind(overdue, batch, deadline)
                continue
            except Exception as error:  # noqa: BLE001  failure_of raises again what is not the database's
                failure, reason = failure_of(error), error
            _failed(attempt, failure.value)
            self._after(failure, batch)
            unknown = unknown or (attempt.sent and failure is Failure.LOST)
            if locked and failure in MISSED:
                misses += 1
                self._seen_opened = NEVER  # under the locks only other public steps miss: read them again
            if failure in ALONE and (locked or failure is Failure.POISON):
                return await self._bisect(batch, failure, reason, deadline, unknown)
            if misses >= LOCKED_MISSES_MAX or (failure not in AT_ONCE and time.monotonic() > deadline):
                return _give_up(batch, unknown, reason)
            if failure not in AT_ONCE:
                await asyncio.sleep(RETRY_PAUSES_S[min(tries, len(RETRY_PAUSES_S) - 1)])
                tries += 1
            locked = True

    async def _behind(self, overdue: OverdueHolds, batch: list[Pending], deadline: float) -> list[Pending]:
        """The batch behind what lets go of them; if there may be more, or all is too much for one statement, these go
        by themselves, before it.
        """
        first = [Pending(release, time.monotonic()) for release in overdue.releases]
        lines = sum(pending.operation.size for pending in (*first, *batch))
        if not overdue.more and lines <= BATCH_LINES_MAX:
            return first + batch
        await self._commit_until(first, deadline)
        return batch

    def _after(self, failure: Failure, batch: list[Pending]) -> None:
        """Counts the failure, and forgets what it shows to be old."""
        operations = [pending.operation for pending in batch]
        if failure is Failure.MOVED:
            self._counters.conflicts += 1
            self._decider.forget(operations, ())
            self._contention.lost(keys_of(operations))
        else:
            self._decider.forget(operations, keys_of(operations) if failure is Failure.KNOWN else None)
        if failure is Failure.BUSY:
            self._counters.lock_timeouts += 1
        elif failure is Failure.LOST:
            self._counters.lost_connections += 1

    async def _bisect(
        self, batch: list[Pending], failure: Failure, reason: Exception, deadline: float, unknown: bool
    ) -> None:
        """One operation must not hurt its neighbours: halve the batch until it stands alone."""
        if len(batch) == 1:
            with within(batch[0].span):
                logger.warning("an operation was refused failure=%r reason=%r", failure.value, reason_of(reason))
            batch[0].fail(problem_of(failure, unknown))
        elif time.monotonic() > deadline:
            _give_up(batch, unknown, reason)
        else:
            self._counters.bisections += 1
            middle = len(batch) // 2
            await self._commit_until(batch[:middle], deadline, half=True, unknown=unknown)
            await self._commit_until(batch[middle:], deadline, half=True, unknown=unknown)

    # --- the two tries

    async def _try_optimistic(self, attempt: Attempt) -> None:
        operations = attempt.operations
        async with self._connection.taken() as connection:
            await self._renew(connection)
            limited = await self._decider.limiter.of(connection, operations)
            to_be_locked = limited is not None and limited.counted
            if not to_be_locked:
                levels = await self._decider.load(connection, keys_of(operations))
                decision = await self._decider.decide(connection, operations, levels, attempt.released, limited)
                to_be_locked = any(isinstance(verdict, DOUBTFUL) for verdict in decision.verdicts)
            if not to_be_locked:
                await self._replay_unmet(connection, attempt.batch, decision)
                heads = await self._write(connection, attempt, decision)
        if to_be_locked:
            await self._try_locked(attempt, half=False)
        else:
            self._contention.held()
            self._finish(attempt, attempt.batch, decision, heads)

    async def _replay_unmet(self, connection: CheckedConnection, batch: Sequence[Pending], decision: Decision) -> None:
        """A key that was used before is answered as used before, also where now nothing would be stored: the sku does
        not exist, or a limit is reached, by what this very key has brought about.
        """
        verdicts = zip(batch, decision.verdicts, strict=True)
        unmet = [p for p, verdict in verdicts if isinstance(verdict, Problem) and not isinstance(verdict, Refusal)]
        if unmet:
            self._replay(unmet, await statements.stored(connection, [pending.operation.id for pending in unmet]))

    async def _try_locked(self, attempt: Attempt, half: bool) -> None:
        self._counters.locked_batches += 1
        keys = keys_of(attempt.operations)
        async with self._connection.taken() as connection:
            await self._renew(connection)
            await self._decider.load(connection, keys)  # makes those that are missing; never under the locks
            limited = await self._decider.limiter.of(connection, attempt.operations)
            async with connection.transaction(isolation="read_committed"):
                if half:
                    await connection.execute(HALVES_LOCK_TIMEOUT)
                if limited is not None:
                    await limited.lock(connection)
                await self._decider.lock_holds(connection, attempt.operations)
                levels = await statements.lock(connection, keys)
                known = await statements.stored(connection, [pending.operation.id for pending in attempt.batch])
                fresh = [pending for pending in attempt.batch if pending.operation.id not in known]
                operations = [pending.operation for pending in fresh]
                decision = await self._decider.decide(connection, operations, levels, attempt.released, limited)
                heads = await self._write(connection, attempt, decision)
        self._contention.read(levels, replays=bool(known))
        self._finish(attempt, fresh, decision, heads)
        self._replay(attempt.batch, known)

    def _replay(self, batch: Sequence[Pending], known: Mapping[str, Stored]) -> None:
        for pending in batch:
            if pending.operation.id in known:
                self._counters.replays += 1
                pending.replay(known[pending.operation.id])

    async def _write(self, connection: CheckedConnection, attempt: Attempt, decision: Decision) -> dict[int, Head]:
        if not decision.stored:
            return {}
        attempt.sent = True
        started = time.monotonic()
        try:
            with nullcontext() if attempt.span is None else attempt.span.statement(decision):
                return await statements.write(connection, decision)
        finally:
            trace = None if attempt.span is None else attempt.span.trace
            self._counters.statements.observe(time.monotonic() - started, exemplar_of(trace))

    async def _renew(self, connection: CheckedConnection) -> None:
        """A new connection may speak to a restored, older database: forget, and read the epoch on it."""
        if self._seen_opened != self._connection.opened:
            self._decider.clear()
            await self._heads.read(connection)
            self._seen_opened = self._connection.opened

    def _finish(self, attempt: Attempt, batch: Sequence[Pending], decision: Decision, heads: dict[int, Head]) -> None:
        """After the commit: remember, publish, answer. ``batch``: without those that were answered before."""
        at = self._decider.keep(decision, heads)
        for shard, events in complete_by_shard(decision.events, heads).items():
            self._publish(attempt.span, shard, events)
            self._heads.advanced(shard, events)
            self._contention.committed(heads[shard].seq)
        settle(batch, decision, at)
        self._counters.count(decision, lambda place: batch[place].operation.owner)
        if attempt.span is not None:
            attempt.span.end()

    def _publish(self, span: BatchSpan | None, shard: int, events: list[dict[str, Any]]) -> None:
        if span is None:
            self._publisher.publish(self._heads.epoch, shard, self._name, events)
            return
        with span.publishing(shard, events) as traces:
            self._publisher.publish(self._heads.epoch, shard, self._name, events, traces)


def _failed(attempt: Attempt, why: str) -> None:
    if attempt.span is not None:
        attempt.span.end(why)


def _give_up(batch: Sequence[Pending], unknown: bool, reason: Exception) -> None:
    with within(next((pending.span for pending in batch if pending.span is not None), None)):
        logger.warning(
            "a batch was given up operations=%d outcome_unknown=%s reason=%r", len(batch), unknown, reason_of(reason)
        )
    for pending in batch:
        pending.fail(not_now(Failure.UNAVAILABLE.value, unknown))
