"""What an operation asks for, line by line, and what it changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypedDict, Unpack

from stockwire import argument
from stockwire.errors import StockwireError
from stockwire.level import Level, integer, moment, optional_text, rows, text

QUANTITY_MAX = argument.UNITS_MAX
MOMENTS_REMEMBERED = 256
"""As text: the lines of an invoice were all sold at once."""


@dataclass(frozen=True, slots=True)
class Line:
    """One movement: ``quantity`` units to add (negative: to take away), never 0, within 32 bits.

    ``if_version``: the line, and with it the whole operation, is refused unless the level stands at this version.
    ``occurred_at`` needs an offset. Better made by `sale`, `receipt`, `write_off`, `returned` and `adjustment`, which
    get the sign right.
    """

    sku: str
    location: str
    quantity: int
    kind: str
    reference: str | None = None
    reason: str | None = None
    occurred_at: datetime | None = None
    if_version: int | None = None

    def __post_init__(self) -> None:
        _check_asked(self)
        argument.text("kind", self.kind)
        quantity = argument.whole("quantity", self.quantity, -QUANTITY_MAX, QUANTITY_MAX)
        if quantity is not self.quantity:
            object.__setattr__(self, "quantity", quantity)
        if self.occurred_at is not None:
            argument.moment("occurred_at", self.occurred_at)

    def body(self) -> dict[str, Any]:
        """As POST /v1/movements wants it; fields that say nothing are left out."""
        fields: dict[str, Any] = {
            "sku": self.sku,
            "location": self.location,
            "quantity": self.quantity,
            "kind": self.kind,
        }
        if self.reference is not None:
            fields["reference"] = self.reference
        if self.reason is not None:
            fields["reason"] = self.reason
        if self.occurred_at is not None:
            fields["occurred_at"] = _written(self.occurred_at)
        if self.if_version is not None:
            fields["expected_version"] = self.if_version
        return fields

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> "Line":
        """Raises Malformed. Unknown fields are ignored."""
        return cls(
            sku=text(data, "sku"),
            location=text(data, "location"),
            quantity=integer(data, "quantity"),
            kind=text(data, "kind"),
            reference=optional_text(data, "reference"),
            reason=optional_text(data, "reason"),
            occurred_at=None if data.get("occurred_at") is None else moment(data, "occurred_at"),
            if_version=None if data.get("expected_version") is None else integer(data, "expected_version"),
        )


@dataclass(frozen=True, slots=True)
class Count:
    """``on_hand`` units were counted on the shelf. ``if_version``: as of `Stock.count`; None opts out."""

    sku: str
    location: str
    on_hand: int
    if_version: int | None
    reference: str | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        _check_asked(self)
        object.__setattr__(self, "on_hand", argument.whole("on_hand", self.on_hand, 0, QUANTITY_MAX))

    def body(self) -> dict[str, Any]:
        """As POST /v1/operations wants it."""
        said = {name: value for name, value in (("reference", self.reference), ("reason", self.reason)) if value}
        return {
            "sku": self.sku,
            "location": self.location,
            "on_hand": self.on_hand,
            "expected_version": self.if_version,
            **said,
        }


@dataclass(frozen=True, slots=True)
class Operation:
    """One of many sent together: lines, all or none of them, or one count, under its own Idempotency-Key."""

    key: str
    asked: Sequence[Line] | Count

    def __post_init__(self) -> None:
        argument.text("key", self.key)
        if not isinstance(self.asked, Count):
            object.__setattr__(self, "asked", argument.each_of("asked", self.asked, Line, "Line"))

    def body(self) -> dict[str, Any]:
        if isinstance(self.asked, Count):
            return {"key": self.key, "count": self.asked.body()}
        return {"key": self.key, "lines": [line.body() for line in self.asked]}


def _written(moment: datetime) -> str:
    return _written_utc(moment) if moment.tzinfo is UTC else moment.isoformat()


@lru_cache(MOMENTS_REMEMBERED)
def _written_utc(moment: datetime) -> str:
    return moment.isoformat()


def _check_asked(asked: Line | Count) -> None:
    """What a line and a count have in common. Raises Invalid."""
    argument.text("sku", asked.sku)
    argument.text("location", asked.location)
    argument.optional_text("reference", asked.reference)
    argument.optional_text("reason", asked.reason)
    if asked.if_version is not None:
        object.__setattr__(asked, "if_version", argument.optional_version("if_version", asked.if_version))


class Details(TypedDict, total=False):
    """The other fields of a `Line`."""

    reference: str | None
    reason: str | None
    occurred_at: datetime | None
    if_version: int | None


def sale(sku: str, location: str, units: int = 1, **details: Unpack[Details]) -> Line:
    """``units`` leave the location.

    >>> sale("A-100", "berlin", 2, reference="order-4711").quantity
    -2
    """
    return Line(sku, location, -_positive(units), "sale", **details)


def receipt(sku: str, location: str, units: int, **details: Unpack[Details]) -> Line:
    """``units`` arrive at the location.

    >>> receipt("A-100", "berlin", 24).quantity
    24
    """
    return Line(sku, location, _positive(units), "receipt", **details)


def returned(sku: str, location: str, units: int = 1, **details: Unpack[Details]) -> Line:
    """``units`` come back from a customer.

    >>> returned("A-100", "berlin").kind
    'return'
    """
    return Line(sku, location, _positive(units), "return", **details)


def write_off(sku: str, location: str, units: int, **details: Unpack[Details]) -> Line:
    """``units`` are broken, lost or stolen.

    >>> write_off("A-100", "berlin", 3, reason="broken").quantity
    -3
    """
    return Line(sku, location, -_positive(units), "write_off", **details)


def adjustment(sku: str, location: str, difference: int, **details: Unpack[Details]) -> Line:
    """On hand was wrong by ``difference`` units, in either direction.

    >>> adjustment("A-100", "berlin", -1).quantity
    -1
    """
    return Line(
        sku, location, argument.whole("difference", difference, -QUANTITY_MAX, QUANTITY_MAX), "adjustment", **details
    )


def _positive(units: int) -> int:
    return argument.whole("units", units, 1, QUANTITY_MAX)


@dataclass(frozen=True, slots=True)
class Event:
    """One committed change of one level by one operation: a line of the audit trail. Units, times in UTC.

    ``version`` counts the events of the level, ``seq`` those of ``shard``. ``actor``: the key's owner.
    """

    shard: int
    seq: int
    sku: str
    location: str
    version: int
    kind: str
    on_hand_delta: int
    reserved_delta: int
    on_hand: int
    reserved: int
    available: int
    operation: str
    actor: str
    reason: str | None
    reference: str | None
    occurred_at: datetime | None
    committed_at: datetime

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> "Event":
        """Raises Malformed. Unknown fields are ignored."""
        return cls(
            shard=integer(data, "shard"),
            seq=integer(data, "seq"),
            sku=text(data, "sku"),
            location=text(data, "location"),
            version=integer(data, "version"),
            kind=text(data, "kind"),
            on_hand_delta=integer(data, "on_hand_delta"),
            reserved_delta=integer(data, "reserved_delta"),
            on_hand=integer(data, "on_hand"),
            reserved=integer(data, "reserved"),
            available=integer(data, "available"),
            operation=text(data, "operation"),
            actor=text(data, "actor"),
            reason=optional_text(data, "reason"),
            reference=optional_text(data, "reference"),
            occurred_at=None if data.get("occurred_at") is None else moment(data, "occurred_at"),
            committed_at=moment(data, "committed_at"),
        )


@dataclass(frozen=True, slots=True)
class OperationResult:
    """A committed operation, whole: every line of it happened, once.

    ``operation``: its id. ``levels``: each touched level as this operation left it; others may have moved it since.
    ``replayed``: the key had been used before, this is the answer stored then. ``key``: the Idempotency-Key sent.
    """

    operation: str
    events: tuple[Event, ...]
    levels: tuple[Level, ...]
    replayed: bool
    key: str

    @property
    def level(self) -> Level:
        """The level, for an operation that touched one. Raises ValueError for more."""
        (level,) = self.levels
        return level

    @classmethod
    def parse(cls, data: Mapping[str, Any], *, key: str, replayed: bool) -> "OperationResult":
        """Raises Malformed."""
        return cls(
            operation=text(data, "operation"),
            events=tuple(Event.parse(event) for event in rows(data, "events")),
            levels=tuple(Level.parse(level) for level in rows(data, "levels")),
            replayed=replayed,
            key=key,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one of many operations: ``error`` is None if it was committed.

    ``error``: what the operation alone would have raised; a `Later` may be sent again with the same key. ``replayed``:
    this was decided when the key was first used. ``lines``: what was asked for then, where that was the question; of a
    count one line of kind ``count``, whose quantity is what was counted.
    """

    key: str
    operation: str | None
    replayed: bool
    error: StockwireError | None = None
    lines: tuple[Line, ...] = ()
