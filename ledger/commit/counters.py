"""What the writers of a process count, all into one."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field

from ledger.commit.decide import Decision
from ledger.commit.refused import RefusedLists
from ledger.errors import REFUSALS, Refusal

BATCH_BOUNDS_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


@dataclass(slots=True)
class Counters:
    """Counts since start, for the metrics: docs/reference/metrics.md says what each one means."""

    operations: int = 0
    events: int = 0
    batches: int = 0
    conflicts: int = 0
    locked_batches: int = 0
    turns: int = 0
    missed_turns: int = 0
    replays: int = 0
    joined: int = 0
    lock_timeouts: int = 0
    lost_connections: int = 0
    bisections: int = 0
    holds_released_before_refusal: int = 0
    commit_seconds: float = 0.0
    took: list[int] = field(default_factory=lambda: [0] * (len(BATCH_BOUNDS_S) + 1))
    """Batches by how long they took: up to each of BATCH_BOUNDS_S, and longer."""
    refusals: dict[str, int] = field(default_factory=lambda: dict.fromkeys(REFUSALS, 0))
    """By problem type, all from 0, so that the first one shows as a rise."""
    refused: RefusedLists = field(default_factory=RefusedLists)

    def batch_took(self, seconds: float) -> None:
        self.commit_seconds += seconds
        self.took[bisect_left(BATCH_BOUNDS_S, seconds)] += 1

    def count(self, decision: Decision, owner_of: Callable[[int], str]) -> None:
        """``decision`` was committed. ``owner_of``: whose operation it is, by its place."""
        self.batches += 1
        self.events += len(decision.events)
        for place, verdict in enumerate(decision.verdicts):
            if isinstance(verdict, Refusal):
                self.refusals[verdict.type] += 1
                self.refused.count(verdict, owner_of(place))
            elif isinstance(verdict, int):
                self.operations += 1
