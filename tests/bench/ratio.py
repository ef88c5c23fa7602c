"""A row of the bench: what of ours was measured, against what, and how far they stand apart."""

import statistics
from dataclasses import dataclass, field


@dataclass(slots=True)
class Row:
    """``ours`` and ``bare`` hold one figure per round, taken in turns. ``ratio`` is ours / bare, from the medians.

    ``better``: "lower" or "higher". ``target``: the ratio to reach, if there is one. A change that makes a ratio worse
    by 10% than the one recorded in docs/benchmarks.md must say so; no absolute figure is ever asserted.
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

    @property
    def ratio(self) -> float:
        return statistics.median(self.ours) / statistics.median(self.bare)

    @property
    def spread(self) -> tuple[float, float]:
        """Lowest and highest ratio of a single round."""
        ratios = [ours / bare for ours, bare in zip(self.ours, self.bare, strict=True)]
        return min(ratios), max(ratios)

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None without one."""
        if self.target is None:
            return None
        return self.ratio <= self.target if self.better == "lower" else self.ratio >= self.target

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "value": round(statistics.median(self.ours), 3),
            "reference": round(statistics.median(self.bare), 3),
            "ratio": round(self.ratio, 3),
            "target": self.target,
            "met": self.met,
            "spread": [round(part, 3) for part in self.spread],
            "better": self.better,
            "unit": self.unit,
            "ours": {"is": self.ours_is, "rounds": [round(figure, 3) for figure in self.ours]},
            "bare": {"is": self.bare_is, "rounds": [round(figure, 3) for figure in self.bare]},
            "notes": self.notes,
        }


def percentile(values: list[float], share: float) -> float:
    """The value below which ``share`` (0 to 1) of the values lie, by nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
