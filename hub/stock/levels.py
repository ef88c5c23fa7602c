"""The levels a hub holds: those that somebody watches, whole locations and shards, and a bounded number of others, kept
for readers who come back.

Pure. A level is kept in step as long as it is held, watched or not, so whatever is held can be served at once.
"""

from bisect import insort
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Literal

from hub.errors import Full
from hub.stock.held import Area, AreaName, DerivedLevel, Held, ReadLevel, Watched, Watcher, call_waiters
from hub.stock.level_states import absent, state_after
from hub.stock.order import SeqOrder
from hub.stock.shelf import Shelf
from wire.messages import Event, LevelState
from wire.shards import shard_of

EVICTED_AT_ONCE = 1_000  # so that a full hub does not look for room again with each level


class Levels(Shelf[Held]):
    """Levels that are asked for are held up to ``levels_max``. A level that comes into being in an area that is held is
    taken even beyond ``levels_max``, since the area would not be whole without it.

    At most ``idle_max`` levels that nobody watches are kept; the least recently used go. ``let_go`` counts them.
    ``locations``: what is held, by location and sku. ``count``: how many that are, with what is derived from them.
    ``wanted``, ``wanted_areas``: what is held and still has to be read from the ledger, until somebody takes it on.
    """

    part: Literal["levels"] = "levels"

    def __init__(self, shards: int, levels_max: int, idle_max: int) -> None:
        super().__init__()
        self.shards = shards
        self.levels_max = levels_max
        self.idle_max = idle_max
        self.locations: dict[str, dict[str, Held]] = {}
        self.count = 0
        self.let_go = 0
        self.wanted: dict[Held, None] = {}
        self.wanted_areas: dict[Area[Held], None] = {}
        self._whole_shards = 0
        self._dirty: list[Watched] = []
        self._reading: dict[AreaName, Area[Held]] = {}
        self._idle: OrderedDict[Held, None] = OrderedDict()
        self._idle_areas: OrderedDict[AreaName, None] = OrderedDict()

    @property
    def changed(self) -> bool:
        return bool(self._dirty)

    @property
    def reading(self) -> bool:
        """Whether an area is not complete yet."""
        return bool(self._reading)

    def is_reading(self, area: Area[Held]) -> bool:
        """Whether this very area is still to be completed: one that was let go and taken hold of again is another."""
        return self._reading.get(area.name) is area

    # what is held

    def hold(self, location: str, sku: str) -> Held:
        held = self._at(location, sku)
        if held is None:
            held = self._add(location, sku)
            if self.complete(location):
                held.state = absent(location, sku, shard_of(location, self.shards))
            else:
                self.wanted[held] = None
            if not self._in_area(held):
                self._idle[held] = None
        elif held in self._idle:
            self._idle.move_to_end(held)
        return held

    def watch(self, level: Held, watcher: Watcher) -> None:
        super().watch(level, watcher)
        self._idle.pop(level, None)

    def rest(self, level: Held) -> None:
        """The level becomes idle, unless something else keeps it: its area does if it exists, but no made-up name."""
        if level.watchers or level.derived:
            return
        if not self._in_area(level):
            self._idle[level] = None
        elif not level.seq and not level.waiters and self.complete(level.location):
            self._remove(level)

    def area(self, name: AreaName) -> Area[Held]:
        area = self.areas.get(name)
        if area is None:
            shard = self.shard(name)
            area = self.areas[name] = Area(name, shard)
            if isinstance(name, int):
                self._whole_shards += 1
            for held in self.members(area):
                self._idle.pop(held, None)  # from now on it stays as long as the area
            if isinstance(name, str) and (whole := self.areas.get(shard)) and whole.order is not None:
                self._complete(area)  # everything of the shard is here already
            else:
                self._reading[name] = area
                area.came = []
                self.wanted_areas[area] = None
            self._idle_areas[name] = None
        elif name in self._idle_areas:
            self._idle_areas.move_to_end(name)
        return area

    def shard(self, name: AreaName) -> int:
        return name if isinstance(name, int) else shard_of(name, self.shards)

    def watch_area(self, area: Area[Held]) -> None:
        super().watch_area(area)
        self._idle_areas.pop(area.name, None)

    def rest_area(self, area: Area[Held]) -> None:
        self._idle_areas[area.name] = None

    def complete(self, location: str) -> bool:
        """Whether everything that exists at this location is held, so that nothing has to be asked."""
        own, whole = self.areas.get(location), self._shard_area(location)
        return (own is not None and own.order is not None) or (whole is not None and whole.order is not None)

    # what is derived from it

    def claim(self, count: int) -> None:
        """Raises Full if there is no room for ``count`` more."""
        if self.count + count > self.levels_max:
            self._make_room()
        if self.count + count > self.levels_max:
            raise Full(self.levels_max)

    def derive(self, held: Held, derived: DerivedLevel, *, bounded: bool = True) -> None:
        """Raises Full. From the first moment it keeps its level, which must not go to make room for it."""
        held.derived = (*held.derived, derived)
        self._idle.pop(held, None)
        try:
            if bounded:
                self.claim(1)
        except Full:
            self._detach(held, derived)
            raise
        self.count += 1

    def underive(self, held: Held, derived: DerivedLevel) -> None:
        self.count -= 1
        self._detach(held, derived)

    def _detach(self, held: Held, derived: DerivedLevel) -> None:
        held.derived = tuple(one for one in held.derived if one is not derived)
        self.rest(held)

    def mark(self, watched: Watched) -> None:
        """A level, or what is derived from one, has changed: the next flush writes it."""
        if not watched.dirty:
            watched.dirty = True
            self._dirty.append(watched)

    # what changes it

    def apply(self, event: Event) -> None:
        """The next event of its shard. Does nothing to a level that nobody wants held."""
        held = self._at(event.location, event.sku)
        if held is None:
            if not self.areas or (event.location not in self.areas and event.shard not in self.areas):
                return
            held = self._add(event.location, event.sku, bounded=False)
        state = held.state
        if state is not None and event.version <= state.version:
            return
        new = held.seq == 0
        self._change(held, state_after(event), event.view_version)
        if state is None:
            self.wanted.pop(held, None)
            call_waiters(held)
        for name in (event.location, event.shard) if self.areas else ():
            area = self.areas.get(name)
            if area is not None and area.order is not None:
                area.order.moved(held, new=new)
                if new and area.keys is not None:
                    insort(area.keys, (held.sku, held.location))
                for views in area.views if new else ():
                    views.entered(held)

    def loaded(self, held: Held, read: ReadLevel) -> None:
        """A level as the ledger read it after it was asked for. Older than what is held: ignored.

        A level that was let go and taken hold of again in between is another: it may have missed events.
        """
        if self._at(held.location, held.sku) is held and not self.complete(held.location):
            self._load(held, read.state, read.view_version)
            for name in (held.location, read.state.shard):
                if (area := self._reading.get(name)) is not None:
                    area.need = max(area.need, read.state.seq)

    def page(
        self,
        areas: Iterable[Area[Held]],
        levels: Iterable[tuple[LevelState, int]],
        heads: Mapping[int, int],
        asked: Sequence[int],
    ) -> None:
        """One page of areas that are being read: of a location, or of whole shards. ``levels``: as in a ``ReadLevel``;
        ``asked``: see ``Fanout.loaded``. Raises Full.
        """
        reading = {area.name: area for area in areas if self.is_reading(area)}
        if not reading:
            return
        complete: dict[str, bool] = {}
        for state, view_version in levels:
            location = state.location
            held = self._at(location, state.sku)
            if location not in complete:
                complete[location] = self.complete(location)
            if not complete[location]:  # a complete area is moved by events alone, or its order breaks
                if held is None:
                    held = self._add(location, state.sku)
                    held.state, held.seq, held.view_version = state, state.seq, view_version
                else:
                    self._load(held, state, view_version)
            area = reading.get(location) or reading.get(state.shard)
            if held is not None and area is not None:
                area.take(held)
        for area in self._reading.values():  # those of other pages too may have got a level from this one
            area.need = max(area.need, heads.get(area.shard, 0))
        for area in reading.values():
            area.base = area.base if area.pages else asked[area.shard]
            area.pages += 1
            for reader in area.page_readers:
                reader.came()

    def finish(self, areas: Iterable[Area[Held]]) -> None:
        """All pages of these areas were read."""
        for area in areas:
            area.read = True

    def settle(self, lasts: list[int]) -> None:
        """Complete the areas whose pages the hub has caught up with."""
        for area in list(self._reading.values()):
            if area.read and lasts[area.shard] >= area.need:
                del self._reading[area.name]
                self._complete(area)

    def abandon(self, areas: Iterable[Area[Held]]) -> None:
        """These areas are too large to be held. Their waiters are called, and find them without order."""
        for area in areas:
            if self.is_reading(area):
                self._drop_area(area)
                call_waiters(area)

    def take_dirty(self) -> list[Watched]:
        """What changed since the last call, each once."""
        dirty, self._dirty = self._dirty, []
        for held in dirty:
            held.dirty = False
        return dirty

    # bounds

    def trim(self) -> None:
        """Let go of what nobody watches beyond ``idle_max``: single levels first, then whole areas.

        Called once a tick, so what was taken hold of in the tick cannot go before it is watched.
        """
        if len(self._idle) > self.idle_max:
            excess = len(self._idle) - self.idle_max
            for held in list(islice((held for held in self._idle if not held.waiters), excess)):
                del self._idle[held]
                self._remove(held)
        if self._idle_areas and (excess := self.idle() - self.idle_max) > 0:
            for name in [name for name in self._idle_areas if not self.areas[name].waiters]:
                excess -= len(self.areas[name].order or ())
                self._drop_area(self.areas[name])
                if excess <= 0:
                    break

    def idle(self) -> int:
        """How many levels nobody watches, about: those of a location in two areas count twice."""
        idle = (self.areas[name].order for name in self._idle_areas)
        return len(self._idle) + sum(len(order) for order in idle if order is not None)

    def keys(self, area: Area[Held]) -> list[tuple[str, str]]:
        """The (sku, location) of what exists in a complete area, in the ledger's order: by bytes of UTF-8, which is the
        order of code points too.
        """
        if area.keys is None:
            area.keys = sorted((held.sku, held.location) for held in self.members(area) if held.seq)
        return area.keys

    def members(self, area: Area[Held]) -> Iterable[Held]:
        if isinstance(area.name, str):
            return self.locations.get(area.name, {}).values()
        return (
            held
            for location, levels in self.locations.items()
            if shard_of(location, self.shards) == area.shard
            for held in levels.values()
        )

    def _complete(self, area: Area[Held]) -> None:
        members = list(self.members(area))
        for held in members:
            if held.state is None:
                self._arrive(held, absent(held.location, held.sku, area.shard))
        area.order = SeqOrder(members)
        area.flushed = area.order.top
        area.came = None
        area.seen.clear()
        area.page_readers.clear()
        call_waiters(area)

    def _load(self, held: Held, state: LevelState, view_version: int) -> None:
        if held.state is None:
            self._arrive(held, state, view_version)
        elif state.version > held.state.version:
            self._change(held, state, view_version)

    def _arrive(self, held: Held, state: LevelState, view_version: int = 0) -> None:
        """The first state. Not a change: whoever watches the level still waits for its snapshot."""
        self.wanted.pop(held, None)
        held.state = state
        held.seq = state.seq
        held.view_version = view_version
        for derived in held.derived:
            derived.arrived()
        call_waiters(held)

    def _change(self, held: Held, state: LevelState, view_version: int) -> None:
        first = held.state is None
        held.state = state
        held.seq = state.seq
        held.view_version = view_version
        if not held.dirty:
            held.dirty = True
            self._dirty.append(held)
        for derived in held.derived:
            if first:
                derived.arrived()
            else:
                derived.changed()

    def _at(self, location: str, sku: str) -> Held | None:
        levels = self.locations.get(location)
        return None if levels is None else levels.get(sku)

    def _add(self, location: str, sku: str, *, bounded: bool = True) -> Held:
        if bounded and self.count >= self.levels_max:
            self._make_room()
        held = Held(location, sku)
        self.locations.setdefault(location, {})[sku] = held
        self.count += 1
        return held

    def _make_room(self) -> None:
        """What nobody watches must not keep out what somebody asks for. Raises Full.

        An area that is still being read stays: its pages are on their way here.
        """
        for held in list(islice((held for held in self._idle if not held.waiters), EVICTED_AT_ONCE)):
            del self._idle[held]
            self._remove(held)
        for name in [name for name in self._idle_areas if name not in self._reading]:
            if self.count < self.levels_max:
                return
            if not self.areas[name].waiters:
                self._drop_area(self.areas[name])
        if self.count >= self.levels_max:
            raise Full(self.levels_max)

    def _in_area(self, held: Held) -> bool:
        """Whether the level belongs to an area, and so stays as long as that."""
        return held.location in self.areas or self._shard_area(held.location) is not None

    def _shard_area(self, location: str) -> Area[Held] | None:
        return self.areas.get(shard_of(location, self.shards)) if self._whole_shards else None

    def _remove(self, held: Held) -> None:
        levels = self.locations[held.location]
        del levels[held.sku]
        if not levels:
            del self.locations[held.location]
        self.wanted.pop(held, None)
        self.count -= 1
        self.let_go += 1

    def _drop_area(self, area: Area[Held]) -> None:
        del self.areas[area.name]
        if isinstance(area.name, int):
            self._whole_shards -= 1
        self._idle_areas.pop(area.name, None)
        self.wanted_areas.pop(area, None)
        self._reading.pop(area.name, None)
        for held in list(self.members(area)):
            if not held.watchers and not held.derived and not self._in_area(held):
                self._idle.pop(held, None)
                self._remove(held)
