"""Listings as Amazon has them: what was submitted, when it is applied, and how they are looked at and looked for."""

import math
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import QueryParams

from tests.channels.amazon.refusal import Refusal
from tests.channels.shared.selling import Selling

SELLER, MARKETPLACE = "A1SELLER00000", "ATVPDKIKX0DER"
OWN, AMAZONS = "DEFAULT", "AMAZON_NA"
"""Who fulfils: the seller, or Amazon, which then keeps its own count."""
AVAILABILITY = "/attributes/fulfillment_availability"
OPERATIONS = ("add", "replace", "merge", "delete")
DATA = (
    "summaries",
    "attributes",
    "issues",
    "offers",
    "fulfillmentAvailability",
    "procurement",
    "relationships",
    "productTypes",
)
PAGE_DEFAULT, PAGE_MAX, IDENTIFIERS_MAX, FOUND_MAX = 10, 20, 20, 1000
CREATED = (("createdAfter", -math.inf), ("createdBefore", math.inf))
SORTED: Mapping[str, Callable[["Listing"], Any]] = {
    "sku": lambda one: one.sku,
    "createdDate": lambda one: (one.created_at, one.sku),
    "lastUpdatedDate": lambda one: (one.updated_at, one.sku),
}

Issue = dict[str, Any]
Later = Callable[[Callable[[], None]], None]
"""Does it when what was accepted is applied."""


@dataclass(slots=True)
class Listing:
    """``refuses``: why each submission is INVALID. ``fails``: why what was accepted is not applied later.
    ``forbidden``: each is a 403."""

    sku: str
    title: str
    asin: str
    barcode: str
    channel: str
    created_at: float
    updated_at: float
    refuses: str = ""
    fails: str = ""
    forbidden: bool = False
    availability: dict[str, Any] = field(default_factory=dict)
    """What was submitted beside the quantity: lead times, dates."""
    issues: list[Issue] = field(default_factory=list)


class Catalogue:
    def __init__(self, selling: Selling, later: Later) -> None:
        self.listings: dict[str, Listing] = {}
        self._selling = selling
        self._later = later
        self._pages: dict[str, tuple[str, int]] = {}
        """Tokens: of which search, and from which listing on."""

    def offer(self, product: Mapping[str, Any]) -> None:
        now = time.time()
        sku, channel = product["id"], product.get("channel", OWN)
        self.listings[sku] = Listing(
            sku,
            product["title"],
            f"B0{len(self.listings):08d}",
            product.get("barcode", ""),
            channel,
            product.get("created_at", now),
            now,
            product.get("refuses", ""),
            product.get("fails", ""),
            product.get("forbidden", False),
            dict(product.get("availability", {})),
        )
        if channel == OWN:
            self._selling.offer(sku, product["quantity"])

    # Submissions

    def patch(self, sku: str, product_type: object, patches: object, *, preview: bool = False) -> list[Issue]:
        """What is wrong with them, in Amazon's words; nothing: they are accepted. Raises Refusal if they are none."""
        check_patches(product_type, patches)
        assert isinstance(patches, list)
        listing = self.listings.get(sku)
        if listing is None:
            return []  # rule patch.unknown
        if listing.forbidden:
            raise Refusal("sku.forbidden", "Unauthorized")
        issues = [issue for one in patches for issue in self._issues(listing, one)]
        if not issues and not preview:
            for one in patches:
                self._later(lambda one=one: self.apply(sku, one))  # type: ignore[misc]  # a lambda's default
        return issues

    def _issues(self, listing: Listing, patch: Mapping[str, Any]) -> list[Issue]:
        if listing.refuses:
            return [issue("90244", listing.refuses, rule="patch.refused")]
        if patch["path"] != AVAILABILITY or patch["op"] == "delete":
            return []
        return [found for value in patch.get("value", [{}]) for found in _availability_issues(listing, value)]

    def apply(self, sku: str, patch: Mapping[str, Any]) -> None:
        listing = self.listings.get(sku)
        if listing is None or patch["path"] != AVAILABILITY or patch["op"] == "delete":
            return
        listing.updated_at = time.time()
        listing.issues = [issue("90057", listing.fails)] if listing.fails else []
        if listing.fails:
            return
        for value in patch["value"]:
            told = {name: what for name, what in value.items() if name not in ("fulfillment_channel_code", "quantity")}
            listing.availability = {**listing.availability, **told} if patch["op"] == "merge" else told
            if "quantity" in value:
                self._selling.set(sku, value["quantity"])

    # Looking

    def item(self, sku: str, included: Sequence[str]) -> dict[str, Any]:
        listing = self.listings.get(sku)
        if listing is None:
            raise Refusal("sku.unknown", "NOT_FOUND", f"SKU '{sku}' not found in marketplace {MARKETPLACE}")
        return {"sku": sku, **{name: self._data(listing, name) for name in included}}

    def _data(self, listing: Listing, name: str) -> object:
        match name:
            case "summaries":
                return [self._summary(listing)]
            case "fulfillmentAvailability":
                return [self._availability(listing)]
            case "issues":
                return listing.issues
            case "attributes":
                own = {"fulfillment_channel_code": listing.channel, **listing.availability}
                barcode = {"type": "ean", "value": listing.barcode, "marketplace_id": MARKETPLACE}
                found = {"externally_assigned_product_identifier": [barcode]} if listing.barcode else {}
                return {"fulfillment_availability": [own], **found}
            case _:
                return []

    def _summary(self, listing: Listing) -> dict[str, Any]:
        return {
            "marketplaceId": MARKETPLACE,
            "asin": listing.asin,
            "productType": "PRODUCT",
            "status": ["BUYABLE"] if self._selling.levels.get(listing.sku) else [],
            "itemName": listing.title,
            "createdDate": iso(listing.created_at),
            "lastUpdatedDate": iso(listing.updated_at),
        }

    def _availability(self, listing: Listing) -> dict[str, Any]:
        if listing.channel != OWN:
            return {"fulfillmentChannelCode": listing.channel}
        return {"fulfillmentChannelCode": OWN, "quantity": self._selling.levels[listing.sku]}

    def search(self, query: QueryParams) -> dict[str, Any]:
        size = whole(query, "pageSize", PAGE_DEFAULT, PAGE_MAX, "search.page")
        found = sorted(self._found(query), key=self._order(query), reverse=query.get("sortOrder", "DESC") == "DESC")
        found = found[:FOUND_MAX]
        search = str(sorted(pair for pair in query.multi_items() if pair[0] != "pageToken"))
        begin = self._begin(query.get("pageToken"), search)
        pagination = {}
        if begin + size < len(found):
            pagination["nextToken"] = secrets.token_urlsafe(24)
            self._pages[pagination["nextToken"]] = (search, begin + size)
        included = included_in(query, "summaries")
        items = [self.item(one.sku, included) for one in found[begin : begin + size]]
        return {"numberOfResults": len(found), "pagination": pagination, "items": items}

    def _found(self, query: QueryParams) -> list[Listing]:
        listings = [*self.listings.values()]
        if "identifiers" in query or "identifiersType" in query:
            identifiers = query.get("identifiers", "").split(",")
            if query.get("identifiersType") != "SKU" or not 1 <= len(identifiers) <= IDENTIFIERS_MAX:
                raise Refusal("search.identifiers", details=f"{len(identifiers)} identifiers")
            listings = [self.listings[sku] for sku in dict.fromkeys(identifiers) if sku in self.listings]
        after, before = (
            time_of(query[name], "search.parameters") if name in query else default for name, default in CREATED
        )
        return [one for one in listings if after <= one.created_at <= before]

    def _order(self, query: QueryParams) -> Callable[[Listing], Any]:
        by, order = query.get("sortBy", "lastUpdatedDate"), query.get("sortOrder", "DESC")
        if by not in SORTED or order not in ("ASC", "DESC"):
            raise Refusal("search.parameters", details=f"sortBy {by}, sortOrder {order}")
        return SORTED[by]

    def _begin(self, token: str | None, search: str) -> int:
        if token is None:
            return 0
        of, begin = self._pages.get(token, ("", 0))
        if of != search:
            raise Refusal("search.parameters", details="pageToken")
        return begin


