"""One seller in one of Amazon's marketplaces: what the seller fulfils itself.

Amazon takes a quantity (ACCEPTED) and applies it later, or not at all: everything is read back. It takes one for a sku
that is not there as well, so it is looked whether they are. It cannot compare and set: what was sold in between is
overwritten.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from followers.marketplaces.adapter import (
    Accepted,
    AccessRefused,
    Adapter,
    Answer,
    Check,
    Listing,
    Listings,
    Notice,
    NoticeRefused,
    Order,
    Orders,
    Outcome,
    Quota,
    Received,
    Refused,
    Remote,
    RemoteAway,
    Target,
    Throttled,
    Unknown,
)
from followers.marketplaces.amazon.access import LOGIN, Access, fields, understood, words, words_of
from followers.marketplaces.amazon.catalogue import Catalogue
from followers.marketplaces.amazon.feeds import READ_AFTER_S as FEED_READ_S
from followers.marketplaces.amazon.feeds import Feeds
from followers.marketplaces.amazon.listings import OWN, PAGE
from followers.marketplaces.amazon.notices import read, subscribe
from followers.marketplaces.amazon.orders import of_search
from followers.marketplaces.amazon.settings import (
    CREDENTIALS,
    ENDPOINT,
    FEED_MESSAGES_MAX,
    OPTIONAL,
    OPTIONAL_CREDENTIALS,
    SETTINGS,
    feeds_from,
    queue_of,
    seconds_of,
)
from followers.marketplaces.remote import QuotaSpent

ORDERS = "/orders/2026-01-01/orders"
ORDERS_PAGE = 100


class Amazon(Adapter):
    settings = SETTINGS
    optional = OPTIONAL
    credentials = CREDENTIALS
    optional_credentials = OPTIONAL_CREDENTIALS
    quotas = (
        Quota("patch", 5, 5),
        Quota("read", 5, 5),
        Quota("search", 5, 5),
        Quota("orders", 20, 0.0056),
        Quota("order", 30, 0.5),
        Quota("notifications", 5, 1),
        Quota("feeds", 5, 0.0083),
        Quota("feeds listed", 10, 0.0222),
        Quota("feed documents", 15, 0.5),
        Quota("feed", 15, 2),
    )
    """https://developer-docs.amazon.com/sp-api/docs/listings-items-api-rate-limits and the like of the other APIs. Some
    sellers have more: answers say so."""
    batch = PAGE
    bulk = FEED_MESSAGES_MAX

    def __init__(self, settings: Mapping[str, str], credentials: Mapping[str, str], remote: Remote) -> None:
        self._seller, self._marketplace = settings["seller"], settings["marketplace"]
        self._product_type = settings.get("product_type", "PRODUCT")
        self._accepted = Accepted(seconds_of(settings))
        self._access = Access(
            remote,
            settings.get("endpoint", ENDPOINT).rstrip("/"),
            settings.get("login", LOGIN),
            credentials["client_id"],
            credentials["client_secret"],
            credentials["refresh_token"],
        )
        self._catalogue = Catalogue(self._access, self._seller, self._marketplace)
        self._feeds = Feeds(self._access, self._seller, self._marketplace, feeds_from(settings))
        self._queue = queue_of(settings, credentials, remote)

    # What goes out

    async def push(self, targets: Sequence[Target]) -> Sequence[Outcome]:
        remotes = [one.remote for one in targets]
        missing = await self._missing(remotes, urgent=any(one.is_urgent for one in targets))
        overtaken = await self._overtaken(remotes)
        outcomes = await asyncio.gather(*(self._patch(one, one.remote in missing) for one in targets))
        refusals = [one for one in outcomes if isinstance(one, AccessRefused)]
        if refusals and len(refusals) == len(targets) - len(missing):
            raise refusals[0]
        return [self._known(one, overtaken=overtaken) for one in outcomes]

    def _known(self, outcome: Outcome | AccessRefused, *, overtaken: bool) -> Outcome:
        """Who is let in for one listing and not for another is refused that listing: some skus meet a 403, whoever
        asks. https://github.com/amzn/selling-partner-api-models/issues/4429"""
        if isinstance(outcome, AccessRefused):
            return Refused(str(outcome))
        return Accepted(FEED_READ_S) if overtaken and outcome == self._accepted else outcome

    @property
    def bulk_from(self) -> int | None:
        return self._feeds.worth_it_from

    async def push_many(self, targets: Sequence[Target]) -> Sequence[Outcome]:
        return await self._feeds.push(targets, {one.remote: self._change(one.quantity) for one in targets})

    async def _overtaken(self, remotes: Sequence[str]) -> bool:
        """Taken for so, if that cannot be found out: what has to go, goes."""
        try:
            return await self._feeds.overtaken(remotes)
        except AccessRefused:
            raise
        except RemoteAway:
            return True

    async def _missing(self, remotes: Sequence[str], *, urgent: bool) -> set[str]:
        """None, if that cannot be found out: what has to go, goes."""
        try:
            return {*remotes} - {one.remote for one in await self._catalogue.some(remotes, urgent=urgent)}
        except AccessRefused:
            raise
        except RemoteAway:
            return set()

    async def _patch(self, target: Target, is_missing: bool) -> Outcome | AccessRefused:
        if is_missing:
            return Refused(f"there is no listing with the sku {target.remote}")
        query = {"marketplaceIds": self._marketplace, "includedData": "issues"}
        try:
            return self._outcome(
                await self._access.ask(
                    "PATCH",
                    self._catalogue.path(target.remote),
                    "patch",
                    query,
                    self._change(target.quantity),
                    urgent=target.is_urgent,
                    changes=True,
                )
            )
        except AccessRefused as refused:
            return refused
        except QuotaSpent as spent:
            return Throttled(spent.after_s)
        except RemoteAway as away:
            return Unknown(str(away))

    def _change(self, quantity: int) -> dict[str, Any]:
        """``merge`` leaves dates and lead times alone: https://developer-docs.amazon.com/sp-api/docs/merge-a-listing"""
        value = [{"fulfillment_channel_code": OWN, "quantity": quantity}]
        patch = {"op": "merge", "path": "/attributes/fulfillment_availability", "value": value}
        return {"productType": self._product_type, "patches": [patch]}

    def _outcome(self, answer: Answer) -> Outcome:
        if answer.status in (400, 404, 413, 415):
            return Refused(f"{answer.status}: {words_of(answer)}")
        told = fields(answer)
        match told.get("status"):
            case "ACCEPTED":
                return self._accepted
            case "INVALID":
                return Refused(words(told.get("issues") or []))
            case other:
                raise RemoteAway(f"answers {other!r} to a patch")

    # What stands there

    async def levels(self, cursor: str | None) -> Listings:
        return await self._catalogue.page(cursor)

    async def read(self, remotes: Sequence[str]) -> Sequence[Listing]:
        return await self._catalogue.some(remotes)

    # Orders

    async def orders(self, since: datetime, cursor: str | None) -> Orders:
        query = {
            "lastUpdatedAfter": since.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "marketplaceIds": self._marketplace,
            "fulfilledBy": "MERCHANT",
            "includedData": "FULFILLMENT",
            "maxResultsPerPage": str(ORDERS_PAGE),
        }
        token = {"paginationToken": cursor} if cursor else {}
        told = fields(await self._access.ask("GET", ORDERS, "orders", query | token, urgent=True))
        with understood():
            found = [order for one in told["orders"] if (order := of_search(one)) is not None]
            return Orders(
                sorted(found, key=lambda one: one.updated_at),
                (told.get("pagination") or {}).get("nextToken"),
                datetime.fromisoformat(told["lastUpdatedBefore"]),
            )

    @property
    def polls_apart_s(self) -> float:
        """A third of what the quota takes to fill by one, a minute by default: a burst lasts for half an hour."""
        return self._access.remote.buckets["orders"].refill_s / 3

    async def order(self, identifier: str) -> Order | None:
        path = f"{ORDERS}/{quote(identifier, safe='')}"
        answer = await self._access.ask("GET", path, "order", {"includedData": "FULFILLMENT"}, urgent=True)
        with understood():
            return None if answer.status == 404 else of_search(fields(answer)["order"])

    async def receive(self, notice: Notice) -> Received:
        """Out of the queue alone: Amazon posts to nobody."""
        if self._queue is None or not self._queue.proves(notice):
            raise NoticeRefused("did not come out of this channel's queue")
        return read(notice, self._seller, self._marketplace)

    async def pull(self) -> Sequence[Notice]:
        return [] if self._queue is None else await self._queue.receive()

    async def pulled(self, notices: Sequence[Notice]) -> None:
        if self._queue is not None:
            await self._queue.delete(notices)

    async def check(self, notices_url: str | None) -> Check:
        """Nothing is posted to ``notices_url``: where there is a queue, it is subscribed."""
        if refusal := await self._catalogue.refusal():
            return Check([f"the listings cannot be read ({refusal}): look at `seller` and `marketplace`"])
        if self._queue is None:
            return Check()
        try:
            await self._queue.check()
        except RemoteAway as away:
            return Check([f"{away}: let the AWS user receive from {self._queue.arn} and delete there"])
        try:
            with understood():
                return Check(await subscribe(self._access, self._queue.arn))
        except AccessRefused as refused:
            return Check([f"ORDER_CHANGE cannot be subscribed, it {refused}: give the application the role for orders"])
