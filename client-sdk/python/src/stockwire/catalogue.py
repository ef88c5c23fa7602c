"""Items and locations: what there is to sell, and where."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from stockwire import argument
from stockwire.errors import Invalid
from stockwire.level import Malformed, fields, integer, optional_integer, optional_text, text

PERCENT_MAX = 100


@dataclass(frozen=True, slots=True)
class HoldLimits:
    """How much of an item reservations may hold, against hoarding; None: the item says nothing.

    ``customer_units``: that one customer may have in open reservations, at all locations together. ``ttl_s``: seconds
    that units may be pending at a time. ``share_percent``: of what a location has on hand, instead of the ledger's.
    """

    customer_units: int | None = None
    ttl_s: int | None = None
    share_percent: int | None = None

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> "HoldLimits":
        """Raises Malformed. Unknown fields are ignored."""
        return cls(*(optional_integer(data, name) for name in ("customer_units", "ttl_s", "share_percent")))

    def body(self) -> dict[str, int]:
        """Fields that say nothing are left out. Raises Invalid."""
        fields = {
            "customer_units": (self.customer_units, argument.UNITS_MAX),
            "ttl_s": (self.ttl_s, argument.UNITS_MAX),
            "share_percent": (self.share_percent, PERCENT_MAX),
        }
        return {
            name: argument.whole(f"hold_limits.{name}", value, 1, most)
            for name, (value, most) in fields.items()
            if value is not None
        }


@dataclass(frozen=True, slots=True)
class Item:
    """``price`` in ``currency`` (ISO 4217), both None where unknown.

    ``hold_limits``: None where there are none; of an item that is put, they stay as they are then, and ``HoldLimits()``
    takes them away.
    """

    sku: str
    name: str
    price: Decimal | None = None
    currency: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    hold_limits: HoldLimits | None = None

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> "Item":
        """Raises Malformed. Unknown fields are ignored."""
        limits = data.get("hold_limits")
        return cls(
            sku=text(data, "sku"),
            name=text(data, "name"),
            price=_price(data.get("price")),
            currency=optional_text(data, "currency"),
            attributes=data.get("attributes") or {},
            hold_limits=None if limits is None else HoldLimits.parse(fields(limits, "hold_limits")),
        )

    def body(self) -> dict[str, Any]:
        """As PUT /v1/items wants it; fields that say nothing are left out."""
        return {
            "sku": self.sku,
            **item_fields(self.name, self.price, self.currency, self.attributes or None, self.hold_limits),
        }


@dataclass(frozen=True, slots=True)
class Location:
    location: str
    name: str

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> "Location":
        return cls(location=text(data, "location"), name=text(data, "name"))

    def body(self) -> dict[str, Any]:
        """As PUT /v1/locations wants it."""
        return {"location": self.location, "name": argument.text("name", self.name)}


@dataclass(frozen=True, slots=True)
class PutResult:
    """What became of a list. ``created`` and ``updated``: skus or locations, in the order of the list."""

    created: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    unchanged: int = 0

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> "PutResult":
        """Raises Malformed."""
        return cls(_names(data, "created"), _names(data, "updated"), integer(data, "unchanged"))

    def __add__(self, other: "PutResult") -> "PutResult":
        return PutResult(self.created + other.created, self.updated + other.updated, self.unchanged + other.unchanged)


def item_fields(
    name: str,
    price: Decimal | None,
    currency: str | None,
    attributes: Mapping[str, Any] | None,
    hold_limits: HoldLimits | None,
) -> dict[str, Any]:
    """Raises Invalid."""
    exact = argument.price("price", price)
    known = {
        "name": argument.text("name", name),
        "price": None if exact is None else str(exact),
        "currency": argument.optional_text("currency", currency),
        "attributes": argument.attributes("attributes", attributes),
        "hold_limits": None if hold_limits is None else _limits(hold_limits).body(),
    }
    return {name: value for name, value in known.items() if value is not None}


def _limits(given: object) -> HoldLimits:
    if not isinstance(given, HoldLimits):
        raise Invalid("hold_limits", f"a {type(given).__name__} is no HoldLimits")
    return given


def _names(data: Mapping[str, Any], field: str) -> tuple[str, ...]:
    names: object = data.get(field)
    if not isinstance(names, list):
        raise Malformed(f"{field} is {names!r}, not a list")
    return tuple(str(name) for name in cast("list[object]", names))


def _price(value: object) -> Decimal | None:
    if value is None:
        return None
    try:
        price = Decimal(str(value))
    except InvalidOperation:
        price = None
    if price is None or not price.is_finite():
        raise Malformed(f"price is {value!r}, not a number")
    return price
