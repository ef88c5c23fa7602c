"""Items and locations: what there is to sell, and where."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from stockwire.level import optional_text, text


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
        price = data.get("price")
        return cls(
            sku=text(data, "sku"),
            name=text(data, "name"),
            price=None if price is None else Decimal(str(price)),
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
