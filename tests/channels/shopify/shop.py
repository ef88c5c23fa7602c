"""What a shop has: items at locations, and orders with all that happened to them, as the Admin API shows them."""

import itertools
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.channels.shared.selling import Happening, Order, Selling
from tests.channels.shopify.gids import PREFIX, gid, level_gid
from tests.channels.shopify.paging import Row, by_key, connection

DOMAIN = "stockwire-tests.myshopify.com"
MAIN = "346779380"
"""The location of listings whose id is the item's number alone; others are `item@location`."""
VARIANTS_FROM = 10**12
"""Numbers of variants are those of their items, and this."""
LINES_FROM = 10**9
UNPAID = "PENDING"
PAID = "PAID"

Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """``number``: of the inventory item."""

    number: str
    sku: str
    title: str
    barcode: str | None
    tracked: bool

    @property
    def variant(self) -> int:
        return int(self.number) + VARIANTS_FROM


@dataclass(frozen=True, slots=True)
class Refund:
    """Units by listing, above 0."""

    number: int
    units: Mapping[str, int]
    restocked: bool
    at: float
    is_cancel: bool


@dataclass(slots=True)
class History:
    """What happened to an order. ``removed``: units by listing that edits took out."""

    refunds: list[Refund] = field(default_factory=list)
    removed: Counter[str] = field(default_factory=Counter)
    cancelled_at: float | None = None
    was_paid: bool = False


