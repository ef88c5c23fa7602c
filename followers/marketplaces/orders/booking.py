"""What is still to be booked of an order: the difference between what it takes now and what is booked. Pure.

A booking looks at the whole order and the whole of what is booked, never at what changed: so notices that are doubled,
late or out of order come to the same in the end.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from followers.marketplaces.terms import OrderState

Level = tuple[str, str]
"""A sku and a location."""
Units = Mapping[Level, int]
"""Above 0; what is not named has none."""
StepKind = Literal["move", "reserve", "change", "cancel", "commit"]


@dataclass(frozen=True, slots=True)
class Demand:
    """``units`` of ``sku``, from ``places`` in order of preference; at least one place."""

    sku: str
    places: tuple[str, ...]
    units: int


@dataclass(frozen=True, slots=True)
class Hold:
    """A reservation of the ledger with open units: ``held``. ``left``: those of it that have left."""

    id: str
    held: Units
    left: Units = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Booked:
    """What an order has taken: ``sold``, beside what its hold has."""

    sold: Units = field(default_factory=dict)
    hold: Hold | None = None

    @property
    def all(self) -> dict[Level, int]:
        return summed(self.sold, self.hold.held, self.hold.left) if self.hold else dict(self.sold)

    def moved(self, lines: Iterable[tuple[Level, int]]) -> "Booked":
        """After lines of a movement: below 0 what was sold, above what was put back."""
        return Booked(summed(self.sold, {level: -quantity for level, quantity in lines}), self.hold)

    def seen(self, hold: Hold) -> "Booked":
        """After the ledger has shown the whole reservation: one that holds nothing any more is over."""
        if any(hold.held.values()):
            return Booked(self.sold, hold)
        return Booked(summed(self.sold, hold.left))


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of the ledger, all of it or nothing.

    ``move``: lines with their sign, sales below 0. ``reserve``: units to hold. ``change``: how many are to be held
    then, 0 for none. ``cancel``: units to let go of. ``commit``: all that is held leaves; no lines. ``hold``: whose;
    None for ``move`` and ``reserve``.
    """

    kind: StepKind
    lines: tuple[tuple[Level, int], ...] = ()
    hold: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """``step``: what is to be done next, then it is decided again; None: nothing.

    ``short``: units by sku that the order takes and nobody has. ``waived``: of those that a person gave up, what is
    still missing.
    """

    step: Step | None
    short: Mapping[str, int]
    waived: Mapping[str, int]


def decide(
    state: OrderState,
    demands: Sequence[Demand],
    booked: Booked,
    available: Units,
    waived: Mapping[str, int] | None = None,
) -> Decision:
    """``available``: now, at every place of every demand. ``waived``: units by sku that are not to be booked."""
    wanted = () if state == "cancelled" else demands
    allotted = _Allotted(booked.all, available, waived or {})
    for sku in {**{demand.sku: None for demand in wanted}, **{sku: None for sku, _ in booked.all}}:
        allotted.allot(sku, [demand for demand in wanted if demand.sku == sku])
    return Decision(_step(state, booked, allotted), allotted.short, allotted.waived)


def summed(*several: Units) -> dict[Level, int]:
    total: dict[Level, int] = {}
    for units in several:
        for level, quantity in units.items():
            total[level] = total.get(level, 0) + quantity
    return {level: quantity for level, quantity in total.items() if quantity}


class _Allotted:
    """``take``: to be booked, and there. ``give``: booked, and not taken any more."""

    def __init__(self, booked: Units, available: Units, waived: Mapping[str, int]) -> None:
        self._booked = booked
        self._available = available
        self._waived = waived
        self.take: dict[Level, int] = {}
        self.give: dict[Level, int] = {}
        self.short: dict[str, int] = {}
        self.waived: dict[str, int] = {}

    def allot(self, sku: str, demands: Sequence[Demand]) -> None:
        places = dict.fromkeys(place for demand in demands for place in demand.places)
        free = {place: units for (other, place), units in self._booked.items() if other == sku}
        missing = [demand.units - _claim(free, demand.places, demand.units) for demand in demands]
        # Units stay where they were booked, though the mapping names another place now.
        missing = [units - _claim(free, tuple(free), units) for units in missing]
        self._add(self.give, sku, free)
        waived = min(self._waived.get(sku, 0), sum(missing))
        there = {place: self._available.get((sku, place), 0) for place in places}
        short = -waived
        for demand, units in zip(demands, missing, strict=True):
            given_up = min(units, max(0, -short))
            found = _found(there, demand.places, units - given_up)
            self._add(self.take, sku, found)
            short += units - sum(found.values())
        if short:
            self.short[sku] = short
        if waived:
            self.waived[sku] = waived

    @staticmethod
    def _add(to: dict[Level, int], sku: str, units: Mapping[str, int]) -> None:
        for place, quantity in units.items():
            if quantity:
                to[sku, place] = to.get((sku, place), 0) + quantity


def _claim(free: dict[str, int], places: Sequence[str], units: int) -> int:
    claimed = 0
    for place in places:
        part = min(free.get(place, 0), units - claimed)
        if part:
            free[place] -= part
            claimed += part
    return claimed


def _found(there: dict[str, int], places: Sequence[str], units: int) -> dict[str, int]:
    """From the first place that has all, else from as many as it takes; ``there`` loses them."""
    whole = next((place for place in places if there[place] >= units), None)
    found: dict[str, int] = {}
    for place in places if whole is None else (whole,):
        part = min(max(0, there[place]), units - sum(found.values()))
        if part:
            there[place] -= part
            found[place] = part
    return found


def _step(state: OrderState, booked: Booked, allotted: _Allotted) -> Step | None:
    hold = booked.hold
    if hold is None:
        if state == "unpaid" and not booked.sold:
            return Step("reserve", _lines(allotted.take)) if allotted.take else None
        return _move(allotted.take, allotted.give)
    let_go = {level: min(units, hold.held[level]) for level, units in allotted.give.items() if hold.held.get(level)}
    if state == "unpaid":
        return _edit(hold, allotted.take, let_go) or _move({}, allotted.give)
    if let_go:
        return Step("cancel", _lines(let_go), hold.id)
    return Step("commit", (), hold.id)


def _edit(hold: Hold, take: Units, let_go: Units) -> Step | None:
    if not take and not let_go:
        return None
    if let_go == hold.held and not take:
        return Step("cancel", _lines(let_go), hold.id)
    after = summed(hold.held, take, {level: -units for level, units in let_go.items()})
    return Step("change", tuple((level, after.get(level, 0)) for level in sorted({*take, *let_go})), hold.id)


def _move(take: Units, give: Units) -> Step | None:
    lines = summed({level: -units for level, units in take.items()}, give)
    return Step("move", _lines(lines)) if lines else None


def _lines(units: Units) -> tuple[tuple[Level, int], ...]:
    return tuple(sorted(units.items()))
