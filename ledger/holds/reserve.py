"""How a hold begins: where the units of a basket are taken, all of them or none. Pure, as ``ledger.holds.decide``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from msgspec import Struct

from ledger.commit.held import Bounds, Holder
from ledger.commit.hold import Hold, HoldLine
from ledger.commit.line import HOLD
from ledger.commit.plan import Planned, Situation
from ledger.commit.stock import LevelKey, Stock
from ledger.errors import InsufficientStock
from ledger.holds.decide import NothingToDo, line_of
from ledger.holds.limits import by_sku, check_holder, check_share, check_time, holdable, longest


class Wanted(Struct, frozen=True, gc=False):
    """Units of one sku, from the first of ``places`` that has all of them; ``split``: from as many as it takes."""

    places: tuple[LevelKey, ...]
    quantity: int
    split: bool = False


@dataclass(frozen=True, slots=True)
class Reserve:
    """Makes a hold of all that is wanted, or none. ``hold``: its id, that of the operation. ``ttl_s``: with ``or_less``
    less where an item allows no more.
    """

    kind: ClassVar[str] = HOLD
    hold: str
    owner: str
    wanted: tuple[Wanted, ...]
    ttl_s: int
    customer: str | None = None
    reference: str | None = None
    or_less: bool = False
    timed: bool = field(default=False, init=False)

    @property
    def holder(self) -> Holder:
        return Holder(self.owner, self.customer)

    @property
    def levels(self) -> Sequence[LevelKey]:
        return [place for wanted in self.wanted for place in wanted.places]

    def decide(self, situation: Situation) -> Planned:
        """Raises InsufficientStock or ReservationLimit; NothingToDo if it was made before, by the same key."""
        if situation.hold is not None:
            raise NothingToDo("made before")
        bounds, ttl_s = situation.bounds, self.ttl_s
        skus = [wanted.places[0].sku for wanted in self.wanted]
        if self.or_less:
            ttl_s = longest(bounds, skus, ttl_s)
        check_time(bounds, skus, ttl_s)
        check_holder(bounds, by_sku((wanted.places[0], wanted.quantity) for wanted in self.wanted), new=True)
        taken = {
            key: units for wanted in self.wanted for key, units in _taken(wanted, situation.stocks, bounds).items()
        }
        lines = {key: (line_of(key, HOLD, units, self.reference),) for key, units in taken.items()}
        held = {key: HoldLine(pending=units) for key, units in taken.items()}
        hold = Hold(self.hold, self.owner, held, self.customer, self.reference, version=1, ttl_s=ttl_s)
        return Planned(lines, hold)


def _taken(wanted: Wanted, stocks: Mapping[LevelKey, Stock], bounds: Bounds | None) -> dict[LevelKey, int]:
    """Where the units are taken. Raises InsufficientStock, or ReservationLimit if the shares that may be held are all
    that is in the way.
    """
    if bounds is None:
        return _places(wanted, {place: stocks[place].available for place in wanted.places})
    try:
        return _places(wanted, {place: holdable(bounds, place, stocks[place]) for place in wanted.places})
    except InsufficientStock:
        for place, units in _taken(wanted, stocks, None).items():
            check_share(bounds, place, stocks[place], units)
        raise


def _places(wanted: Wanted, available: Mapping[LevelKey, int]) -> dict[LevelKey, int]:
    """``available``: in the order of preference. Raises InsufficientStock."""
    for place, units in available.items():
        if units >= wanted.quantity:
            return {place: wanted.quantity}
    taken: dict[LevelKey, int] = {}
    missing = wanted.quantity
    for place, units in available.items() if wanted.split else ():
        taken[place] = min(units, missing)
        missing -= taken[place]
    if missing and (not wanted.split or sum(available.values()) < wanted.quantity):
        most = sum(available.values()) if wanted.split else max(available.values())
        places = {place.location: units for place, units in available.items()} if len(available) > 1 else None
        first = wanted.places[0]
        raise InsufficientStock(first.sku, first.location, most, wanted.quantity, places)
    return {place: units for place, units in taken.items() if units}
