"""What a hub derives from levels: what the public sees of them, and on which side of a threshold they stand. Pure.

A derived level is evaluated with each change of its level, once, whoever watches it. It has a version, watchers and an
order of its own, so it is delivered as levels are: encoded once, conflated, in parts.
"""

from typing import Literal

from hub.errors import Full
from hub.stock.held import Area, AreaName, Held, Watched, call_waiters
from hub.stock.levels import Levels
from hub.stock.order import SeqOrder
from hub.stock.shelf import Shelf
from hub.stock.view_states import ViewKind, same, state_of
from wire.availability import PublicSteps
from wire.messages import ThresholdState, ViewState


class Derived(Watched):
    """What is derived in one way from the level ``source``.

    ``seq``: that of the level's event by which the derived state last changed.
    """

    __slots__ = ("source", "views")

    state: ViewState | ThresholdState | None

    def __init__(self, source: Held, views: "Views") -> None:
        super().__init__(source.location, source.sku)
        self.source = source
        self.views = views

    @property
    def shard(self) -> int:
        assert self.source.state is not None
        return self.source.state.shard

    def arrived(self) -> None:
        """Its level has its first state, which is no change."""
        self.seq = self.source.seq
        self.state = self.views.seen(self)
        call_waiters(self)

    def changed(self) -> None:
        """Its level has changed."""
        state = self.views.seen(self)
        new = self.seq == 0
        if not new and same(self.state, state):
            return
        self.state = state
        self.seq = self.source.seq
        self.views.moved(self, new=new)


class Views(Shelf[Derived]):
    """All levels that are derived in one way. A derived level goes with its last watcher, since it can be derived again
    from its level at any time, and counts as one of the levels that a hub may hold.

    ``kept``: the `Views` of every kind that somebody watches. This one is among them only from its first derived level
    or area on, so that a subscription that is refused leaves nothing behind.
    """

    def __init__(self, kind: ViewKind, levels: Levels, steps: PublicSteps, kept: "dict[ViewKind, Views]") -> None:
        super().__init__()
        self.part: Literal["views", "thresholds"] = "views" if kind.when is None else "thresholds"
        self._kind = kind
        self._levels = levels
        self._steps = steps
        self._kept = kept
        self._derived: dict[Held, Derived] = {}

    def hold(self, location: str, sku: str) -> Derived:
        source = self._levels.hold(location, sku)
        return self._derived.get(source) or self._add(source)

    def area(self, name: AreaName) -> Area[Derived]:
        """It is complete as soon as the same area of the levels is. Raises Full."""
        area = self.areas.get(name)
        if area is None:
            source = self._levels.area(name)
            area = Area(name, source.shard)
            self._levels.watch_area(source)  # first, or it would be let go of to make room for what derives from it
            try:
                if source.order is not None:
                    self._complete(area, source)
                else:
                    source.waiters[_Awaited(self, area, source)] = None
            except Full:
                self._levels.unwatch_area(source)
                raise
            self.areas[name] = area
            self._kept[self._kind] = self
            source.views[self] = None
        return area

    def rest(self, level: Derived) -> None:
        if level.watchers or (self.areas and self._in_area(level)):
            return
        del self._derived[level.source]
        self._levels.underive(level.source, level)
        self._forget_if_empty()

    def rest_area(self, area: Area[Derived]) -> None:
        del self.areas[area.name]
        source = self._levels.areas.get(area.name)
        if source is not None:
            source.views.pop(self, None)
            self._levels.unwatch_area(source)
        for derived in [one for one in self._derived.values() if self._covers(area, one)]:
            self.rest(derived)
        self._forget_if_empty()

    # what changes it

    def entered(self, source: Held) -> None:
        """A level has come into being in an area that is watched."""
        if source not in self._derived:
            derived = self._derived[source] = Derived(source, self)
            self._levels.derive(source, derived, bounded=False)
            derived.changed()

    def seen(self, derived: Derived) -> ViewState | ThresholdState:
        """The state that follows from the level as it is now."""
        return state_of(self._kind, derived.source, derived.state, self._steps)

    def moved(self, derived: Derived, *, new: bool) -> None:
        """The derived level has changed. ``new``: there was no event behind its state before."""
        self._levels.mark(derived)
        if self.areas:
            for area in self.areas_of(derived):
                assert area.order is not None
                area.order.moved(derived, new=new)

    def settle(self, area: Area[Derived], source: Area[Held]) -> None:
        """The area of the levels is complete, or cannot be had. If there is no room for what would be derived, neither
        can the derived area; whoever waits for the levels themselves gets them all the same.
        """
        if not self.has(area):
            return
        try:
            if source.order is not None:
                self._complete(area, source)
        except Full:
            pass
        if area.order is None:
            self.rest_area(area)
        call_waiters(area)

    def _complete(self, area: Area[Derived], source: Area[Held]) -> None:
        """Raises Full."""
        members = list(self._levels.members(source))
        self._levels.claim(sum(1 for held in members if held not in self._derived))
        area.order = SeqOrder([self._derived.get(held) or self._add(held) for held in members])
        area.flushed = area.order.top

    def _add(self, source: Held) -> Derived:
        """Raises Full."""
        derived = Derived(source, self)
        self._levels.derive(source, derived)
        self._derived[source] = derived
        self._kept[self._kind] = self
        if source.state is not None:
            derived.arrived()
        return derived

    def _forget_if_empty(self) -> None:
        if not self._derived and not self.areas:
            self._kept.pop(self._kind, None)

    def _in_area(self, derived: Derived) -> bool:
        return derived.location in self.areas or self._levels.shard(derived.location) in self.areas

    def _covers(self, area: Area[Derived], derived: Derived) -> bool:
        return derived.location == area.name or self._levels.shard(derived.location) == area.name


class _Awaited:
    """Waits for the levels of an area; see ``held.Waiter``."""

    def __init__(self, views: Views, area: Area[Derived], source: Area[Held]) -> None:
        self._views = views
        self._area = area
        self._source = source

    def arrived(self) -> None:
        self._views.settle(self._area, self._source)


class ViewsByKind:
    """Everything that is derived from the levels of one history. ``kept``: the kinds that somebody watches."""

    def __init__(self, levels: Levels, steps: PublicSteps) -> None:
        self.kept: dict[ViewKind, Views] = {}
        self.steps = steps
        self._levels = levels

    def of(self, kind: ViewKind) -> Views:
        return self.kept.get(kind) or Views(kind, self._levels, self.steps, self.kept)
