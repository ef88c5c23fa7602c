"""What a subscription owes its client: a snapshot or the changes since a position, in bounded parts. Pure.

A position is a promise: everything up to it has been written to this connection. It is taken when the subscription is
registered and given with the last part. What changes in between is written by the parts themselves (they carry the
state at the time of writing) or follows as level frames, so the promise holds however long the parts take.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from hub.frames import framed, state_payload
from hub.held import Area, State, Watched
from hub.levels import Levels
from hub.views import Views
from wire.messages import Position, Snapshot, Subscribe, Subscribed
from wire.scopes import PUBLIC, READ

if TYPE_CHECKING:
    from hub.session import Session

CHASES_MAX = 30


class Subscription:
    """``home``: where what it watches is held. ``shards``: those of its levels; none for what is derived from levels,
    which has no position. ``scope``: what its client must be allowed. ``decided``: whether its resume is; ``floor``
    then: how far its client has read.

    It begins to be served when it is decided and everything it needs is held; it is ``served`` when the last part of
    its snapshot was written.
    """

    def __init__(
        self,
        request: Subscribe,
        session: "Session",
        home: Levels | Views,
        *,
        selection: str,
        at: Position,
        shards: tuple[int, ...],
    ) -> None:
        self.id = request.id
        self.session = session
        self.home = home
        self.location = request.location
        self.scope = f"{PUBLIC if request.view else READ}{request.location}"
        self.selection = selection
        self.since = request.since
        self.at = at
        self.shards = shards
        self.floor: dict[int, int] | None = None
        self.decided = False
        self.served = False
        self.missing = 0

    @property
    def begun(self) -> bool:
        """Whether everything it needs from the ledger is here; the rest is up to its reader."""
        return self.decided and not self.missing

    def progress(self) -> int:
        """A number that changes whenever it gets some of what it waits for."""
        return self.missing

    def named(self) -> int:
        """How many levels it watches by name."""
        return 0

    def decide(self, *, recovered: bool) -> None:
        """Answer the request, and begin as soon as everything is here."""
        if recovered and self.since is not None:
            self.floor = {shard: self.since.seq[str(shard)] for shard in self.shards}
        self.decided = True
        self.session.send(Subscribed(self.id, self.id, recovered))
        self._begin()

    def arrived(self) -> None:
        """Something it waited for is here."""
        self.missing -= 1
        self._begin()

    def part(self, limit: int) -> bool:
        """Write the next part, of at most ``limit`` levels. Returns whether it owes more."""
        raise NotImplementedError

    def end(self) -> None:
        """Let go of everything."""
        raise NotImplementedError

    def _begin(self) -> None:
        if self.begun:
            self.session.owe(self)

    def _send_part(self, states: Sequence[State], *, last: bool) -> None:
        self.session.counts.snapshot_parts += 1
        self.session.counts.snapshot_levels += len(states)
        position = self._position() if last else None
        part: Any = {self.home.part: states}
        self.session.send(Snapshot(self.id, **part, last=last, position=position), position)
        if last:
            self.served = True
            self.session.unserved -= 1

    def _position(self) -> Position | None:
        """At registration, or where the client came from if that was ahead of this hub. Of its own shards only: how
        much sells elsewhere is nobody's business."""
        if not self.shards:
            return None
        own = {str(shard): max(self.at.seq[str(shard)], (self.floor or {}).get(shard, 0)) for shard in self.shards}
        return Position(self.at.epoch, own, self.selection)


class LevelSubscription(Subscription):
    """Named skus of one location."""

    def watch(self, levels: Sequence[Watched]) -> None:
        self.levels = levels
        self._todo: Iterable[Watched] | None = None
        for held in levels:
            if held.state is None:
                held.waiters[self] = None
                self.missing += 1

    def named(self) -> int:
        return len(self.levels)

    def part(self, limit: int) -> bool:
        if self._todo is None:
            floor = self.floor[self.shards[0]] if self.floor is not None else -1
            self._todo = iter([held for held in self.levels if held.seq > floor])
        states = [held.state for held in islice(self._todo, limit) if held.state is not None]
        self._send_part(states, last=len(states) < limit)
        return not self.served

    def end(self) -> None:
        for held in self.levels:
            held.waiters.pop(self, None)
            if self.home.unwatch(held, self.session):  # type: ignore[arg-type]  # each is its home's own
                self.session.dirty.pop(held, None)


