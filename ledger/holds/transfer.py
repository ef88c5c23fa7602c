"""What each request does to a transfer: units that leave one location, are on their way, and come to their end. Pure.

A transfer is a hold. Its units stand at a level of their own, where all of them are reserved, until they are received
at the target, returned to the shelf that they came from or another one, or lost. See
docs/decisions/0026-units-on-their-way.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple, NoReturn

from msgspec.structs import replace

from ledger.commit.hold import CANCELLED, COMMITTED, EXPIRED, FULFILLED, TRANSFER_STATES, Hold, HoldLine
from ledger.commit.line import LOST, TRANSFER, TRANSIT, Line
from ledger.commit.plan import Planned, Situation
from ledger.commit.stock import LevelKey
from ledger.errors import TransferState
from ledger.holds.decide import NothingToDo
from server.problems import NotFound

Units = Mapping[LevelKey, int]
"""By the level where they are on their way."""

RECEIVED, RETURNED, NOWHERE = FULFILLED, CANCELLED, EXPIRED
"""How units end: at the target, at another shelf, or lost. The states of a hold that stand for it."""

_ASKED = {RECEIVED: "receive", RETURNED: "return", NOWHERE: "close"}


class Place(NamedTuple):
    """A location, with its shard."""

    location: str
    shard: int

    def level(self, sku: str) -> LevelKey:
        return LevelKey(self.shard, self.location, sku)


@dataclass(frozen=True, slots=True)
class Send:
    """Takes units from ``source`` and puts them on their way to ``target``: all of them, or none.

    ``hold``: the id of the transfer, that of the operation. ``transit``: where units on their way to the target stand.
    """

    kind: ClassVar[str] = TRANSFER
    holder: ClassVar[None] = None
    hold: str
    owner: str
    source: Place
    target: str
    transit: Place
    units: Mapping[str, int]
    reference: str | None = None
    timed: bool = field(default=False, init=False)

    @property
    def levels(self) -> Sequence[LevelKey]:
        return [place.level(sku) for sku in self.units for place in (self.source, self.transit)]

    def decide(self, situation: Situation) -> Planned:
        """What the source lacks is refused by the effect of its line. Raises NothingToDo if it was sent before."""
        if situation.hold is not None:
            raise NothingToDo("sent before")
        lines: dict[LevelKey, Sequence[Line]] = {}
        for sku, units in self.units.items():
            leaving, coming = self.source.level(sku), self.transit.level(sku)
            lines[leaving] = (_line(leaving, TRANSFER, -units, self.reference),)
            lines[coming] = (_line(coming, TRANSIT, units, self.reference),)
        held = {self.transit.level(sku): HoldLine(committed=units) for sku, units in self.units.items()}
        source, target = self.source.location, self.target
        sent = Hold(self.hold, self.owner, held, None, self.reference, version=1, source=source, target=target)
        return Planned(lines, sent)


@dataclass(frozen=True, slots=True)
class End:
    """Units that are on their way end as ``ending`` says, at ``place`` (None: they are lost).

    ``levels``: all that it may touch. ``parts``: how many of which sku (None: all that are on their way), None for all
    of it. ``close``: what is still on its way after that is lost.
    """

    kind: ClassVar[str] = TRANSFER
    holder: ClassVar[None] = None
    hold: str
    levels: Sequence[LevelKey]
    ending: str
    place: Place | None = None
    parts: Mapping[str, int | None] | None = None
    close: bool = False
    reason: str | None = None
    timed: bool = field(default=False, init=False)

    def decide(self, situation: Situation) -> Planned:
        """Raises NotFound or TransferState. What has ended so before stays as it is."""
        transfer = situation.hold
        if transfer is None:
            raise NotFound("transfer", self.hold)
        ended = self._ended(transfer)
        missing = _on_their_way(transfer, ended) if self.close else {}
        if not ended and not missing:
            if not any(getattr(line, self.ending) for line in transfer.lines.values()):
                self._refuse(transfer, "nothing of it is in transit")
            return Planned({}, transfer)
        return Planned(self._lines(transfer, ended, missing), _after(transfer, ended, self.ending, missing))

    def _ended(self, transfer: Hold) -> Units:
        """Raises TransferState if more of a line is asked for than is on its way."""
        if self.parts is None:
            return _on_their_way(transfer, {})
        keys = {key.sku: key for key in transfer.lines}
        ended: dict[LevelKey, int] = {}
        for sku, asked in self.parts.items():
            if sku not in keys:
                self._refuse(transfer, f"it has no line of {sku}")
            there = transfer.lines[keys[sku]].committed
            units = there if asked is None else asked
            if units > there:
                reason = f"{units} of {sku} asked for, {there} in transit"
                self._refuse(transfer, reason, sku=sku, quantity=units, possible=there)
            if units:
                ended[keys[sku]] = units
            elif not getattr(transfer.lines[keys[sku]], self.ending):
                self._refuse(transfer, f"nothing of {sku} is in transit", sku=sku, quantity=0, possible=0)
        return ended

    def _lines(self, transfer: Hold, ended: Units, missing: Units) -> dict[LevelKey, Sequence[Line]]:
        lines: dict[LevelKey, Sequence[Line]] = {}
        reference, kind = transfer.reference, TRANSIT if self.place else LOST
        for key in transfer.lines:
            leaving = ((kind, ended.get(key, 0)), (LOST, missing.get(key, 0)))
            legs = tuple(_line(key, leg, -units, reference, self.reason) for leg, units in leaving if units)
            if legs:
                lines[key] = legs
            if self.place and key in ended:
                level = self.place.level(key.sku)
                lines[level] = (_line(level, TRANSFER, ended[key], reference, self.reason),)
        return lines

    def _refuse(self, transfer: Hold, reason: str, **line: str | int) -> NoReturn:
        raise TransferState(transfer.id, TRANSFER_STATES[transfer.state], _ASKED[self.ending], reason, **line)


def _on_their_way(transfer: Hold, besides: Units) -> Units:
    left = {key: line.committed - besides.get(key, 0) for key, line in transfer.lines.items()}
    return {key: units for key, units in left.items() if units}


def _after(transfer: Hold, ended: Units, ending: str, missing: Units) -> Hold:
    lines = dict(transfer.lines)
    for units_of, state in ((ended, ending), (missing, NOWHERE)):
        for key, units in units_of.items():
            line = lines[key]
            moved = {COMMITTED: line.committed - units, state: getattr(line, state) + units}
            lines[key] = replace(line, **moved)
    return replace(transfer, lines=lines, version=transfer.version + 1)


def _line(key: LevelKey, kind: str, units: int, reference: str | None, reason: str | None = None) -> Line:
    return Line(key.sku, key.location, key.shard, kind, units, reason=reason, reference=reference)
