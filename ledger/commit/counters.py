"""What the writers of a process count, all into one."""

from collections.abc import Callable
from dataclasses import dataclass, field

from ledger.commit.decide import Decision
from ledger.commit.refused import RefusedLists
from ledger.errors import REFUSALS, Refusal
from server.histogram import Histogram


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
    waits: Histogram = field(default_factory=Histogram)
    took: Histogram = field(default_factory=Histogram)
    statements: Histogram = field(default_factory=Histogram)
    refusals: dict[str, int] = field(default_factory=lambda: dict.fromkeys(REFUSALS, 0))
    """By problem type, all from 0, so that the first one shows as a rise."""
    refused: RefusedLists = field(default_factory=RefusedLists)

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
