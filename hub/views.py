"""What a hub derives from levels: what the public sees of them, and on which side of a threshold they stand. Pure.

A derived level is evaluated with each change of its level, once, whoever watches it. It has a version, watchers and an
order of its own, so it is delivered as levels are: encoded once, conflated, in parts.
"""

from typing import TYPE_CHECKING, Literal, NamedTuple

from hub.held import Area, AreaName, Derived, Held, call_waiters
from hub.order import SeqOrder
from wire.availability import PublicSteps
from wire.messages import ThresholdState, ViewState, When

if TYPE_CHECKING:
    from hub.levels import Levels
    from hub.session import Session


class ViewKind(NamedTuple):
    """``public``: of what the public sees. ``when``: only its crossings of a threshold. At least one of them."""

    public: bool
    when: When | None = None


class Views:
    """All derived levels of one kind. It goes with its last watcher: it can be had again from the levels at any time.

    Each counts as one of the levels that a hub may hold.
    """

    def __init__(self, kind: ViewKind, levels: "Levels", steps: PublicSteps) -> None:
        self.areas: dict[AreaName, Area] = {}
        self.part: Literal["views", "thresholds"] = "views" if kind.when is None else "thresholds"
        self._kind = kind
        self._levels = levels
        self._steps = steps
        self._derived: dict[Held, Derived] = {}

    def hold(self, location: str, sku: str) -> Derived:
        """As ``Levels.hold``. Raises Full."""
        return self._of(self._levels.hold(location, sku))

    def watch(self, derived: Derived, session: "Session") -> None:
        derived.watchers[session] = derived.watchers.get(session, 0) + 1

    def unwatch(self, derived: Derived, session: "Session") -> bool:
        """Returns whether no other subscription of the session watches it."""
        left = derived.watchers.pop(session, 0) - 1
        if left > 0:
            derived.watchers[session] = left
            return False
        self._let_go(derived)
        return True

    def area(self, name: AreaName) -> Area:
        """The area, which follows that of the levels. Raises Full."""
        area = self.areas.get(name)
        if area is None:
            source = self._levels.area(name)
            area = Area(name, source.shard)
            if source.order is not None:
                self._complete(area, source)
            else:
                source.waiters[_Awaited(self, area, source)] = None
            self.areas[name] = area
            self._levels.keep(self._kind, self)
            self._levels.watch_area(source)
            source.views[self] = None
        return area

    def watch_area(self, area: Area) -> None:
        area.watchers += 1

    def unwatch_area(self, area: Area) -> None:
        area.watchers -= 1
        if not area.watchers and self.areas.get(area.name) is area:
            self._drop(area)

    def let_go_unwatched(self) -> None:
        for area in [area for area in self.areas.values() if not area.watchers]:
            self._drop(area)

    # what changes it

    def arrived(self, derived: Derived) -> None:
        """The first state of its level. Not a change."""
        derived.seq = derived.source.seq
        derived.state = self._state(derived)
        call_waiters(derived)

    def changed(self, derived: Derived) -> None:
        """Its level has changed."""
        state = self._state(derived)
        new = derived.seq == 0
        if not new and _same(derived.state, state):
            return
        derived.state = state
        derived.seq = derived.source.seq
        self._levels.mark(derived)
        for name in (derived.location, derived.shard) if self.areas else ():
            area = self.areas.get(name)
            if area is not None and area.order is not None:
                area.order.moved(derived, new=new)

    def entered(self, source: Held) -> None:
        """A level has come into being in an area that is watched."""
        if source not in self._derived:
            derived = self._derived[source] = Derived(source, self)
            self._levels.derive(source, derived)
            self.changed(derived)

    def settle(self, area: Area, source: Area) -> None:
        """The area of the levels has come, or cannot be had."""
        if self.areas.get(area.name) is not area:
            return
        try:
            if source.order is not None:
                self._complete(area, source)
            else:
                self._drop(area)
        finally:
            call_waiters(area)

    def _complete(self, area: Area, source: Area) -> None:
        """Raises Full."""
        members = list(self._levels.members(source))
        self._levels.claim(sum(1 for held in members if held not in self._derived))
        area.order = SeqOrder([self._derived.get(held) or self._add(held) for held in members])
        area.flushed = area.order.top

    def _of(self, source: Held) -> Derived:
        derived = self._derived.get(source)
        if derived is None:
            self._levels.claim(1)
            derived = self._add(source)
        return derived

    def _add(self, source: Held) -> Derived:
        derived = self._derived[source] = Derived(source, self)
        self._levels.keep(self._kind, self)
        self._levels.derive(source, derived)
        if source.state is not None:
            self.arrived(derived)
        return derived

    def _let_go(self, derived: Derived) -> None:
        if derived.watchers or (self.areas and self._in_area(derived)):
            return
        del self._derived[derived.source]
        self._levels.underive(derived.source, derived)
        if not self._derived and not self.areas:
            self._levels.forget(self._kind)

    def _in_area(self, derived: Derived) -> bool:
        return derived.location in self.areas or self._levels.shard(derived.location) in self.areas

    def _drop(self, area: Area) -> None:
        del self.areas[area.name]
        source = self._levels.areas.get(area.name)
        if source is not None:
            source.views.pop(self, None)
            self._levels.unwatch_area(source)
        for derived in [one for one in self._derived.values() if _covers(area, one, self._levels)]:
            self._let_go(derived)
        if not self._derived and not self.areas:
            self._levels.forget(self._kind)

    def _state(self, derived: Derived) -> ViewState | ThresholdState:
        source = derived.source
        assert source.state is not None
        if self._kind.when is None:
            return view_of(source, self._steps)
        before = derived.state.raised if isinstance(derived.state, ThresholdState) else None
        available, version = source.state.available, source.state.version
        if self._kind.public:
            raised = crossed(self._kind.when, self._steps.floor(available), before)
            return ThresholdState(source.sku, source.location, source.view_version, raised, self._kind.when)
        raised = crossed(self._kind.when, available, before)
        return ThresholdState(source.sku, source.location, version, raised, self._kind.when, available)


class _Awaited:
    """Waits for the levels of an area; see ``held.Waiter``."""

    def __init__(self, views: Views, area: Area, source: Area) -> None:
        self._views = views
        self._area = area
        self._source = source

    def arrived(self) -> None:
        self._views.settle(self._area, self._source)


def view_of(source: Held, steps: PublicSteps) -> ViewState:
    """What the public sees of a level that is here."""
    assert source.state is not None
    available = source.state.available
    return ViewState(
        source.sku, source.location, source.view_version, steps.availability(available), steps.quantity(available)
    )


def crossed(when: When, number: int, before: bool | None) -> bool | None:
    """Whether the threshold is raised at ``number``; between its edges it stays as it was."""
    if when.at_most is not None:
        until = when.at_most + 1 if when.until is None else when.until
        return True if number <= when.at_most else False if number >= until else before
    assert when.at_least is not None
    until = when.at_least - 1 if when.until is None else when.until
    return True if number >= when.at_least else False if number <= until else before


def _same(before: object, after: ViewState | ThresholdState) -> bool:
    if isinstance(after, ThresholdState):
        return isinstance(before, ThresholdState) and before.raised == after.raised
    return before == after


def _covers(area: Area, derived: Derived, levels: "Levels") -> bool:
    return derived.location == area.name or levels.shard(derived.location) == area.name
