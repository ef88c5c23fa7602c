"""How far a subscription has read an area. Pure."""

from typing import Any, Protocol

from hub.stock.held import Area, Watched, Watcher

CHASES_MAX = 30


class AreaReader(Protocol):
    """Whose cursor it is: a subscription to areas."""

    @property
    def session(self) -> Watcher: ...

    def owe(self) -> None:
        """There is something to write for this subscription again."""


class Cursor:
    """Everything of ``area`` with a seq up to ``at`` was written for ``subscription``.

    While the cursor is in ``area.live``, its reader has everything that was flushed, and ``at`` is not kept up.
    ``passed``: the snapshot has all of the area.

    Where the area is still being read, its reader is given ``came``, what has come page by page: so far ``given`` of
    them. When it was given all, what it lacks has a seq above the area's ``base``; of what it has, ``shown`` are those
    above it too, with the seq that they had, so that none is given twice unless it has changed.

    A level that changes while the snapshot is under way moves behind everything else, so a cursor that has reached
    ``goal`` (what was the top when it set out) may still lack a state that is older than the position to be given. So
    it sets out again, ``CHASES_MAX`` times at most: a reader too slow to ever catch up gets its position all the same,
    and what it lacks has a higher seq than that position and follows, also after a resume.
    """

    __slots__ = ("area", "at", "came", "chases", "given", "goal", "passed", "session", "shown", "subscription")

    def __init__(self, subscription: AreaReader, area: Area[Any], goal: int) -> None:
        self.subscription = subscription
        self.session = subscription.session
        self.area = area
        self.at = 0
        self.goal = goal
        self.chases = 0
        self.passed = False
        self.came: list[Watched] | None = area.came
        self.given = 0
        self.shown: dict[Watched, int] = {}

    @property
    def ahead(self) -> bool:
        """Whether something has come that its reader was not given, and would not be given by ``next``."""
        return self.came is not None and self.given < len(self.came)

    def resume(self, at: int) -> None:
        """Its reader has everything up to ``at``, and needs what has changed since, which is known at the end alone."""
        self.at = at
        self.came = None

    def early(self, limit: int) -> list[Watched]:
        """The next of what has come page by page."""
        if self.came is None:
            return []
        following = self.came[self.given : self.given + limit]
        self.given += len(following)
        self.at = self.area.base
        self.shown.update((level, level.seq) for level in following if level.seq > self.at)
        return following

    @property
    def live(self) -> bool:
        """Whether it has everything that was flushed, and is written what changes as it changes."""
        return self in self.area.live

    def fall_behind(self) -> None:
        """Its session cannot be written to now: remember where it stands; the newest states follow when it drains."""
        self.at = self.area.flushed
        del self.area.live[self]
        self.subscription.owe()

    def next(self, limit: int) -> list[Watched]:
        """The next levels behind it. Having them all, it goes live: call this only when all that changed is flushed."""
        assert self.area.order is not None
        following: list[Watched] = self.area.order.after(self.at, limit)
        if following:
            self.at = following[-1].seq
        if len(following) < limit:
            self.passed = True
            self.area.live[self] = None
        elif self.at >= self.goal:
            self.goal = self.area.order.top
            self.chases += 1
            self.passed = self.passed or self.chases > CHASES_MAX
        new = [level for level in following if self.shown.get(level) != level.seq] if self.shown else following
        if self.passed:
            self.came, self.shown = None, {}
        return new
