"""An operation that waits to be committed, and how whoever sent it hears what became of it."""

import asyncio
from collections.abc import Sequence
from typing import Any

from ledger.commit.decide import Decision
from ledger.commit.event import complete, timestamp
from ledger.commit.operation import Operation, Outcome
from ledger.commit.statements import Head, Stored
from ledger.errors import IdempotencyMismatch
from server.problems import Problem


class Pending:
    """``outcome``: an `Outcome`, or a Problem. It is set once, and what comes later is dropped.

    ``arrived``: by the monotonic clock, in seconds.
    """

    __slots__ = ("arrived", "operation", "outcome")

    def __init__(self, operation: Operation, arrived: float) -> None:
        self.operation = operation
        self.arrived = arrived
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def succeed(self, outcome: Outcome) -> None:
        if not self.outcome.done():
            self.outcome.set_result(outcome)

    def fail(self, error: Problem) -> None:
        if not self.outcome.done():
            self.outcome.set_exception(error)
            self.outcome.exception()  # the sender may have hung up: asyncio must not log that nobody retrieved it

    def replay(self, stored: Stored) -> None:
        """The outcome of the first time, or IdempotencyMismatch: the key was meant for something else then."""
        if stored.request_hash != self.operation.request_hash:
            self.fail(mismatch(self.operation.key))
        elif stored.refusal is not None:
            stored.refusal.replayed = True
            self.fail(stored.refusal)
        else:
            self.succeed(Outcome(self.operation.id, stored.events, replayed=True))


def settle(batch: Sequence[Pending], decision: Decision) -> None:
    """Gives every operation of the batch its outcome. The events must be complete."""
    position = 0
    for pending, verdict in zip(batch, decision.verdicts, strict=True):
        if isinstance(verdict, Problem):
            pending.fail(verdict)
        else:
            pending.succeed(Outcome(pending.operation.id, tuple(decision.events[position : position + verdict])))
            position += verdict


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
