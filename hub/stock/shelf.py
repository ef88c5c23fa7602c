"""Where levels of one kind are held and watched, one by one or whole areas at once. Pure.

Levels themselves are one shelf, and each kind of what is derived from them is another; whoever watches need not know
which it is.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Generic, Literal

from hub.errors import Full
from hub.stock.held import Area, AreaName, WatchedT, Watcher


class Shelf(ABC, Generic[WatchedT]):
    """``part``: the field of a snapshot that carries what is held here. ``areas``: those that somebody asked for."""

    part: Literal["levels", "views", "thresholds"]

    def __init__(self) -> None:
        self.areas: dict[AreaName, Area[WatchedT]] = {}

    @abstractmethod
    def hold(self, location: str, sku: str) -> WatchedT:
        """The level, wanted from the ledger if it is not here yet. Raises Full.

        The next call may let go of it again, unless it is watched or waited for by then.
        """

    @abstractmethod
    def area(self, name: AreaName) -> Area[WatchedT]:
        """The area, wanted from the ledger if it is not here yet. Raises Full."""

    @abstractmethod
    def rest(self, level: WatchedT) -> None:
        """Perhaps nobody watches the level by name any more: see whether it has to stay."""

    @abstractmethod
    def rest_area(self, area: Area[WatchedT]) -> None:
        """Nobody watches the area any more."""

    def watch_levels(self, location: str, skus: Iterable[str], watcher: Watcher) -> list[WatchedT]:
        """Each is watched before the next is taken hold of. Raises Full, and then watches none."""
        watched: list[WatchedT] = []
        try:
            for sku in dict.fromkeys(skus):
                level = self.hold(location, sku)
                self.watch(level, watcher)
                watched.append(level)
        except Full:
            for level in watched:
                self.unwatch(level, watcher)
            raise
        return watched

    def watch_areas(self, names: Iterable[AreaName]) -> list[Area[WatchedT]]:
        """Raises Full, and then watches none."""
        watched: list[Area[WatchedT]] = []
        try:
            for name in names:
                area = self.area(name)
                self.watch_area(area)
                watched.append(area)
        except Full:
            for area in watched:
                self.unwatch_area(area)
            raise
        return watched

    def watch(self, level: WatchedT, watcher: Watcher) -> None:
        level.watchers[watcher] = level.watchers.get(watcher, 0) + 1

    def unwatch(self, level: WatchedT, watcher: Watcher) -> bool:
        """Returns whether the watcher has no other subscription to this level."""
        left = level.watchers.pop(watcher, 0) - 1
        if left > 0:
            level.watchers[watcher] = left
            return False
        self.rest(level)
        return True

    def watch_area(self, area: Area[WatchedT]) -> None:
        area.watchers += 1

    def unwatch_area(self, area: Area[WatchedT]) -> None:
        area.watchers -= 1
        if not area.watchers and self.has(area):
            self.rest_area(area)

    def has(self, area: Area[WatchedT]) -> bool:
        """Whether it is still held: one that was let go and taken hold of again is another."""
        return self.areas.get(area.name) is area

    def areas_of(self, level: WatchedT) -> list[Area[WatchedT]]:
        """The complete areas that a level with a state belongs to."""
        named = (self.areas.get(name) for name in (level.location, level.shard))
        return [area for area in named if area is not None and area.order is not None]
