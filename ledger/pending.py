"""An operation that waits for its answer, and how it gets one."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from ledger.decide import Decision
from ledger.errors import IdempotencyMismatch, LedgerError
from ledger.event import complete, timestamp
from ledger.operation import Operation, Outcome
from ledger.statements import Head, Stored


class Pending:
    """Answered once; later answers are dropped, so whoever waited may be gone."""

    __slots__ = ("answer", "arrived", "operation")

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.arrived = time.monotonic()
        self.answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.answer.add_done_callback(_seen)

    def succeed(self, outcome: Outcome) -> None:
        if not self.answer.done():
            self.answer.set_result(outcome)

    def fail(self, error: LedgerError) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)

    def replay(self, stored: Stored) -> None:
        """The answer of the first time, or the word that the key was meant for something else."""
        if stored.request_hash != self.operation.request_hash:
            self.fail(mismatch(self.operation.key))
        elif stored.refusal is not None:
            stored.refusal.replayed = True
            self.fail(stored.refusal)
        else:
            self.succeed(Outcome(self.operation.id, stored.events, replayed=True))


def answer(batch: Sequence[Pending], decision: Decision) -> None:
    """Every operation of the batch gets its verdict; the events must have their seqs (``number``)."""
    position = 0
    for pending, verdict in zip(batch, decision.verdicts, strict=True):
        if isinstance(verdict, LedgerError):
            pending.fail(verdict)
        else:
            pending.succeed(Outcome(pending.operation.id, tuple(decision.events[position : position + verdict])))
            position += verdict


def number(events: list[dict[str, Any]], heads: dict[int, Head]) -> dict[int, list[dict[str, Any]]]:
    """Gives the events the seqs and the time that the database gave them. Returns them by shard."""
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


def _seen(answer: asyncio.Future[Outcome]) -> None:
    """Whoever asked may have hung up: an error nobody reads is no news."""
    if not answer.cancelled():
        answer.exception()
