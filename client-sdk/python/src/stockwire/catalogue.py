"""Items and locations: what there is to sell, and where."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from stockwire import request
from stockwire.level import optional_text, text
from stockwire.paging import pages, parsed
from stockwire.transport import AsyncTransport


@dataclass(frozen=True, slots=True)
class Item:
    """``price`` in ``currency`` (ISO 4217), both None where unknown."""

    sku: str
    name: str
    price: Decimal | None = None
    currency: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)

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


class Items:
    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def put(
        self,
        sku: str,
        name: str,
        *,
        price: Decimal | None = None,
        currency: str | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> Item:
        """Make the item, or replace what is known of it. Moves no stock."""
        fields = {
            "name": name,
            "price": None if price is None else str(price),
            "currency": currency,
            "attributes": None if attributes is None else dict(attributes),
        }
        document, answer = await self._transport.call(request.put_thing("items", sku, fields))
        return parsed(document, Item.parse, answer)

    async def get(self, sku: str) -> Item:
        """Raises NotFound."""
        document, answer = await self._transport.call(request.thing("items", sku))
        return parsed(document, Item.parse, answer)

    def list(self, *, after: str | None = None) -> AsyncIterator[Item]:
        """Every item, by sku, page by page; with ``after`` those whose sku comes behind it (by its bytes)."""
        return pages(self._transport, lambda page: request.things("items", page), "items", Item.parse, after)


class Locations:
    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def put(self, location: str, name: str) -> Location:
        """Make the location, or rename it. Moves no stock."""
        document, answer = await self._transport.call(request.put_thing("locations", location, {"name": name}))
        return parsed(document, Location.parse, answer)

    async def get(self, location: str) -> Location:
        """Raises NotFound."""
        document, answer = await self._transport.call(request.thing("locations", location))
        return parsed(document, Location.parse, answer)

    def list(self, *, after: str | None = None) -> AsyncIterator[Location]:
        """The locations that the key may read, by name, page by page; with ``after`` those behind it (by its bytes)."""
        return pages(
            self._transport, lambda page: request.things("locations", page), "locations", Location.parse, after
        )
