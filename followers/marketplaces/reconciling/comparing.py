"""What differs between a listing as it stands at its channel and as it should stand. Pure.

One look proves nothing: a sale, an order or a push may be between the two numbers. So a look has a *stamp*, which says
all that could explain a difference; what is seen again under the same stamp is drift.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from followers.marketplaces.orders.knowing import judge
from followers.marketplaces.terms import Listing, Order

NAMED_MAX = 5
"""Listings of one order that a cause names."""


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


@dataclass(frozen=True, slots=True)
class KnownOrder:
    """What we were told of an order, and what became of it. ``pending``: it is not booked yet; ``failed``: why that was
    tried in vain. ``unmapped``: its listings that are mapped to nothing."""

    told: Order
    pending: bool
    failed: str
    unmapped: Sequence[str]


def compare_order(known: KnownOrder | None, there: Order) -> Difference | None:
    """None: it is booked as it is there, or is being booked. What was oversold of it is known, and no drift."""
    theirs, name = _units(there), there.number or there.id
    if known is None:
        if not theirs:
            return None
        cause = f"order {name} is not known here: its notice was lost, and no poll has had it"
        return Difference(DriftClass.ORDER_NOT_BOOKED, 0, theirs, cause, Repair.BOOK)
    ours = _units(known.told)
    if judge(known.told, there, fetched=True) == "newer":
        cause = f"order {name} was changed there since we were told of it: it is {there.state} now"
        return Difference(DriftClass.ORDER_NOT_BOOKED, ours, theirs, cause, Repair.BOOK)
    if known.unmapped:
        cause = f"order {name} waits for listings that are mapped to nothing: {', '.join(known.unmapped[:NAMED_MAX])}"
        return Difference(DriftClass.ORDER_NOT_BOOKED, ours, theirs, cause, None)
    if known.pending and known.failed:
        cause = f"order {name} could not be booked: {known.failed}"
        return Difference(DriftClass.ORDER_NOT_BOOKED, ours, theirs, cause, Repair.BOOK)
    return None


def _units(order: Order) -> int:
    return 0 if order.state == "cancelled" else sum(line.quantity for line in order.lines)
