"""Items and locations, kept and looked up: the blocking one."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from stockwire import call
from stockwire.catalogue import HoldLimits, Item, Location, PutResult
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
        hold_limits: HoldLimits | None = None,
    ) -> Item:
        """Make the item, or replace what is known of it: what is not given is gone afterwards. Moves no stock.

        ``price`` in units of ``currency`` (ISO 4217); give both or neither. ``hold_limits`` stay as they are unless
        they are given; ``HoldLimits()`` takes them away. May be repeated. Raises Invalid, Forbidden.

        >>> client.items.put("A-100", "Apple", attributes={"colour": "red"}).name
        'Apple'
        """
        return self._transport.call(call.put_item(sku, name, price, currency, attributes, hold_limits))

    def put_many(self, items: Iterable[Item], *, keep_existing: bool = False) -> PutResult:
        """Put as many as you like, in one request for 1,000 of them; those that are not in the list stay as they are.

        Each request is all or nothing, and so is a list of up to 1,000 and 1.6 MB; of a longer one, an error leaves
        what the requests before have done. With ``keep_existing`` only those that are missing are made. May be
        repeated. Raises Invalid, which names the item by its number, as in ``items[17].name``, and Forbidden.

        >>> client.items.put_many([Item("A-100", "Apple"), Item("B-200", "Banana")]).unchanged
        2
        """
        result = PutResult()
        for part in call.put_items(items, keep_existing):
            with part.numbered():
                result += self._transport.call(part.call)
        return result

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

    def put_many(self, locations: Iterable[Location], *, keep_existing: bool = False) -> PutResult:
        """Put as many as you like, in one request for 1,000 of them; those that are not in the list stay as they are.

        Each request is all or nothing, and so is a list of up to 1,000 and 1.6 MB; of a longer one, an error leaves
        what the requests before have done. With ``keep_existing`` only those that are missing are made. May be
        repeated. Raises Invalid, which names the location by its number, as in ``locations[17].name``, and Forbidden.

        >>> client.locations.put_many([Location("berlin", "Berlin")]).unchanged
        1
        """
        result = PutResult()
        for part in call.put_locations(locations, keep_existing):
            with part.numbered():
                result += self._transport.call(part.call)
        return result

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