class Shop:
    def __init__(self, selling: Callable[[], Selling]) -> None:
        self.items: dict[str, Item] = {}
        self.locations = {MAIN: "Shop location"}
        self.histories: dict[str, History] = {}
        self._selling = selling
        self._numbers = itertools.count(900_001)

    def offer(self, product: Mapping[str, Any]) -> None:
        """``id``: of the listing. Shopify's own: ``sku`` (the item's number), ``tracked``."""
        listing = str(product["id"])
        number, location = split(listing)
        self.locations.setdefault(location, f"Location {location}")
        self.items[number] = Item(
            number, product.get("sku", number), product["title"], product.get("barcode"), product.get("tracked", True)
        )
        self._selling().offer(listing, product["quantity"])

    def happened(self, happening: Happening) -> Refund | None:
        """Remembers it. Returns the refund that it came with."""
        order = happening.order
        history = self.histories.setdefault(order.id, History())
        history.was_paid = history.was_paid or order.state == "paid"
        if happening.event == "edited":
            history.removed.update({one: -units for one, units in happening.units.items() if units < 0})
        if happening.event == "cancelled":
            history.cancelled_at = order.updated_at
        if happening.event not in ("cancelled", "refunded"):
            return None
        units = {one: -more for one, more in happening.units.items() if more < 0}
        is_cancel = happening.event == "cancelled"
        refund = Refund(next(self._numbers), units, happening.restocked, order.updated_at, is_cancel)
        history.refunds.append(refund)
        return refund

    # As nodes of the Admin API

    def node(self, asked: str) -> Node | None:
        kind, _, number = asked.removeprefix(PREFIX).partition("/")
        if kind == "InventoryItem" and number in self.items:
            return self.item(number)
        if kind == "Order" and number in self._selling().orders:
            return self.order(number)
        return self.location(number) if kind == "Location" and number in self.locations else None

    def item(self, number: str) -> Node:
        item = self.items[number]
        return {
            "__typename": "InventoryItem",
            "id": gid("InventoryItem", number),
            "legacyResourceId": number,
            "sku": item.sku,
            "tracked": item.tracked,
            "inventoryLevel": lambda _, locationId, **__: self._level_at(number, locationId),  # noqa: N803
            "inventoryLevels": lambda _, **page: connection(
                [
                    ((place,), self.level(number, place))
                    for place in sorted(self.locations)
                    if self.stocks(number, place)
                ],
                **page,
            ),
            "variants": lambda _, **page: connection([((item.variant,), self.variant(number))], **page),
        }

    def variant(self, number: str) -> Node:
        item = self.items[number]
        return {
            "__typename": "ProductVariant",
            "id": gid("ProductVariant", item.variant),
            "legacyResourceId": item.variant,
            "sku": item.sku,
            "barcode": item.barcode,
            "title": "Default Title",
            "displayName": f"{item.title} - Default Title",
            "inventoryItem": lambda _: self.item(number),
        }

    def location(self, number: str) -> Node:
        return {
            "__typename": "Location",
            "id": gid("Location", number),
            "legacyResourceId": number,
            "name": self.locations[number],
            "isActive": True,
            "inventoryLevels": lambda _, **page: connection(self._levels(number), **page),
            "inventoryLevel": lambda _, inventoryItemId, **__: self._level_of(number, inventoryItemId),  # noqa: N803
        }

    def by_name(self) -> list[str]:
        """The numbers of all locations."""
        return sorted(self.locations, key=lambda number: (self.locations[number], number))

    def stocks(self, number: str, location: str) -> bool:
        return listing_of(number, location) in self._selling().levels

    def level(self, number: str, location: str) -> Node:
        available = self._selling().levels[listing_of(number, location)]
        return {
            "__typename": "InventoryLevel",
            "id": level_gid(location, number),
            "isActive": True,
            "item": lambda _: self.item(number),
            "location": lambda _: self.location(location),
            "quantities": lambda _, names: [
                {"id": gid("InventoryQuantity", f"{number}?name={name}"), "name": name, "quantity": available}
                for name in names
                if name == "available"
            ],
        }

    def order(self, number: str) -> Node:
        order, history = self._selling().orders[number], self.histories[number]
        return {
            "__typename": "Order",
            "id": gid("Order", number),
            "legacyResourceId": number,
            "name": f"#{number}",
            "number": int(number),
            "createdAt": told(order.at),
            "processedAt": told(order.at),
            "updatedAt": told(order.updated_at),
            "cancelledAt": None if history.cancelled_at is None else told(history.cancelled_at),
            "displayFinancialStatus": financial_status(order, history),
            "edited": bool(history.removed),
            "test": False,
            "lineItems": lambda _, **page: connection(
                [((row,), self._line(order, one)) for row, one in enumerate(order.ordered)], **page
            ),
            "refunds": lambda _, first=None: [self._refund(order, one) for one in history.refunds[:first]],
        }

    def orders(self) -> list[Row]:
        """Oldest change first: Shopify tells whole seconds, and sorts by them."""
        orders = self._selling().orders.values()
        return sorted((((told(one.updated_at), int(one.id)), self.order(one.id)) for one in orders), key=by_key)

    def _line(self, order: Order, listing: str) -> Node:
        number, _ = split(listing)
        removed = self.histories[order.id].removed[listing]
        return {
            "__typename": "LineItem",
            "id": gid("LineItem", line_number(order, listing)),
            "quantity": order.ordered[listing] + removed,
            "currentQuantity": order.lines[listing],
            "sku": self.items[number].sku,
            "title": self.items[number].title,
            "variant": lambda _: self.variant(number),
        }

    def _refund(self, order: Order, refund: Refund) -> Node:
        return {
            "__typename": "Refund",
            "id": gid("Refund", refund.number),
            "createdAt": told(refund.at),
            "refundLineItems": lambda _, **page: connection(
                [
                    (
                        (row,),
                        {
                            "quantity": units,
                            "restocked": refund.restocked,
                            "restockType": restock_type(refund),
                            "lineItem": lambda _, listing=listing: self._line(order, listing),
                        },
                    )
                    for row, (listing, units) in enumerate(refund.units.items())
                ],
                **page,
            ),
        }

    def _levels(self, location: str) -> list[Row]:
        numbers = sorted(int(number) for number in self.items if self.stocks(number, location))
        return [((number,), self.level(str(number), location)) for number in numbers]

    def _level_at(self, number: str, location: str) -> Node | None:
        place = location.rpartition("/")[2]
        return self.level(number, place) if self.stocks(number, place) else None

    def _level_of(self, location: str, item: str) -> Node | None:
        number = item.rpartition("/")[2]
        return self.level(number, location) if self.stocks(number, location) else None


def listing_of(item: str, location: str) -> str:
    return item if location == MAIN else f"{item}@{location}"


def split(listing: str) -> tuple[str, str]:
    """The item's and the location's number."""
    item, _, location = listing.partition("@")
    return item, location or MAIN


def line_number(order: Order, listing: str) -> int:
    return LINES_FROM + int(order.id) * 100 + list(order.ordered).index(listing)


def restock_type(refund: Refund) -> str:
    if not refund.restocked:
        return "NO_RESTOCK"
    return "CANCEL" if refund.is_cancel else "RETURN"


def financial_status(order: Order, history: History) -> str:
    if not history.was_paid:
        return "VOIDED" if order.state == "cancelled" else UNPAID
    if not history.refunds:
        return PAID
    return "REFUNDED" if not any(order.lines.values()) else "PARTIALLY_REFUNDED"


def told(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def now() -> str:
    return told(time.time())
