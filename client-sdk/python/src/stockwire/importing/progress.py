"""How far an import is: in which phase, and how much of it is done."""

from collections.abc import Callable
from dataclasses import dataclass

READING, LOOKING, ITEMS, OPENING, BOOKING, COUNTING = "reading", "looking", "items", "opening", "booking", "counting"


@dataclass
class Progress:
    """``report`` is called after each change. ``total`` counts what the phase is about: lines, keys, skus or items."""

    report: Callable[["Progress"], None]
    phase: str = READING
    done: int = 0
    total: int = 0

    def begin(self, phase: str, total: int) -> None:
        self.phase, self.done, self.total = phase, 0, total
        self.report(self)

    def advance(self, units: int) -> None:
        self.done += units
        self.report(self)

    def reach(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        self.report(self)
