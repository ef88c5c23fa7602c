"""An operation that waits to be committed, and how whoever sent it hears what became of it."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from ledger.commit.decide import Decision
from ledger.commit.event import complete, timestamp
from ledger.commit.hold import answer_of_stored
from ledger.commit.operation import Operation, Outcome
from ledger.commit.statements import Head, Stored
from ledger.errors import IdempotencyMismatch
from server.problems import Problem
from server.tracing.span import Span
from wire.trace import Trace


class Pending:
    """What becomes of it is told once, to all who ask before: an `Outcome`, or a Problem. What comes later is dropped.

    ``arrived``: by the monotonic clock, in seconds. ``ended``: told first, in the turn in which the outcome is known.
    ``span``: of the request, if it is traced; ``trace``: where that stands.
    """

    __slots__ = ("_asking", "arrived", "ended", "operation", "span")

    def __init__(self, operation: Operation, arrived: float) -> None:
        self.operation = operation
        self.arrived = arrived
        self.ended: Callable[[Operation], object] = _to_nobody
        self.span: Span | None = None
        self._asking: list[asyncio.Future[Outcome]] = []

    @property
    def trace(self) -> Trace | None:
        return None if self.span is None else self.span.trace

    def outcome(self) -> asyncio.Future[Outcome]:
        """To wait for. Each who asks gets one of their own: who gives up takes nothing from the others."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._asking.append(future)
        return future

    def succeed(self, outcome: Outcome) -> None:
        for future in self._told():
            future.set_result(outcome)

    def fail(self, error: Problem) -> None:
        for future in self._told():
            future.set_exception(error)
            future.exception()  # the sender may have hung up: asyncio must not log that nobody retrieved it

    def _told(self) -> list[asyncio.Future[Outcome]]:
        ended, self.ended = self.ended, _to_nobody  # told again, it would take the next one of this key for us
        ended(self.operation)
        asking, self._asking = self._asking, []
        return [future for future in asking if not future.done()]

    def replay(self, stored: Stored) -> None:
        """The outcome of the first time, or IdempotencyMismatch: the key was meant for something else then."""
        if stored.request_hash != self.operation.request_hash:
            self.fail(mismatch(self.operation.key))
        elif stored.refusal is not None:
            stored.refusal.replayed = True
            self.fail(stored.refusal)
        else:
            self.succeed(Outcome(self.operation.id, stored.events, replayed=True, hold=stored.hold))


def _to_nobody(operation: Operation) -> None:
    """Until somebody wants to be told."""


def settle(batch: Sequence[Pending], decision: Decision, at: datetime | None = None) -> None:
    """Gives every operation of the batch its outcome. The events must be complete. ``at``: see ``Head``."""
    position = 0
    holds = _answers(decision, at) if decision.holds_after else {}
    for pending, verdict in zip(batch, decision.verdicts, strict=True):
        if isinstance(verdict, Problem):
            pending.fail(verdict)
        else:
            operation = pending.operation.id
            events = tuple(decision.events[position : position + verdict])
            pending.succeed(Outcome(operation, events, hold=holds.get(operation)))
            position += verdict


def _answers(decision: Decision, at: datetime | None) -> dict[str, dict[str, Any]]:
    """By operation, the hold as it left it."""
    found = ((written.operation.id, written.hold) for written in decision.stored)
    return {operation: answer_of_stored(hold, at) for operation, hold in found if hold is not None}


def complete_by_shard(events: list[dict[str, Any]], heads: dict[int, Head]) -> dict[int, list[dict[str, Any]]]:
    """Completes the events with the seqs and times that the database gave them, and returns them by shard."""
    by_shard: dict[int, list[dict[str, Any]]] = {}
    for event in events:
        by_shard.setdefault(event["shard"], []).append(event)
    for shard, of_shard in by_shard.items():
        committed_at = timestamp(heads[shard].committed_at)
        for seq, event in enumerate(of_shard, heads[shard].seq - len(of_shard) + 1):
            complete(event, seq, committed_at)
    return by_shard


def mismatch(key: str) -> IdempotencyMismatch:
    return IdempotencyMismatch(f"the key {key} was used before with another request", key=key)
