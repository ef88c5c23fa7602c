"""What each request does to a hold: the plans of ``ledger.commit.plan``. Pure: no SQL, no clock, no socket.

A hold is open while units of it are pending (until its time is over) or committed (paid for). From there they are
fulfilled (they left), cancelled, or expired. Each plan moves units of the hold's lines from state to state, and says
what this does to the levels.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

from msgspec.structs import replace

from ledger.commit.event import timestamp
from ledger.commit.held import Holder
from ledger.commit.hold import CANCELLED, COMMITTED, EXPIRED, FULFILLED, PENDING, Hold, HoldLine
from ledger.commit.line import COMMIT, FULFIL, HOLD, RELEASE, Line
from ledger.commit.plan import Planned, Situation
from ledger.commit.stock import LevelKey
from ledger.errors import ReservationExpired, ReservationState
from ledger.holds.limits import by_sku, check_holder, check_share, check_time
from server.problems import NotFound, Problem, Unavailable

Parts = Mapping[LevelKey, int | None]
"""How many units of which lines (None: all that can be moved)."""


class NothingToDo(Problem):
    """It was done before: what was overdue is not any more, and nobody asked for that; or a hold is made by a key that
    has made it, and whoever asks is told what was answered then.
    """

    type = "unavailable"


@dataclass(frozen=True, slots=True)
class Change(ABC):
    """A request about a hold that is there. ``levels``: of its lines when it was last looked at, and those to come.

    ``parts``: None for all of it.
    """

    kind: ClassVar[str]
    hold: str
    levels: Sequence[LevelKey]
    parts: Parts | None = None

    @property
    def timed(self) -> bool:
        return False

    @property
    def holder(self) -> Holder | None:
        return None

    @abstractmethod
    def decide(self, situation: Situation) -> Planned: ...

    def _hold(self, situation: Situation) -> Hold:
        """Raises NotFound, or Unavailable if it got lines since it was looked at."""
        hold = situation.hold
        if hold is None:
            raise NotFound("reservation", self.hold)
        if not hold.lines.keys() <= set(self.levels):
            raise Unavailable("the reservation was changed at this very moment: send the same request again")
        return hold

    def _move(
        self, hold: Hold, asked: str, sources: Sequence[str], done: Sequence[str]
    ) -> dict[LevelKey, dict[str, int]]:
        """By level, the units that are to be moved, by the state that they are in. Raises ReservationState.

        ``done``: states of units of which the same was asked before.
        """
        moved: dict[LevelKey, dict[str, int]] = {}
        for key, units in self._asked(hold, asked):
            line = hold.lines[key]
            there = sum(getattr(line, state) for state in sources)
            if units is not None and units > there:
                reason = f"{units} of {key.sku} at {key.location} asked for, {there} can be"
                numbers = {"sku": key.sku, "location": key.location, "quantity": units, "possible": there}
                raise ReservationState(hold.id, hold.state, asked, reason, **numbers)
            found = _units(line, sources, there if units is None else units)
            if found:
                moved[key] = found
            elif self.parts is not None and not any(getattr(line, state) for state in done):
                self._refuse(hold, asked, f"nothing of {key.sku} at {key.location} is {' or '.join(sources)}")
        if not moved and not any(getattr(line, state) for line in hold.lines.values() for state in done):
            self._refuse(hold, asked, f"nothing of it is {' or '.join(sources)}")
        return moved

    def _asked(self, hold: Hold, asked: str) -> Iterable[tuple[LevelKey, int | None]]:
        if self.parts is None:
            return [(key, None) for key in hold.lines]
        for key in self.parts:
            if key not in hold.lines:
                numbers = {"sku": key.sku, "location": key.location, "possible": 0}
                reason = f"it has no line of {key.sku} at {key.location}"
                raise ReservationState(hold.id, hold.state, asked, reason, **numbers)
        return self.parts.items()

    def _refuse(self, hold: Hold, asked: str, reason: str) -> NoReturn:
        raise ReservationState(hold.id, hold.state, asked, reason)


def _units(line: HoldLine, sources: Sequence[str], units: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for state in sources:
        taken = min(units, getattr(line, state))
        units -= taken
        if taken:
            found[state] = taken
    return found


def _moved(hold: Hold, moved: Mapping[LevelKey, Mapping[str, int]], target: str, **changes: Any) -> Hold:
    """The hold with these units in state ``target``; itself if there are none."""
    if not moved:
        return hold
    lines = dict(hold.lines)
    for key, units in moved.items():
        line = lines[key]
        states = {state: getattr(line, state) - taken for state, taken in units.items()}
        states[target] = getattr(line, target) + sum(units.values())
        lines[key] = replace(line, **states)
    return replace(hold, lines=lines, version=hold.version + 1, **changes)


@dataclass(frozen=True, slots=True)
class Commit(Change):
    """Paid: the units stay reserved, without an end; what had expired is again. ``fulfil``: they leave at once.

    No limit on what may be held is about it: the money was taken.
    """

    kind: ClassVar[str] = COMMIT
    fulfil: bool = False

    def decide(self, situation: Situation) -> Planned:
        """Raises NotFound, ReservationState, or ReservationExpired."""
        hold = self._hold(situation)
        target = FULFILLED if self.fulfil else COMMITTED
        sources = (PENDING, EXPIRED, COMMITTED) if self.fulfil else (PENDING, EXPIRED)
        if hold.state == FULFILLED and self.parts is None:
            return Planned({}, hold)  # it was paid before it left
        moved = self._move(hold, "commit", sources, (target, FULFILLED))
        lines = {key: (self._line(situation, hold, key, units),) for key, units in moved.items()}
        return Planned(lines, _moved(hold, moved, target))

    def _line(self, situation: Situation, hold: Hold, key: LevelKey, units: Mapping[str, int]) -> Line:
        again, available = units.get(EXPIRED, 0), situation.stocks[key].available
        if again > available:
            raise _expired(hold, sku=key.sku, location=key.location, available=available, requested=again)
        kind = FULFIL if self.fulfil else COMMIT
        return line_of(key, kind, sum(units.values()), hold.reference, again)


@dataclass(frozen=True, slots=True)
class Fulfil(Change):
    """The goods leave: of what was committed."""

    kind: ClassVar[str] = FULFIL

    def decide(self, situation: Situation) -> Planned:
        """Raises NotFound or ReservationState."""
        hold = self._hold(situation)
        if self.parts is None and hold.state == PENDING:
            self._refuse(hold, "fulfil", "it was not committed")
        moved = self._move(hold, "fulfil", (COMMITTED,), (FULFILLED,))
        lines = {key: (line_of(key, FULFIL, sum(units.values()), hold.reference),) for key, units in moved.items()}
        return Planned(lines, _moved(hold, moved, FULFILLED))


@dataclass(frozen=True, slots=True)
class Cancel(Change):
    """Lets go of what is open. What had expired is not taken again by a later commit either."""

    kind: ClassVar[str] = RELEASE

    def decide(self, situation: Situation) -> Planned:
        """Raises NotFound or ReservationState."""
        hold = self._hold(situation)
        moved = self._move(hold, "cancel", (PENDING, COMMITTED, EXPIRED), (CANCELLED,))
        return Planned(_released(hold, moved), _moved(hold, moved, CANCELLED))


@dataclass(frozen=True, slots=True)
class Expire(Change):
    """Lets go of what is pending, if its time is over."""

    kind: ClassVar[str] = RELEASE

    @property
    def timed(self) -> bool:
        return True

    def decide(self, situation: Situation) -> Planned:
        """Raises NothingToDo."""
        hold = situation.hold
        if hold is None or not hold.overdue(situation.moment):
            raise NothingToDo("not overdue")
        lines = ((key, line.pending) for key, line in hold.lines.items() if key in self.levels)
        moved = {key: {PENDING: pending} for key, pending in lines if pending}
        if not moved:
            raise NothingToDo("let go of before")
        return Planned(_released(hold, moved), _moved(hold, moved, EXPIRED))


@dataclass(frozen=True, slots=True)
class Extend(Change):
    """Its pending units are kept for ``ttl_s`` from now. An event of each level says so."""

    kind: ClassVar[str] = HOLD
    ttl_s: int = 0
    holder: Holder | None = None

    @property
    def timed(self) -> bool:
        return True

    def decide(self, situation: Situation) -> Planned:
        """Raises NotFound, ReservationState, ReservationExpired, or ReservationLimit."""
        hold = _pending(self._hold(situation), situation, "extend")
        keys = [key for key, line in hold.lines.items() if line.pending]
        check_time(situation.bounds, (key.sku for key in keys), self.ttl_s)
        lines = {key: (line_of(key, HOLD, 0, hold.reference),) for key in keys}
        return Planned(lines, replace(hold, version=hold.version + 1, ttl_s=self.ttl_s))


@dataclass(frozen=True, slots=True)
class Resize(Change):
    """How many units of which levels are pending from now on, as one step; the other lines stay. ``parts``: 0 lets go
    of a line, and a level that has none gets one. ``ttl_s``: None leaves its time as it is.
    """

    kind: ClassVar[str] = HOLD
    ttl_s: int | None = None
    holder: Holder | None = None

    @property
    def timed(self) -> bool:
        return True

    def decide(self, situation: Situation) -> Planned:
        """Raises NotFound, ReservationState, ReservationExpired, ReservationLimit, or InsufficientStock."""
        hold = _pending(self._hold(situation), situation, "change")
        self._check(hold, situation)
        held, lines = dict(hold.lines), dict[LevelKey, Sequence[Line]]()
        for key, units in (self.parts or {}).items():
            before = held.get(key, HoldLine())
            more = (units or 0) - before.pending
            if more:
                lines[key] = (line_of(key, HOLD if more > 0 else RELEASE, abs(more), hold.reference),)
                held[key] = replace(before, pending=units or 0)
        if self.ttl_s is not None:
            kept = (key for key, line in held.items() if line.pending and key not in lines)
            lines |= {key: (line_of(key, HOLD, 0, hold.reference),) for key in kept}
        if not lines:
            return Planned({}, hold)
        ttl_s = hold.ttl_s if self.ttl_s is None else self.ttl_s  # the same batch may have given it more time
        return Planned(lines, replace(hold, lines=held, version=hold.version + 1, ttl_s=ttl_s))

    def _check(self, hold: Hold, situation: Situation) -> None:
        """Raises ReservationLimit. What comes to a hold is kept as long as the others: no longer than it may be."""
        bounds = situation.bounds
        if bounds is None:
            return
        pending = {key: line.pending for key, line in hold.lines.items() if line.pending}
        more = {key: (units or 0) - pending.get(key, 0) for key, units in (self.parts or {}).items()}
        grown = [key for key, units in more.items() if units > 0]
        if self.ttl_s is not None:
            check_time(
                bounds, (key.sku for key in {**pending, **more} if pending.get(key, 0) + more.get(key, 0)), self.ttl_s
            )
        else:
            check_time(bounds, (key.sku for key in grown), _left_s(hold, situation))
        check_holder(bounds, by_sku(more.items()), new=False)
        for key in grown:
            check_share(bounds, key, situation.stocks[key], more[key])


def _left_s(hold: Hold, situation: Situation) -> int:
    """How long its pending units are kept, in whole seconds, rounded down."""
    if hold.ttl_s is not None or hold.expires_at is None or situation.moment is None:
        return hold.ttl_s or 0
    return int((hold.expires_at - situation.moment).total_seconds())


def _pending(hold: Hold, situation: Situation, asked: str) -> Hold:
    """Raises ReservationState or ReservationExpired: only what is pending has a time, and can be changed."""
    if hold.state == EXPIRED or (hold.state == PENDING and hold.overdue(situation.moment)):
        raise _expired(hold)
    if hold.state != PENDING:  # also long after its time: one that was paid for did not expire
        raise ReservationState(hold.id, hold.state, asked, "it is not pending")
    return hold


def _expired(hold: Hold, **line: Any) -> ReservationExpired:
    return ReservationExpired(hold.id, timestamp(hold.expires_at) or "", **line)


def _released(hold: Hold, moved: Mapping[LevelKey, Mapping[str, int]]) -> dict[LevelKey, Sequence[Line]]:
    """What was expired reserves nothing any more."""
    reserved = {key: units.get(PENDING, 0) + units.get(COMMITTED, 0) for key, units in moved.items()}
    return {key: (line_of(key, RELEASE, units, hold.reference),) for key, units in reserved.items() if units}


def line_of(key: LevelKey, kind: str, units: int, reference: str | None, again: int = 0) -> Line:
    return Line(key.sku, key.location, key.shard, kind, units, reference=reference, again=again)
