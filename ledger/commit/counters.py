"""What the writers of a process count, all into one."""

from dataclasses import dataclass, field

from ledger.commit.decide import Decision
from ledger.errors import REFUSALS, Refusal


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
    refusals: dict[str, int] = field(default_factory=lambda: dict.fromkeys(REFUSALS, 0))
    """By problem type, all from 0, so that the first one shows as a rise."""

    def count(self, decision: Decision) -> None:
        """``decision`` was committed."""
        self.batches += 1
        self.events += len(decision.events)
        for verdict in decision.verdicts:
            if isinstance(verdict, Refusal):
                self.refusals[verdict.type] += 1
            elif isinstance(verdict, int):
                self.operations += 1