def _bound(query: QueryParams, name: str, far: float) -> float:
    return time_of(query[name], "search.parameters") if name in query else far


def check_patches(product_type: object, patches: object) -> None:
    """Raises Refusal if this is not what a patch is made of."""
    if not isinstance(product_type, str) or not product_type or not isinstance(patches, list) or not patches:
        raise Refusal("patch.body")
    for one in patches:
        if not isinstance(one, dict) or one.get("op") not in OPERATIONS or not isinstance(one.get("path"), str):
            raise Refusal("patch.body")
        if not one["path"].startswith("/attributes/") or "/" in one["path"].removeprefix("/attributes/"):
            raise Refusal("patch.path", details=one["path"])
        value = one.get("value", [])
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise Refusal("patch.body")
        if one["op"] != "delete" and not value:
            raise Refusal("patch.body")


def _availability_issues(listing: Listing, value: Mapping[str, Any]) -> list[Issue]:
    channel, quantity = value.get("fulfillment_channel_code"), value.get("quantity", 0)
    if not channel:
        return [
            issue(
                "99022",
                "The field 'fulfillment_channel_code' for the attribute 'fulfillment_availability' does not have enough"
                " values. The required minimum is '1' value(s).",
                rule="patch.selector",
            )
        ]
    if channel != OWN or listing.channel != OWN:
        return [issue("90057", f"'{channel}' is not a channel that this seller may change", rule="patch.channel")]
    if not isinstance(quantity, int) or isinstance(quantity, bool) or quantity < 0:
        return [issue("99022", f"'{quantity}' is not a valid quantity", rule="patch.quantity")]
    return []


def issue(code: str, message: str, *, rule: str = "") -> Issue:
    """``rule``: that was broken; whoever answers counts it, and tells the rest."""
    return {"code": code, "message": message, "severity": "ERROR", "categories": ["INVALID_ATTRIBUTE"], "rule": rule}


def included_in(query: QueryParams, default: str) -> list[str]:
    included = query.get("includedData", default).split(",")
    if not set(included) <= set(DATA):
        raise Refusal("search.parameters", details=f"includedData {included}")
    return included


def whole(query: QueryParams, name: str, default: int, largest: int, rule: str) -> int:
    text = query.get(name, str(default))
    if not text.isdecimal() or not 1 <= int(text) <= largest:
        raise Refusal(rule, details=f"{name} {text}")
    return int(text)


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def time_of(text: str, rule: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise Refusal(rule, details=text) from None
