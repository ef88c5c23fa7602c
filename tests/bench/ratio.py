"""A row of the bench: what of ours was measured, against what, and how far they stand apart."""

import statistics
from dataclasses import dataclass, field


@dataclass(slots=True)
class Row:
    """``ours`` and ``bare`` hold one figure per round, taken in turns. ``ratio`` is ours / bare, from the medians.

    ``better``: "lower" or "higher". ``target``: the ratio to reach, if there is one. ``missing``: what it would take to
    measure it here; there are no figures then. ``before``: the same row, of the processes of an earlier tree.
    """

    name: str
    unit: str
    better: str
    ours_is: str
    bare_is: str
    target: float | None = None
    ours: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    missing: str = ""
    before: "Row | None" = None

    @property
    def measured(self) -> bool:
        return bool(self.ours)

    @property
    def ratio(self) -> float:
        return statistics.median(self.ours) / statistics.median(self.bare)

    @property
    def spread(self) -> tuple[float, float]:
        """Lowest and highest ratio of a single round."""
        ratios = [ours / bare for ours, bare in zip(self.ours, self.bare, strict=True)]
        return min(ratios), max(ratios)

    def add(self, again: "Row") -> None:
        """The rounds of the same row, measured again."""
        self.ours += again.ours
        self.bare += again.bare
        self.notes |= again.notes
        self.missing = again.missing


def reaches(ratio: float, target: float, better: str) -> bool:
    return ratio <= target if better == "lower" else ratio >= target


def percentile(values: list[float], share: float) -> float:
    """The value below which ``share`` (0 to 1) of the values lie, by nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
