"""Sell Inventory API 1.18: prices and quantities in bulk, inventory items and offers read by pages.

https://developer.ebay.com/api-docs/master/sell/inventory/openapi/3/sell_inventory_v1_oas3.yaml
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tests.channels.ebay.errors import Refused, error
from tests.channels.ebay.listings import REVISIONS_A_DAY, Listing, Listings
from tests.channels.ebay.pages import Outcome

ROOT = "/sell/inventory/v1"
MOST = 25
PAGE, PAGE_MAX = 25, 200
OFFERS_PAGE = 100
SKU_CHARACTERS_MAX = 50
MARKETPLACE = "EBAY_US"
PRICE = {"value": "10.00", "currency": "USD"}
Broke = Callable[[str], object]
Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Node:
    """What is asked for one sku. ``errors``: why nothing of it happens."""

    sku: str | None
    offers: list[str]
    errors: list[dict[str, Any]]
    apply: Callable[[], None] | None = None


class Inventory:
    """``out_of_stock_control``: whether the account lets published offers go to 0. ``broke(rule)`` counts.

    ``later(change)`` makes a change, at once or after a while.
    """

    def __init__(
        self, listings: Listings, broke: Broke, later: Callable[[Callable[[], None]], None], out_of_stock_control: bool
    ) -> None:
        self._listings = listings
        self._broke = broke
        self._later = later
        self._zero = out_of_stock_control

    def bulk_update(self, body: Body) -> Outcome:
        nodes = [self._node(one) for one in _requests(body, "bulk.most", 25709)]
        for node in nodes:
            if node.apply is not None:
                self._later(node.apply)
        outcomes = [one for node in nodes for one in _outcomes(node)]
        failed = any(one["statusCode"] != 200 for one in outcomes)
        return Outcome(207 if failed else 200, {"responses": outcomes})

    def bulk_get(self, body: Body) -> Outcome:
        asked = [one.get("sku") for one in _requests(body, "items.most", 25727)]
        if len(set(asked)) < len(asked):
            raise Refused(400, 25734, "items.twice")
        found = [(sku, self._listings.of_sku(sku)) for sku in asked]
        responses: list[dict[str, Any]] = [
            {"sku": sku, "statusCode": 404, "errors": [error(25702, str(sku))]}
            if one is None
            else {"sku": sku, "statusCode": 200, "inventoryItem": _item(one)}
            for sku, one in found
        ]
        return Outcome(207 if any(one is None for _, one in found) else 200, {"responses": responses})

    def items(self, query: Mapping[str, str]) -> Outcome:
        limit, page = _page(query, PAGE, PAGE_MAX)
        every = list(self._listings)
        shown = every[page * limit : (page + 1) * limit]
        pages = -(-len(every) // limit)
        body = {"total": len(every), "size": pages, "limit": limit, "inventoryItems": [_item(one) for one in shown]}
        return Outcome(200, {**body, **_links(f"{ROOT}/inventory_item", limit, page, page + 1 < pages)})

    def item(self, sku: str) -> Outcome:
        listing = self._listings.of_sku(sku)
        if listing is None:
            raise Refused(404, 25710, "items.unknown", sku)
        return Outcome(200, _item(listing))

    def offers(self, query: Mapping[str, str]) -> Outcome:
        sku = query.get("sku", "")
        if not 0 < len(sku) <= SKU_CHARACTERS_MAX:
            raise Refused(400, 25707, "offers.sku", parameters={"sku": sku})
        limit, page = _page(query, OFFERS_PAGE, PAGE_MAX)
        listing = self._listings.of_sku(sku)
        if listing is None:
            raise Refused(404, 25713, "offers.none", sku)
        shown = [_offer(listing)][page * limit : (page + 1) * limit]
        links = _links(f"{ROOT}/offer?sku={quote(sku)}", limit, page, another=False)
        return Outcome(200, {"total": 1, "size": len(shown), "limit": limit, "offers": shown, **links})

    def offer(self, offer_id: str) -> Outcome:
        listing = self._listings.of_offer(offer_id)
        if listing is None:
            raise Refused(404, 25713, "offers.none", offer_id)
        return Outcome(200, _offer(listing))

    def _node(self, asked: Body) -> _Node:
        """Whole or nothing: ``assumed.whole_node``."""
        sku, offers = asked.get("sku"), asked.get("offers") or []
        quantity = (asked.get("shipToLocationAvailability") or {}).get("quantity")
        named = [str(one.get("offerId")) for one in offers]
        listing = (
            self._listings.of_sku(sku) if sku is not None else self._listings.of_offer(named[0] if named else None)
        )
        wrong = self._wrong(asked, listing, quantity, offers)
        if wrong or listing is None:
            return _Node(sku, named, wrong)
        available = offers[0].get("availableQuantity") if offers else None
        return _Node(sku, named, [], lambda: self._listings.revise(listing, quantity, available))

    def _wrong(
        self, asked: Body, listing: Listing | None, quantity: object, offers: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        named = [one.get("offerId") for one in offers]
        if quantity is not None and asked.get("sku") is None:
            return [self._error("bulk.sku", 25709, "sku is missing", {"fieldName": "sku"})]
        if len(offers) > MOST:
            return [self._error("bulk.offers", 25709, f"at most {MOST} offers", {"fieldName": "offers"})]
        if len(set(named)) < len(named):
            return [self._error("bulk.twice", 25002, "an offerId is named twice")]
        if listing is None:
            rule, number = ("bulk.offer", 25713) if asked.get("sku") is None else ("bulk.sku", 25702)
            return [self._error(rule, number, str(asked.get("sku") or named))]
        for offer in offers:
            of_offer = self._listings.of_offer(offer.get("offerId"))
            if of_offer is None or not of_offer.published:
                return [self._error("bulk.offer", 25713, str(offer.get("offerId")))]
            if of_offer is not listing:
                return [self._error("bulk.of_sku", 25002, f"offer {offer['offerId']} is of another SKU")]
        available = [one["availableQuantity"] for one in offers if "availableQuantity" in one]
        return self._wrong_quantity(listing, quantity, available)

    def _wrong_quantity(self, listing: Listing, quantity: object, available: list[object]) -> list[dict[str, Any]]:
        given = [one for one in (quantity, *available) if one is not None]
        if not all(type(one) is int and one >= 0 for one in given):
            return [self._error("bulk.quantity", 25709, f"{given}", {"fieldName": "quantity"})]
        if 0 in given and listing.published and not self._zero:
            return [self._error("bulk.zero", 25004, "The quantity must be a valid number greater than 0.")]
        if listing.published and not self._listings.revisable(listing):
            said = f"The listing {listing.listing_id} was revised {REVISIONS_A_DAY} times today."
            return [self._error("revisions", 25019, said, {"listingId": listing.listing_id})]
        return []

    def _error(
        self, rule: str, number: int, detail: str, parameters: Mapping[str, object] | None = None
    ) -> dict[str, Any]:
        self._broke(rule)
        return error(number, detail, parameters)


def _requests(body: Body, rule: str, error_id: int) -> list[dict[str, Any]]:
    requests = body.get("requests")
    if not isinstance(requests, list) or not requests or not all(isinstance(one, dict) for one in requests):
        raise Refused(400, 25709, "json", "requests", {"fieldName": "requests"})
    if len(requests) > MOST:
        raise Refused(400, error_id, rule, f"at most {MOST}, not {len(requests)}", {"fieldName": "requests"})
    return requests


def _outcomes(node: _Node) -> list[dict[str, Any]]:
    """One for each offer, or for the sku where no offer is named."""
    status = 400 if node.errors else 200
    said = {"statusCode": status, "errors": node.errors} if node.errors else {"statusCode": status}
    sku = {} if node.sku is None else {"sku": node.sku}
    return [{**sku, "offerId": one, **said} for one in node.offers] or [{**sku, **said}]


def _page(query: Mapping[str, str], default: int, most: int) -> tuple[int, int]:
    """The limit, and the page: eBay counts ``offset`` in pages here."""
    limit, offset = query.get("limit", str(default)), query.get("offset", "0")
    if not (limit.isdecimal() and 1 <= int(limit) <= most and offset.isdecimal()):
        raise Refused(400, 25709, "items.limit", f"limit {limit}, offset {offset}", {"fieldName": "limit"})
    return int(limit), int(offset)


def _links(path: str, limit: int, page: int, another: bool) -> dict[str, str]:
    joined = f"{path}{'&' if '?' in path else '?'}limit={limit}&offset="
    links = {"href": f"{joined}{page}"}
    if another:
        links["next"] = f"{joined}{page + 1}"
    if page:
        links["prev"] = f"{joined}{page - 1}"
    return links


def _item(listing: Listing) -> dict[str, Any]:
    codes = {} if listing.barcode is None else {"ean": [listing.barcode]}
    return {
        "sku": listing.sku,
        "locale": "en_US",
        "condition": "NEW",
        "product": {"title": listing.title, **codes},
        "availability": {"shipToLocationAvailability": {"quantity": listing.item_quantity}},
    }


def _offer(listing: Listing) -> dict[str, Any]:
    offer: dict[str, Any] = {
        "offerId": listing.offer_id,
        "sku": listing.sku,
        "marketplaceId": MARKETPLACE,
        "format": "FIXED_PRICE",
        "availableQuantity": listing.offer_quantity,
        "pricingSummary": {"price": PRICE},
        "status": "PUBLISHED" if listing.published else "UNPUBLISHED",
    }
    if listing.published:
        status = "ACTIVE" if listing.shown else "OUT_OF_STOCK"
        offer["listing"] = {"listingId": listing.listing_id, "listingStatus": status}
    return offer
