"""What a subscription owes its client: a snapshot or the changes since a position, in bounded parts. Pure.

A position is a promise: everything up to it has been written to this connection. It is taken when the subscription is
registered and given with the last part. What changes in between is written by the parts themselves (they carry the
state at the time of writing) or follows as level frames, so the promise holds however long the parts take.

A subscription writes nothing itself: ``part`` returns what its session writes next.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple, Protocol

from hub.fanout.cursor import Cursor
from hub.stock.held import AreaName, State, Watched, Watcher
from hub.stock.shelf import Shelf
from wire.messages import HubMessage, Position, Snapshot, Subscribe
from wire.scopes import PUBLIC, READ


class Reader(Watcher, Protocol):
    """Whose subscription it is: a session."""

    def send(self, message: HubMessage) -> None: ...

    def owe(self, subscription: "Subscription") -> None:
        """There is a part to write for it."""

    def fail(self, subscription: "Subscription", code: str, message: str) -> None:
        """It cannot be served after all."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What was settled about a subscription when it was made.

    ``asked_at``: when it was asked for, by the clock of the hub's counts. ``shelf``: where what it watches is held.
    ``selection``: the fingerprint of what was asked for. ``at``: how far this hub had applied everything. ``shards``:
    those of its levels; none for what is derived from levels, which has no position.
    """

    asked_at: float
    shelf: Shelf[Any]
    selection: str
    at: Position
    shards: tuple[int, ...]


class Part(NamedTuple):
    """What to write next. ``snapshot`` carries the states; None: each goes out by itself, as any change does."""

    states: list[State]
    snapshot: Snapshot | None


class Subscription(ABC):
    """``asked_at``: see ``Terms``. ``scope``: what its client must be allowed. ``decided``: whether it is settled how
    it begins, with everything or with the changes since the client's position. ``floor``: that position by shard, if
    its changes are given; else None. ``missing``: how many of the levels or areas that it needs have not come from the
    ledger yet.

    It is begun when it is decided and nothing is missing; it is ``served`` when the last part of its snapshot was
    written.
    """

    __slots__ = (
        "_at",
        "asked_at",
        "decided",
        "ended",
        "floor",
        "id",
        "location",
        "missing",
        "selection",
        "served",
        "session",
        "shards",
        "shelf",
        "since",
        "view",
    )

    def __init__(self, request: Subscribe, session: Reader, terms: Terms) -> None:
        self.id = request.id
        self.asked_at = terms.asked_at
        self.session = session
        self.location = request.location
        self.view = request.view
        self.since = request.since
        self.shelf = terms.shelf
        self.selection = terms.selection
        self.shards = terms.shards
        self.floor: dict[int, int] | None = None
        self.decided = False
        self.served = False
        self.ended = False
        self.missing = 0
        self._at = terms.at

    @property
    def scope(self) -> str:
        return f"{PUBLIC if self.view else READ}{self.location}"

    @property
    def begun(self) -> bool:
        """Whether everything it needs from the ledger is here; the rest is up to its reader."""
        return self.decided and not self.missing

    @property
    def owes(self) -> bool:
        """Whether there is another part to be written."""
        return not self.served

    def progress(self) -> int:
        """A number that changes whenever it gets some of what it waits for."""
        return self.missing

    def named(self) -> int:
        """How many levels it watches by name."""
        return 0

    def decide(self, *, recovered: bool) -> None:
        """``recovered``: the changes since the client's position are given. Begins as soon as everything is here."""
        if recovered and self.since is not None:
            self.floor = {shard: self.since.seq[str(shard)] for shard in self.shards}
        self.decided = True
        self._begin()

    def arrived(self) -> None:
        """A level or an area that it waited for is here."""
        self.missing -= 1
        self._begin()

    def owe(self) -> None:
        self.session.owe(self)

    @abstractmethod
    def part(self, limit: int) -> Part:
        """The next part, of at most ``limit`` levels."""

    def end(self) -> list[Watched]:
        """Let go of everything. Returns the levels that its session watches by name no more."""
        self.ended = True
        return []

    def _begin(self) -> None:
        if self.begun:
            self.owe()

    def _snapshot(self, states: list[State], *, last: bool) -> Part:
        self.served = last
        carried: Any = {self.shelf.part: states}
        return Part(states, Snapshot(self.id, **carried, last=last, position=self._position() if last else None))

    def _position(self) -> Position | None:
        """How far this hub was when the subscription was made; of a resume from further ahead, where that began. Of the
        shards of its levels only: how much sells elsewhere is nobody's business.
        """
        if not self.shards:
            return None
        own = {str(shard): max(self._at.seq[str(shard)], (self.floor or {}).get(shard, 0)) for shard in self.shards}
        return Position(self._at.epoch, own, self.selection)