class Cursor:
    """How far a subscription has read an area: everything with a seq up to ``at`` was written.

    While it is in ``area.live``, ``at`` is not kept up: it has everything that was flushed. ``passed``: the snapshot
    has all of the area.

    A level that changes while the snapshot is under way moves behind everything else, so a cursor that has reached
    ``goal`` (what was the top when it set out) may still lack a state that is older than the position to be given. So
    it sets out again, ``CHASES_MAX`` times at most: a reader too slow to ever catch up gets its position all the same,
    and what it lacks has a higher seq than that position and follows, also after a resume.
    """

    __slots__ = ("area", "at", "chases", "goal", "passed", "session", "subscription")

    def __init__(self, subscription: "AreaSubscription", area: Area, goal: int) -> None:
        self.subscription = subscription
        self.session = subscription.session
        self.area = area
        self.at = 0
        self.goal = goal
        self.chases = 0
        self.passed = False

    def fall_behind(self) -> None:
        """Its session cannot be written to now: remember where it stands; the newest states follow when it drains."""
        self.at = self.area.flushed
        del self.area.live[self]
        self.session.owe(self.subscription)

    def next(self, limit: int) -> list[Watched]:
        """The next levels behind it. Having them all, it goes live: call this only when all that changed is flushed."""
        assert self.area.order is not None
        found = self.area.order.after(self.at, limit)
        if found:
            self.at = found[-1].seq
        if len(found) < limit:
            self.passed = True
            self.area.live[self] = None
        elif self.at >= self.goal:
            self.goal = self.area.order.top
            self.chases += 1
            self.passed = self.passed or self.chases > CHASES_MAX
        return found


class AreaSubscription(Subscription):
    """A whole location, or everything: one cursor per area, its memory and its position at once."""

    def watch(self, areas: Sequence[Area]) -> None:
        self.cursors = [Cursor(self, area, self.at.seq[str(area.shard)]) for area in areas]
        for area in areas:
            self.home.watch_area(area)
            if area.order is None:
                area.waiters[self] = None
                self.missing += 1

    def progress(self) -> int:
        return sum(cursor.area.pages for cursor in self.cursors) - self.missing

    def arrived(self) -> None:
        if any(cursor.area.order is None and not self._reading(cursor.area) for cursor in self.cursors):
            self.session.fail(self, "limit", f"{self.location} has more levels than this hub may hold")
            return
        super().arrived()

    def decide(self, *, recovered: bool) -> None:
        if recovered and self.since is not None:
            for cursor in self.cursors:
                cursor.at = self.since.seq[str(cursor.area.shard)]
        super().decide(recovered=recovered)

    def part(self, limit: int) -> bool:
        if self.served:
            self._catch_up(limit)
        else:
            self._snapshot_part(limit)
        return not self.served or any(cursor not in cursor.area.live for cursor in self.cursors)

    def end(self) -> None:
        for cursor in self.cursors:
            cursor.area.live.pop(cursor, None)
            cursor.area.waiters.pop(self, None)
            self.home.unwatch_area(cursor.area)

    def _snapshot_part(self, limit: int) -> None:
        states: list[State] = []
        for cursor in self.cursors:
            if not cursor.passed and len(states) < limit:
                states += [held.state for held in cursor.next(limit - len(states)) if held.state is not None]
        self._send_part(states, last=all(cursor.passed for cursor in self.cursors))

    def _catch_up(self, limit: int) -> None:
        frames: list[bytes] = []
        for cursor in self.cursors:
            if cursor not in cursor.area.live and len(frames) < limit:
                for held in cursor.next(limit - len(frames)):
                    assert held.state is not None
                    frames.append(framed(state_payload(held.state))[self.session.framing])
        counts = self.session.counts
        counts.deliveries += len(frames)
        counts.writes += bool(frames)
        counts.level_bytes += self.session.write_frames(frames)

    def _reading(self, area: Area) -> bool:
        return self.home.areas.get(area.name) is area
