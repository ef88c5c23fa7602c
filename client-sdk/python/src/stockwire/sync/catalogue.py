"""Items and locations, kept and looked up: the blocking one."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from stockwire import call
from stockwire.catalogue import Item, Location
from stockwire.sync.transport import Transport


class Items:
    """What there is to sell. Writing needs the scope ``admin``.

    >>> item = client.items.put("A-100", "Apple", price=Decimal("2.50"), currency="GBP")
    >>> client.items.get("A-100") == item
    True
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def put(
        self,
        sku: str,
        name: str,
        *,
        price: Decimal | None = None,
        currency: str | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> Item:
        """Make the item, or replace what is known of it: what is not given is gone afterwards. Moves no stock.

        ``price`` in units of ``currency`` (ISO 4217); give both or neither. May be repeated. Raises Invalid, Forbidden.

        >>> client.items.put("A-100", "Apple", attributes={"colour": "red"}).name
        'Apple'
        """
        return self._transport.call(call.put_item(sku, name, price, currency, attributes))

    def get(self, sku: str) -> Item:
        """Raises NotFound.

        >>> client.items.get("A-100").name
        'Apple'
        """
        return self._transport.call(call.item(sku))

    def list(self, *, after: str | None = None) -> Iterator[Item]:
        """Every item, by sku, page by page; with ``after`` those whose sku comes behind it (by its bytes).

        >>> "A-100" in [item.sku for item in client.items.list()]
        True
        """
        return self._transport.listing(call.items(after))


class Locations:
    """Where stock is. Writing needs the scope ``admin``.

    >>> client.locations.put("berlin", "Berlin").name
    'Berlin'
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def put(self, location: str, name: str) -> Location:
        """Make the location, or rename it. Moves no stock. May be repeated. Raises Invalid, Forbidden.

        >>> client.locations.put("berlin", "Berlin")
        Location(location='berlin', name='Berlin')
        """
        return self._transport.call(call.put_location(location, name))

    def get(self, location: str) -> Location:
        """Raises NotFound.

        >>> client.locations.get("berlin").name
        'Berlin'
        """
        return self._transport.call(call.location(location))

    def list(self, *, after: str | None = None) -> Iterator[Location]:
        """The locations that the key may read, by name, page by page; with ``after`` those behind it (by its bytes).

        >>> "berlin" in [location.location for location in client.locations.list()]
        True
        """
        return self._transport.listing(call.locations(after))
