"""What differs between a listing as it stands at its channel and as it should stand. Pure.

One look proves nothing: a sale, an order or a push may be between the two numbers. So a look has a *stamp*, which says
all that could explain a difference; what is seen again under the same stamp is drift.
"""

from dataclasses import dataclass
from enum import StrEnum

from followers.marketplaces.terms import Listing, Order


class DriftClass(StrEnum):
    """``quantity``: another number than we mean. ``buffer-not-kept``: more than we mean, though we have as many.
    ``missing-there``: mapped, and the channel has no such listing. ``unknown-here``: it sells what is mapped to
    nothing. ``mapping-broken``: the sku there is another one of ours, or ours has never had any stock.
    ``order-not-booked``: an order takes other units there than were booked here.
    """

    QUANTITY = "quantity"
    BUFFER_NOT_KEPT = "buffer-not-kept"
    MISSING_THERE = "missing-there"
    UNKNOWN_HERE = "unknown-here"
    MAPPING_BROKEN = "mapping-broken"
    ORDER_NOT_BOOKED = "order-not-booked"


class Repair(StrEnum):
    """``push``: our number is sent again. ``map``: the listing is mapped to the sku of its name there. ``unmap``: the
    mapping is dropped. ``book``: the order is fetched and booked.
    """

    PUSH = "push"
    MAP = "map"
    UNMAP = "unmap"
    BOOK = "book"


@dataclass(frozen=True, slots=True)
class Standing:
    """A mapped listing as we mean it.

    ``available``: units at its locations, before buffer, share and cap; None: no level of this sku has ever moved.
    ``offered``: what we mean it to offer. ``sent``: what we last know to stand there; None: nothing yet.
    ``dead``: why the channel refuses our number; empty: it does not. ``at_rest``: nothing is due, under way or waiting
    to be read back. ``stamp``: changes with every version of its levels, order and push.
    """

    sku: str
    available: int | None
    offered: int
    sent: int | None
    dead: str
    at_rest: bool
    stamp: str


@dataclass(frozen=True, slots=True)
class Difference:
    """``ours``, ``theirs``: both numbers; None: there is none. ``cause``: the likely one, in words. ``repair``: what is
    proposed; None: a person has to look. ``sku``: to which ``map`` would map."""

    kind: DriftClass
    ours: int | None
    theirs: int | None
    cause: str
    repair: Repair | None
    sku: str = ""

    @property
    def units(self) -> int:
        """How far apart they are."""
        return abs((self.ours or 0) - (self.theirs or 0))


def compare(ours: Standing | None, theirs: Listing | None, known_skus: frozenset[str]) -> Difference | None:
    """``known_skus``: of the names that either side uses here, those of which the ledger has a level. None: they
    agree, or nothing can be said now. At most one of the two is None."""
    if ours is None:
        assert theirs is not None
        return _unmapped(theirs, known_skus)
    if theirs is None:
        return Difference(DriftClass.MISSING_THERE, ours.offered, None, "the listing was removed there", Repair.UNMAP)
    if theirs.quantity is None:
        return None
    if broken := _broken(ours, theirs, known_skus):
        return broken
    if theirs.quantity == ours.offered or not (ours.at_rest or ours.dead):
        return None
    return _number(ours, theirs.quantity)


def _unmapped(theirs: Listing, known_skus: frozenset[str]) -> Difference | None:
    if not theirs.quantity:
        return None  # it sells nothing
    if theirs.sku in known_skus:
        cause = f"it is mapped to nothing; the ledger has a sku of the same name, {theirs.sku}"
        return Difference(DriftClass.UNKNOWN_HERE, None, theirs.quantity, cause, Repair.MAP, theirs.sku)
    cause = "it is mapped to nothing, and the ledger has no sku of its name"
    return Difference(DriftClass.UNKNOWN_HERE, None, theirs.quantity, cause, None)


def _broken(ours: Standing, theirs: Listing, known_skus: frozenset[str]) -> Difference | None:
    if theirs.sku != ours.sku and theirs.sku in known_skus:
        cause = f"it is mapped to {ours.sku}, but is called {theirs.sku} there, which is another sku of ours"
        return Difference(DriftClass.MAPPING_BROKEN, ours.offered, theirs.quantity, cause, Repair.MAP, theirs.sku)
    if ours.available is None:
        cause = f"it is mapped to {ours.sku}, which has never had any stock at the channel's locations"
        return Difference(DriftClass.MAPPING_BROKEN, ours.offered, theirs.quantity, cause, None)
    return None


def _number(ours: Standing, theirs: int) -> Difference:
    available = ours.available or 0
    kept = ours.offered < theirs <= available
    kind = DriftClass.BUFFER_NOT_KEPT if kept else DriftClass.QUANTITY
    return Difference(kind, ours.offered, theirs, _cause(ours, theirs), Repair.PUSH)


def _cause(ours: Standing, theirs: int) -> str:
    if ours.dead:
        return f"the channel refuses our number: {ours.dead}"
    if ours.sent is None:
        return "no number of ours was ever applied there"
    if ours.sent != ours.offered:
        return f"{ours.offered} was not sent: what was last applied there is {ours.sent}"
    if theirs < ours.sent:
        return f"{ours.sent - theirs} fewer than we set: sold there by an order that is not known here, or set by hand"
    return f"{theirs - ours.sent} more than we set: put back or set by hand there"


def compare_order(booked: dict[str, int] | None, wanted: Order, skus: dict[str, str]) -> Difference | None:
    """``booked``: units by sku, holds too; None: the order is not known here. ``skus``: by the listings' ids."""
    ours = sum(booked.values()) if booked else 0
    lines = () if wanted.state == "cancelled" else wanted.lines
    theirs = sum(line.quantity for line in lines)
    name = wanted.number or wanted.id
    if booked is None and theirs:
        cause = f"order {name} is not known here: its notice was lost, and no poll has had it"
        return Difference(DriftClass.ORDER_NOT_BOOKED, 0, theirs, cause, Repair.BOOK)
    wants: dict[str, int] = {}
    for line in lines:
        sku = skus.get(line.remote, "")
        wants[sku] = wants.get(sku, 0) + line.quantity
    if unmapped := wants.pop("", 0):
        cause = f"order {name} has {unmapped} units of listings that are mapped to nothing"
        return Difference(DriftClass.ORDER_NOT_BOOKED, ours, theirs, cause, None)
    if wants == {sku: units for sku, units in (booked or {}).items() if units}:
        return None
    cause = f"order {name} is {wanted.state} there and was changed since it was booked here"
    return Difference(DriftClass.ORDER_NOT_BOOKED, ours, theirs, cause, Repair.BOOK)
