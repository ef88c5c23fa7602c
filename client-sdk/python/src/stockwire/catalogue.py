"""Items and locations: what there is to sell, and where."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from stockwire.level import Malformed, optional_text, text


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


@dataclass(frozen=True, slots=True)
class Location:
    location: str
    name: str

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> "Location":
        return cls(location=text(data, "location"), name=text(data, "name"))


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
