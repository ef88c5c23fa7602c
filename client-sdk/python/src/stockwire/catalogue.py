"""Items and locations: what there is to sell, and where."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from stockwire import argument
from stockwire.level import Malformed, integer, optional_text, text


@dataclass(frozen=True, slots=True)
class Item:
    """``price`` in ``currency`` (ISO 4217), both None where unknown."""

    sku: str
    name: str
    price: Decimal | None = None
    currency: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> "Item":
        """Raises Malformed. Unknown fields are ignored."""
        return cls(
            sku=text(data, "sku"),
            name=text(data, "name"),
            price=_price(data.get("price")),
            currency=optional_text(data, "currency"),
            attributes=data.get("attributes") or {},
        )

    def body(self) -> dict[str, Any]:
        """As PUT /v1/items wants it; fields that say nothing are left out."""
        fields = item_fields(self.name, self.price, self.currency, self.attributes or None)
        return {"sku": self.sku, **fields}


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
    name: str, price: Decimal | None, currency: str | None, attributes: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Raises Invalid."""
    exact = argument.price("price", price)
    fields = {
        "name": argument.text("name", name),
        "price": None if exact is None else str(exact),
        "currency": argument.optional_text("currency", currency),
        "attributes": argument.attributes("attributes", attributes),
    }
    return {name: value for name, value in fields.items() if value is not None}


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
