"""One eBay account: quantities out in bulk, orders in by polls and by ORDER_CONFIRMATION.

No notice says that an order changed, was cancelled or refunded (https://developer.ebay.com/develop/api/buy/notification_events):
that is polled. eBay cannot compare and set: a raise waits for a poll.
"""

import asyncio
import contextlib
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import ClassVar
from urllib.parse import quote

from followers.marketplaces.adapter import NOTICES_URL, Adapter
from followers.marketplaces.ebay.answers import read, words, words_of
from followers.marketplaces.ebay.api import INVENTORY, ORDERS, QUOTAS, ROOT, Api, node_of
from followers.marketplaces.ebay.orders import EbayOrder, OrdersPage, order_of
from followers.marketplaces.ebay.receiving import TOPIC, Receiving
from followers.marketplaces.ebay.revisions import AT_ONCE, PACIFIC, wait_s
from followers.marketplaces.ebay.shapes import BulkUpdated, Item, Items, ItemsRead, Offer, Offers, Updated
from followers.marketplaces.ebay.signature import verification_token
from followers.marketplaces.ebay.subscribing import Subscribing
from followers.marketplaces.errors import SettingRefused
from followers.marketplaces.remote import QuotaSpent, Remote
from followers.marketplaces.terms import (
    Applied,
    Check,
    Listing,
    Listings,
    Notice,
    Order,
    Orders,
    Outcome,
    Quota,
    Received,
    Refused,
    Target,
    Throttled,
    Unknown,
)

ITEMS, FULFILLMENT = "/sell/inventory/v1", "/sell/fulfillment/v1"
BATCH = 25
ORDERS_PAGE = 200
ORDERS_OVERLAP = 20
"""Orders that are changed while pages are read move behind, and others up: pages overlap by so many."""
LATE_S, LATE_S_MAX = 120.0, 3600.0
"""eBay recommends to search so far behind: https://developer.ebay.com/support/knowledge-base/1788."""
FURTHEST = timedelta(days=729)
"""getOrders searches two years."""
OFFERS_KEPT = 100_000
LOOKUPS = 8
"""Offers are read one by one: so many at once for pushes, and for pages of all listings. What is urgent waits for none
of them."""
OFFER_GONE, NOT_REVISED, NOT_FOUND = 25713, 25019, 404


