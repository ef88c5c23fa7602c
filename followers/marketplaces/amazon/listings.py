"""Listings as Amazon shows them, and how all of them are paged through. Pure.

No search goes past 1,000 listings: they are searched by the time at which they were made, and where one search ends,
the next one begins. https://developer-docs.amazon.com/sp-api/docs/search-for-listings-items-by-id
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from followers.marketplaces.terms import Listing

OWN = "DEFAULT"
"""The fulfilment channel of what the seller ships."""
PAGE, WINDOW = 20, 1_000
SHOWN = {"includedData": "summaries,fulfillmentAvailability"}


class NotPageable(Exception):
    """More than a search shows were made at the same moment."""


def shown(item: Mapping[str, Any]) -> Listing:
    """What Amazon fulfils has no count of ours. Raises KeyError or TypeError for what is no item."""
    own = [one for one in item.get("fulfillmentAvailability") or [] if one["fulfillmentChannelCode"] == OWN]
    title = str((item.get("summaries") or [{}])[0].get("itemName") or "")
    return Listing(item["sku"], own[0].get("quantity") or 0 if own else None, sku=item["sku"], title=title)


@dataclass(frozen=True, slots=True)
class Place:
    """Between two pages. ``after``: when the search begins; ``seen``: of it, how many listings. ``known``: skus made
    right then that the search before has shown. ``last``: when the newest so far was made, ``tail``: all made then."""

    after: str = ""
    next_page: str = ""
    seen: int = 0
    known: Sequence[str] = ()
    last: str = ""
    tail: Sequence[str] = ()

    @classmethod
    def of(cls, cursor: str | None) -> "Place":
        return cls(*orjson.loads(cursor)) if cursor else cls()

    @property
    def cursor(self) -> str:
        return orjson.dumps([self.after, self.next_page, self.seen, self.known, self.last, self.tail]).decode()

    @property
    def query(self) -> dict[str, str]:
        query = {"sortBy": "createdDate", "sortOrder": "ASC", "pageSize": str(PAGE), **SHOWN}
        query |= {"createdAfter": self.after} if self.after else {}
        return query | ({"pageToken": self.next_page} if self.next_page else {})

    def new(self, items: Sequence[Mapping[str, Any]]) -> list[Listing]:
        return [shown(one) for one in items if one["sku"] not in self.known]

    def next(self, items: Sequence[Mapping[str, Any]], token: str | None) -> "Place | None":
        """None behind the last page. Raises NotPageable."""
        seen = self.seen + len(items)
        if not items or (not token and seen < WINDOW):
            return None
        last = _made(items[-1])
        tail = [*(self.tail if last == self.last else ()), *(one["sku"] for one in items if _made(one) == last)]
        if token:
            return Place(self.after, token, seen, self.known, last, tail)
        if last == self.after:
            raise NotPageable(f"has {WINDOW} listings or more that were made at {last}: they cannot be paged through")
        return Place(last, known=tail)


def _made(item: Mapping[str, Any]) -> str:
    return str(item["summaries"][0]["createdDate"])
