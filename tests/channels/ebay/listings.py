"""The seller's inventory items, their offers, and what of it each listing shows: the smaller quantity of both."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.channels.shared.selling import Selling

REVISIONS_A_DAY = 250


@dataclass(slots=True)
class Listing:
    """One inventory item with its one offer; an unpublished offer has no listing. ``revised``: times, on ``day``."""

    sku: str
    title: str
    barcode: str | None
    offer_id: str
    listing_id: str
    item_quantity: int
    offer_quantity: int
    published: bool
    day: int = 0
    revised: int = field(default=0)

    @property
    def shown(self) -> int:
        return min(self.item_quantity, self.offer_quantity)

    def set(self, quantity: int) -> None:
        self.item_quantity = self.offer_quantity = quantity

    def sold(self, units: int) -> None:
        self.item_quantity = max(0, self.item_quantity - units)
        self.offer_quantity = max(0, self.offer_quantity - units)


class Listings:
    """``selling`` knows them by sku, with what each shows. ``day()``: which one of quotas it is."""

    def __init__(self, selling: Selling, day: Callable[[], int]) -> None:
        self._selling = selling
        self._day = day
        self._by_sku: dict[str, Listing] = {}
        self._by_offer: dict[str, Listing] = {}
        self._numbers = itertools.count(1)

    def __iter__(self) -> Iterator[Listing]:
        """In the order in which they were made."""
        return iter(self._by_sku.values())

    def __len__(self) -> int:
        return len(self._by_sku)

    def of_sku(self, sku: object) -> Listing | None:
        return self._by_sku.get(sku) if isinstance(sku, str) else None

    def of_offer(self, offer_id: object) -> Listing | None:
        return self._by_offer.get(offer_id) if isinstance(offer_id, str) else None

    def add(self, product: Mapping[str, Any]) -> None:
        """``id`` (the sku), ``title``, ``quantity``, perhaps ``barcode``, ``offer_quantity``, ``published``.

        One of a sku that is there is listed anew: its offer has another id.
        """
        number, quantity = next(self._numbers), product["quantity"]
        listing = Listing(
            product["id"],
            product["title"],
            product.get("barcode"),
            f"{8_000_000_000 + number}",
            f"{110_000_000_000 + number}",
            quantity,
            product.get("offer_quantity", quantity),
            product.get("published", True),
        )
        if (before := self._by_sku.pop(listing.sku, None)) is not None:
            del self._by_offer[before.offer_id]
        self._by_sku[listing.sku] = self._by_offer[listing.offer_id] = listing
        self._selling.offer(listing.sku, listing.shown)

    def revisable(self, listing: Listing) -> bool:
        """Whether the day leaves it another revision."""
        if listing.day != self._day():
            listing.day, listing.revised = self._day(), 0
        return listing.revised < REVISIONS_A_DAY

    def revise(self, listing: Listing, item_quantity: int | None, offer_quantity: int | None) -> None:
        """From outside, by the API. None: as it is."""
        listing.revised += listing.published
        listing.item_quantity = listing.item_quantity if item_quantity is None else item_quantity
        listing.offer_quantity = listing.offer_quantity if offer_quantity is None else offer_quantity
        self._selling.set(listing.sku, listing.shown)

    def follow(self, sku: str) -> None:
        """What ``selling`` moved: a sale, a return, or somebody's hand there."""
        listing, move = self._by_sku[sku], self._selling.moved[-1]
        if move.cause == "by_hand":
            listing.set(move.after)
        elif move.cause in ("sold", "returned"):
            listing.sold(move.before - move.after)