class Ebay(Adapter):
    """``remote`` of a listing is its sku: eBay's key of an inventory item, which order lines carry too."""

    settings: ClassVar[Mapping[str, str]] = {"client_id": "The App ID of your keyset at developer.ebay.com."}
    optional: ClassVar[Mapping[str, str]] = {
        "api_url": f"Where eBay answers: {ROOT}, unless this is https://api.sandbox.ebay.com.",
        "orders_late_s": f"Seconds that an order may take to be found; {LATE_S:.0f} if left out. Raises wait for it.",
        "alert_email": "Whom eBay tells when our address for notices is down; needed once before it sends any.",
    }
    credentials: ClassVar[Mapping[str, str]] = {
        "client_secret": "The Cert ID of the keyset.",
        "refresh_token": "The seller's, with sell.inventory, sell.fulfillment and commerce.notification.subscription.",
    }
    quotas: ClassVar[Sequence[Quota]] = QUOTAS
    batch: ClassVar[int] = BATCH
    days: ClassVar[timezone] = PACIFIC

    def __init__(self, settings: Mapping[str, str], credentials: Mapping[str, str], remote: Remote) -> None:
        root = settings.get("api_url", ROOT).rstrip("/")
        if not root.startswith(("https://", "http://")):
            raise SettingRefused("api_url", f"is no address: take {ROOT}, or https://api.sandbox.ebay.com")
        self._late = _late(settings.get("orders_late_s", str(LATE_S)))
        self._remote = remote
        secret = credentials["client_secret"]
        self._api = Api(remote, root, settings["client_id"], secret, credentials["refresh_token"])
        self._verification_token = verification_token(secret)
        self._receiving = Receiving(remote, self._api, self._verification_token)
        self._alert_email = settings.get("alert_email", "")
        self._notices_url = settings.get(NOTICES_URL, "")
        self._lookups = {spare: asyncio.Semaphore(LOOKUPS) for spare in (False, True)}
        self._offers: dict[str, tuple[str, ...]] = {}

    # What goes out

    async def push(self, targets: Sequence[Target]) -> Sequence[Outcome]:
        waits = {one.remote: wait_s(one.sent_today, one.day_left_s, urgent=one.is_urgent) for one in targets}
        going = [one for one in targets if not waits[one.remote]]
        try:
            done = await self._set(going) if going else {}
        except QuotaSpent as spent:
            return [Throttled(max(spent.after_s, waits[one.remote])) for one in targets]
        return [_later(waits[one.remote]) if waits[one.remote] else done[one.remote] for one in targets]

    async def _set(self, targets: Sequence[Target]) -> Mapping[str, Outcome]:
        offers = await asyncio.gather(*(self._offers_of(one.remote, one.is_urgent) for one in targets))
        nodes = [node_of(one.remote, one.quantity, ids) for one, ids in zip(targets, offers, strict=True)]
        answer = await self._api.ask(
            "POST",
            f"{ITEMS}/bulk_update_price_quantity",
            quota=INVENTORY,
            body={"requests": nodes},
            urgent=any(one.is_urgent for one in targets),
            changes=True,
        )
        if answer.status not in (200, 207):
            return {one.remote: Refused(words_of(answer) or f"eBay answers {answer.status}") for one in targets}
        by_sku: dict[str, list[Updated]] = defaultdict(list)
        skus = {offer: one.remote for one, ids in zip(targets, offers, strict=True) for offer in ids}
        for updated in read(answer, BulkUpdated).responses:
            by_sku[updated.sku or skus.get(updated.offer_id, "")].append(updated)
        return {one.remote: self._outcome(one, by_sku[one.remote]) for one in targets}

    def _outcome(self, target: Target, updated: Sequence[Updated]) -> Outcome:
        errors = [error for one in updated if not 200 <= one.status_code < 300 for error in one.errors]
        said = words(errors)
        if updated and all(200 <= one.status_code < 300 for one in updated):
            return Applied()
        self._offers.pop(target.remote, None)
        if not errors or any(one.category == "APPLICATION" or one.error_id == OFFER_GONE for one in errors):
            return Unknown(said or "eBay does not say what came of it")
        if target.sent_today >= AT_ONCE and any(one.error_id == NOT_REVISED for one in errors):
            return _later(target.day_left_s)
        return Refused(said)

    async def _offers_of(self, sku: str, urgent: bool) -> tuple[str, ...]:
        """Their ids are kept: they stay those of a sku until it is listed anew."""
        if sku not in self._offers:
            found = tuple(one.offer_id for one in await self._offers_at(sku, urgent=urgent) if one.is_ours_to_set)
            if len(self._offers) >= OFFERS_KEPT:
                self._offers.clear()
            if not found:
                return ()
            self._offers[sku] = found
        return self._offers[sku]

    async def _offers_at(self, sku: str, *, urgent: bool = False, spare: bool = False) -> Sequence[Offer]:
        path = f"{ITEMS}/offer?sku={quote(sku, safe='')}"
        async with contextlib.nullcontext() if urgent else self._lookups[spare]:
            answer = await self._api.ask("GET", path, quota=INVENTORY, urgent=urgent, spare=spare)
        return () if answer.status in (400, NOT_FOUND) else read(answer, Offers).offers

    # What stands there

    async def levels(self, cursor: str | None) -> Listings:
        page = int(cursor or 0)
        path = f"{ITEMS}/inventory_item?limit={BATCH}&offset={page}"
        found = read(await self._api.ask("GET", path, quota=INVENTORY, spare=True), Items)
        listings = await asyncio.gather(*(self._listing(one, spare=True) for one in found.inventory_items))
        return Listings(listings, str(page + 1) if found.next else None)

    async def read(self, remotes: Sequence[str]) -> Sequence[Listing]:
        body = {"requests": [{"sku": one} for one in remotes]}
        answer = await self._api.ask("POST", f"{ITEMS}/bulk_get_inventory_item", quota=INVENTORY, body=body)
        found = [one.inventory_item for one in read(answer, ItemsRead).responses]
        return await asyncio.gather(*(self._listing(one) for one in found if one is not None))

    async def _listing(self, item: Item, *, spare: bool = False) -> Listing:
        """What is for sale is the smaller of what item and offers say."""
        offers = await self._offers_at(item.sku, spare=spare)
        offered = [one.available_quantity for one in offers if one.is_ours_to_set]
        in_all = item.availability.ship_to_location_availability.quantity
        counted = [one for one in (in_all, *offered) if one is not None]
        codes = (*item.product.ean, *item.product.upc, *item.product.isbn)
        barcode = codes[0] if codes else ""
        return Listing(item.sku, min(counted, default=None), item.sku, barcode, item.product.title)

    # Orders

    async def orders(self, since: datetime, cursor: str | None) -> Orders:
        """``cursor``: how many came before, and when the first page was asked for."""
        now = self._remote.now()
        offset, _, first = (cursor or "").partition("@")
        asked_at = datetime.fromisoformat(first) if first else now
        start = max(min(since, now - self._late), now - FURTHEST)
        path = f"{FULFILLMENT}/order?filter=lastmodifieddate:%5B{_written(start)}..%5D&limit={ORDERS_PAGE}"
        answer = await self._api.ask("GET", f"{path}&offset={int(offset or 0)}", quota=ORDERS, urgent=True)
        page = read(answer, OrdersPage)
        changed = [one for one in map(order_of, page.orders) if one.updated_at >= since]
        found = sorted(changed, key=lambda one: one.updated_at)
        following = int(offset or 0) + ORDERS_PAGE - ORDERS_OVERLAP
        return Orders(found, f"{following}@{asked_at.isoformat()}" if page.next else None, asked_at - self._late)

    async def order(self, identifier: str) -> Order | None:
        path = f"{FULFILLMENT}/order/{quote(identifier, safe='')}"
        answer = await self._api.ask("GET", path, quota=ORDERS, urgent=True)
        return None if answer.status in (400, NOT_FOUND) else order_of(read(answer, EbayOrder))

    async def receive(self, notice: Notice) -> Received:
        if (code := notice.query.get("challenge_code")) is not None:
            return self._receiving.challenged(code, self._notices_url)
        return await self._receiving.told(notice)

    async def check(self, notices_url: str | None) -> Check:
        """Also feeds the quotas with what eBay counts."""
        read(await self._api.ask("GET", f"{ITEMS}/inventory_item?limit=1", quota=INVENTORY, urgent=True), Items)
        findings = await self._api.feed()
        if notices_url is not None:
            self._notices_url = notices_url
            subscribing = Subscribing(self._api, self._alert_email, self._verification_token)
            findings += await subscribing.make(notices_url, TOPIC)
        return Check(findings)


def _late(seconds: str) -> timedelta:
    try:
        found = float(seconds)
    except ValueError:
        found = math.nan
    if not 0 <= found <= LATE_S_MAX:
        raise SettingRefused("orders_late_s", f"must be seconds, 0 to {LATE_S_MAX:.0f}")
    return timedelta(seconds=found)


def _later(seconds: float) -> Throttled:
    """Of one listing: its revisions of the day are what is short."""
    return Throttled(seconds, alone=True)


def _written(at: datetime) -> str:
    """As eBay writes dates."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
