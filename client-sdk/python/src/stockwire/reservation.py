"""Reservations: units that are held until they are paid for, what is asked for of them, and how they stand."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from stockwire import argument
from stockwire.errors import Invalid
from stockwire.level import Malformed, fields, integer, moment, optional_text, rows, text
from stockwire.operation import QUANTITY_MAX, OperationResult


@dataclass(frozen=True, slots=True)
class Wanted:
    """Units of one sku. Made by `held`, or by `held_from` where several locations may give them.

    ``locations``: in order of preference. ``quantity``: None for all units that it can be done with, of a line of a
    reservation that is there; 0 to let go of one in `Reservations.change`.
    """

    sku: str
    locations: tuple[str, ...]
    quantity: int | None = 1
    split: bool = False

    def __post_init__(self) -> None:
        argument.text("sku", self.sku)
        places = argument.several("locations", self.locations)
        object.__setattr__(self, "locations", tuple(argument.text("locations", place) for place in places))
        if not self.locations:
            raise Invalid("locations", "none is named")
        if self.quantity is not None:
            object.__setattr__(self, "quantity", argument.whole("quantity", self.quantity, 0, QUANTITY_MAX))
        argument.flag("split", self.split)


def held(sku: str, location: str, quantity: int | None = 1) -> Wanted:
    """``quantity`` units of ``sku`` at ``location``.

    >>> held("A-100", "berlin", 2).quantity
    2
    """
    return Wanted(sku, (argument.text("location", location),), quantity)


def held_from(sku: str, locations: Iterable[str], quantity: int = 1, *, split: bool = False) -> Wanted:
    """``quantity`` units from the first of ``locations`` that has all of them; ``split``: from as many as it takes, in
    their order. The ledger decides it under one lock: the answer's lines say where they are.

    >>> held_from("A-100", ["berlin", "hamburg"], 2, split=True).locations
    ('berlin', 'hamburg')
    """
    units = argument.whole("quantity", quantity, 1, QUANTITY_MAX)
    return Wanted(sku, tuple(argument.several("locations", locations)), units, split)


@dataclass(frozen=True, slots=True)
class ReservationLine:
    """How many units of one level are in which state; ``quantity``: all of them.

    Those that are ``pending`` or ``committed`` are reserved. ``fulfilled`` ones have left, ``cancelled`` and
    ``expired`` ones are available again.
    """

    sku: str
    location: str
    quantity: int
    pending: int
    committed: int
    fulfilled: int
    cancelled: int
    expired: int

    @property
    def reserved(self) -> int:
        return self.pending + self.committed

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> "ReservationLine":
        """Raises Malformed. Unknown fields are ignored."""
        return cls(
            sku=text(data, "sku"),
            location=text(data, "location"),
            quantity=integer(data, "quantity"),
            pending=integer(data, "pending"),
            committed=integer(data, "committed"),
            fulfilled=integer(data, "fulfilled"),
            cancelled=integer(data, "cancelled"),
            expired=integer(data, "expired"),
        )


@dataclass(frozen=True, slots=True)
class Reservation:
    """A reservation as it stood when the ledger answered. Times in UTC.

    ``state``: of its units the one that is furthest from its end: ``pending``, ``committed``, ``fulfilled``,
    ``expired`` or ``cancelled``, in this order; a later ledger may know more. ``version`` counts its changes.
    ``expires_at``: when its pending units are let go of, None if it has none. ``result``: what this call did to the
    levels, with its ``key`` and whether it was ``replayed``; None of one that was only read, and not compared.
    """

    id: str
    state: str
    owner: str
    customer: str | None
    reference: str | None
    version: int
    created_at: datetime
    expires_at: datetime | None
    lines: tuple[ReservationLine, ...]
    result: OperationResult | None = field(default=None, compare=False, repr=False)

    @property
    def open(self) -> bool:
        """Whether it holds anything."""
        return any(line.reserved for line in self.lines)

    @classmethod
    def parse(cls, data: Mapping[str, Any], result: OperationResult | None = None) -> "Reservation":
        """Raises Malformed. Unknown fields are ignored."""
        lines = tuple(ReservationLine.parse(fields(line, "a line")) for line in rows(data, "lines"))
        if not lines:
            raise Malformed("the reservation has no lines")
        return cls(
            id=text(data, "id"),
            state=text(data, "state"),
            owner=text(data, "owner"),
            customer=optional_text(data, "customer"),
            reference=optional_text(data, "reference"),
            version=integer(data, "version"),
            created_at=moment(data, "created_at"),
            expires_at=None if data.get("expires_at") is None else moment(data, "expires_at"),
            lines=lines,
            result=result,
        )
