"""What a seller offers in a marketplace, as Amazon has it now: all of it page by page, or some of it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from followers.marketplaces.adapter import Listing, Listings, RemoteAway
from followers.marketplaces.amazon.access import Access, fields, understood, words_of
from followers.marketplaces.amazon.listings import PAGE, SHOWN, NotPageable, Place, shown

ITEMS = "/listings/2021-08-01/items"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All raise RemoteAway."""

    access: Access
    seller: str
    marketplace: str

    def path(self, sku: str) -> str:
        return f"{self._path}/{quote(sku, safe='')}"

    async def page(self, cursor: str | None) -> Listings:
        place = Place.of(cursor)
        told = await self._search(place.query, spare=True)
        try:
            with understood():
                following = place.next(told["items"], (told.get("pagination") or {}).get("nextToken"))
                return Listings(place.new(told["items"]), following.cursor if following else None)
        except NotPageable as error:
            raise RemoteAway(str(error)) from None

    async def some(self, skus: Sequence[str], *, urgent: bool = False) -> Sequence[Listing]:
        """At most a page of them; what is missing there is left out. A search may not know yet what was made just now,
        and a comma parts a sku in two for it: such a one is asked for by itself.
        https://developer-docs.amazon.com/sp-api/docs/search-for-listings-items-by-id"""
        found: list[Listing] = []
        if together := [one for one in skus if "," not in one]:
            query = {"identifiersType": "SKU", "identifiers": ",".join(together), "pageSize": str(PAGE), **SHOWN}
            told = await self._search(query, urgent=urgent)
            with understood():
                found += map(shown, told["items"])
        left = {*skus} - {one.remote for one in found}
        alone = await asyncio.gather(*(self._one(one, urgent=urgent) for one in left))
        return [*found, *(one for one in alone if one is not None)]

    async def refusal(self) -> str | None:
        """Why nothing of it can be read, in Amazon's words; None: it can."""
        query = {"marketplaceIds": self.marketplace, "pageSize": "1"}
        answer = await self.access.ask("GET", self._path, "search", query)
        return None if answer.status == 200 else words_of(answer)

    @property
    def _path(self) -> str:
        return f"{ITEMS}/{quote(self.seller, safe='')}"

    async def _search(self, query: Mapping[str, str], *, urgent: bool = False, spare: bool = False) -> dict[str, Any]:
        asked = {"marketplaceIds": self.marketplace, **query}
        return fields(await self.access.ask("GET", self._path, "search", asked, urgent=urgent, spare=spare))

    async def _one(self, sku: str, *, urgent: bool) -> Listing | None:
        query = {"marketplaceIds": self.marketplace, **SHOWN}
        answer = await self.access.ask("GET", self.path(sku), "read", query, urgent=urgent)
        with understood():
            return None if answer.status == 404 else shown(fields(answer))