class LevelSubscription(Subscription):
    """Named skus of one location."""

    __slots__ = ("_todo", "levels")

    def __init__(self, request: Subscribe, session: Reader, terms: Terms, skus: Iterable[str]) -> None:
        """Watches them from now on. Raises Full, and then watches none."""
        super().__init__(request, session, terms)
        self.levels: list[Watched] = terms.shelf.watch_levels(request.location, skus, session)
        self._todo: Iterable[Watched] | None = None
        for level in self.levels:
            if level.state is None:
                level.waiters[self] = None
                self.missing += 1

    def named(self) -> int:
        return len(self.levels)

    def part(self, limit: int) -> Part:
        if self._todo is None:
            floor = self.floor[self.shards[0]] if self.floor is not None else -1
            self._todo = iter([level for level in self.levels if level.seq > floor])
        states = [level.state for level in islice(self._todo, limit) if level.state is not None]
        return self._snapshot(states, last=len(states) < limit)

    def end(self) -> list[Watched]:
        super().end()
        for level in self.levels:
            level.waiters.pop(self, None)
        return [level for level in self.levels if self.shelf.unwatch(level, self.session)]


class AreaSubscription(Subscription):
    """A whole location, or everything: one cursor per area, its memory and its position at once."""

    __slots__ = ("cursors",)

    def __init__(self, request: Subscribe, session: Reader, terms: Terms, names: Sequence[AreaName]) -> None:
        """Watches them from now on. Raises Full, and then watches none."""
        super().__init__(request, session, terms)
        areas = terms.shelf.watch_areas(names)
        self.cursors = [Cursor(self, area, self._at.seq[str(area.shard)]) for area in areas]
        for area in areas:
            if area.order is None:
                area.waiters[self] = area.page_readers[self] = None
                self.missing += 1

    @property
    def owes(self) -> bool:
        if not self.begun:
            return self.decided and any(cursor.ahead for cursor in self.cursors)
        return not self.served or not all(cursor.live for cursor in self.cursors)

    def came(self) -> None:
        """A location of many pages shows its first levels while the last are being read."""
        if self.owes:
            self.owe()

    def progress(self) -> int:
        return sum(cursor.area.pages for cursor in self.cursors) - self.missing

    def arrived(self) -> None:
        if any(cursor.area.order is None and not self.shelf.has(cursor.area) for cursor in self.cursors):
            self.session.fail(self, "limit", f"{self.location} has more levels than this hub may hold")
            return
        super().arrived()

    def decide(self, *, recovered: bool) -> None:
        if recovered and self.since is not None:
            for cursor in self.cursors:
                cursor.resume(self.since.seq[str(cursor.area.shard)])
        super().decide(recovered=recovered)
        self.came()

    def part(self, limit: int) -> Part:
        snapshot = not self.served
        levels: list[Watched] = []
        for cursor in self.cursors:
            if cursor.ahead:
                levels += cursor.early(limit - len(levels))
            done = cursor.passed if snapshot else cursor.live
            if self.begun and not done and len(levels) < limit:
                levels += cursor.next(limit - len(levels))
        states = [level.state for level in levels if level.state is not None]
        if snapshot:
            return self._snapshot(states, last=all(cursor.passed for cursor in self.cursors))
        return Part(states, None)

    def end(self) -> list[Watched]:
        for cursor in self.cursors:
            cursor.area.live.pop(cursor, None)
            cursor.area.waiters.pop(self, None)
            cursor.area.page_readers.pop(self, None)
            self.shelf.unwatch_area(cursor.area)
        return super().end()
