"""What does not hold: counted by invariant, the newest of each kept in words. Pure."""

from collections import deque
from collections.abc import Mapping

SEQS, VERSIONS, BALANCE = "seqs", "versions", "balance"
NEGATIVE, OVERSOLD, TRANSIT = "negative", "oversold", "transit"
LEVELS, HISTORY = "levels", "history"
INVARIANTS: Mapping[str, str] = {
    SEQS: "the seqs of a shard are dense, up to its head",
    VERSIONS: "the versions of a level are dense",
    BALANCE: "a level is what it was before, and what its event says was added",
    NEGATIVE: "on_hand and reserved are never below 0",
    OVERSOLD: "on_hand is never below reserved",
    TRANSIT: "what is on its way from one location to another is reserved, all of it",
    LEVELS: "a level's row is what its last event says",
    HISTORY: "an event stands in the log as it was told",
}
"""Those of docs/design.md, section 9, that can be judged event by event; by their names in metrics."""
KEPT = 5
"""Violations of one invariant that are told in words; all are counted."""


class Violations:
    """``counts``: of every invariant, from the start."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(INVARIANTS, 0)
        self._newest: dict[str, deque[str]] = {name: deque(maxlen=KEPT) for name in INVARIANTS}
        self._untold: dict[str, int] = {}

    def add(self, invariant: str, detail: str) -> None:
        """``detail``: where, and the numbers."""
        self.counts[invariant] += 1
        self._newest[invariant].append(detail)
        self._untold[invariant] = self._untold.get(invariant, 0) + 1

    def newest(self, invariant: str) -> list[str]:
        """The last one first."""
        return list(reversed(self._newest[invariant]))

    def untold(self) -> dict[str, tuple[int, str]]:
        """Since it was asked last, by invariant: how many, and the newest."""
        found = {name: (count, self._newest[name][-1]) for name, count in self._untold.items()}
        self._untold.clear()
        return found
