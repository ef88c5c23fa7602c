"""What the public sees of a level: in stock, low or out, and a quantity in steps. Pure; ledger and hub must agree.

The ledger counts the changes of the view as it decides (``view_version``), so a view has the same version on every hub
and that version tells nothing but how often the view has changed.
"""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal

Availability = Literal["in_stock", "low", "out"]

STEPS_MAX = 20


@dataclass(frozen=True, slots=True)
class PublicSteps:
    """``steps`` ascend, from 1 or more; below the first a level is ``out``, below ``low`` (one of them) it is ``low``.

    One setting of the whole system, kept by the ledger. A change rewrites every view, so it makes a new epoch.
    """

    steps: tuple[int, ...] = (1, 5, 10)
    low: int = 5

    def __post_init__(self) -> None:
        if not 1 <= len(self.steps) <= STEPS_MAX or self.steps[0] < 1 or sorted(set(self.steps)) != list(self.steps):
            raise ValueError(f"public steps must be 1 to {STEPS_MAX} ascending whole numbers from 1")
        if self.low not in self.steps:
            raise ValueError(f"low must be one of the steps {', '.join(map(str, self.steps))}, not {self.low}")

    def floor(self, available: int) -> int:
        """The largest step that ``available`` reaches, or 0. The view depends on nothing else."""
        reached = bisect_right(self.steps, available)
        return self.steps[reached - 1] if reached else 0

    def alike(self, one: int, other: int) -> bool:
        """Whether both show the same view."""
        return bisect_right(self.steps, one) == bisect_right(self.steps, other)

    def availability(self, available: int) -> Availability:
        floor = self.floor(available)
        if not floor:
            return "out"
        return "low" if floor < self.low else "in_stock"

    def quantity(self, available: int) -> str:
        floor = self.floor(available)
        return f"{floor}+" if floor else "0"


DEFAULT_STEPS = PublicSteps()
