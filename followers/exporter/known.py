"""The levels that are known, as their last events left them: bounded, those of the skus that moved last. Pure."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from followers.exporter.counts import Counts

Level = tuple[int, int, int, int]
"""version, on_hand, reserved, seq of its last event. A plain tuple: there may be a million, and each event makes
one."""
ON_THE_WAY = "transit:"
"""How the names of locations begin where nothing stands but what is on its way to another."""


@dataclass(slots=True)
class Sku:
    """``levels``: by location. ``whole``: it has no others."""

    levels: dict[str, Level] = field(default_factory=dict)
    whole: bool = False

    @property
    def available(self) -> int:
        """At all locations, without what is on its way between two."""
        return sum(
            on_hand - reserved
            for location, (_, on_hand, reserved, _) in self.levels.items()
            if not location.startswith(ON_THE_WAY)
        )


class Known:
    """``levels_max``: beyond it that sku is let go of, with all its levels, that has not moved for the longest time.

    ``all_of_them``: every level that exists is here, so that the first event of any other has version 1. ``count``:
    levels that are here.
    """

    def __init__(self, levels_max: int, counts: Counts, *, all_of_them: bool) -> None:
        """``all_of_them``: there are none yet."""
        self._counts = counts
        self.levels_max = levels_max
        self.all_of_them = all_of_them
        self.count = 0
        self._skus: OrderedDict[str, Sku] = OrderedDict()
        self._locations: dict[str, str] = {}
        self._leaving: set[str] | None = None

    def of(self, sku: str) -> Sku | None:
        return self._skus.get(sku)

    def level(self, sku: str, location: str) -> Level | None:
        known = self._skus.get(sku)
        return None if known is None else known.levels.get(location)

    def moved(self, sku: str, location: str, level: Level) -> Level | None:
        """An event has left it so. How it was before, if it was known."""
        known = self._skus.get(sku)
        if known is None:
            known = self._skus[sku] = Sku(whole=self.all_of_them)
        else:
            self._skus.move_to_end(sku)
        before = known.levels.get(location)
        if before is None:
            self._add(known, location, level)
        else:
            known.levels[location] = level
        return before

    def shown(self, sku: str, location: str, level: Level) -> bool:
        """A page of levels has it, which is not known; whether it is now: where there is no room, what moves goes
        first."""
        known = self._skus.get(sku)
        if known is None:
            if self.count >= self.levels_max:
                return False
            known = self._skus[sku] = Sku()
            self._skus.move_to_end(sku, last=False)  # nothing says that it moves
        self._add(known, location, level)
        return True

    @contextmanager
    def leaving(self) -> Iterator[set[str]]:
        """Skus that are let go of within the block: what is read meanwhile may be older than what was known of them."""
        self._leaving = gone = set[str]()
        try:
            yield gone
        finally:
            self._leaving = None

    def _add(self, known: Sku, location: str, level: Level) -> None:
        known.levels[self._locations.setdefault(location, location)] = level
        self.count += 1
        while self.count > self.levels_max:
            sku, oldest = self._skus.popitem(last=False)
            self.count -= len(oldest.levels)
            self._counts.levels_let_go += len(oldest.levels)
            self.all_of_them = False
            if self._leaving is not None:
                self._leaving.add(sku)
