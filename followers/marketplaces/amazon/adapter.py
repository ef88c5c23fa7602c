"""One seller in one of Amazon's marketplaces: what the seller fulfils itself.

Amazon takes a quantity (ACCEPTED) and applies it later, or not at all: everything is read back. It takes one for a sku
that is not there as well, so it is looked whether they are. It cannot compare and set: what was sold in between is
overwritten.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar
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
    SettingRefused,
    Target,
    Throttled,
    Unknown,
)
from followers.marketplaces.amazon.access import LOGIN, Access, fields, understood, words, words_of
from followers.marketplaces.amazon.feeds import READ_AFTER_S as FEED_READ_S
from followers.marketplaces.amazon.feeds import Feeds
from followers.marketplaces.amazon.listings import OWN, PAGE, SHOWN, NotPageable, Place, shown
from followers.marketplaces.amazon.notices import read, subscribe
from followers.marketplaces.amazon.orders import of_search
from followers.marketplaces.amazon.queue import ARN, Queue
from followers.marketplaces.remote import QuotaSpent

ENDPOINT = "https://sellingpartnerapi-na.amazon.com"
ORDERS = "/orders/2026-01-01/orders"
ORDERS_PAGE = 100
READ_AFTER_S, READ_AFTER_S_MAX = 60.0, 3600.0


class Amazon(Adapter):
    settings: ClassVar[Mapping[str, str]] = {
        "seller": "The seller's id (merchant token), as Seller Central shows it.",
        "marketplace": "The marketplace's id, ATVPDKIKX0DER for amazon.com.",
    }
    optional: ClassVar[Mapping[str, str]] = {
        "endpoint": f"Of the Selling Partner API in the seller's region; without, {ENDPOINT}.",
        "login": f"Of Login with Amazon; without, {LOGIN}.",
        "queue": "ARN of an SQS queue of this channel's own into which Amazon may send; without, orders are polled.",
        "queue_endpoint": "Of SQS; without, that of AWS in the queue's region.",
        "aws_access_key_id": "Of an AWS user who may receive from the queue and delete there.",
        "product_type": "That quantities are submitted under; without, PRODUCT.",
        "read_after_s": f"Seconds until what Amazon accepted is read back; without, {READ_AFTER_S:.0f}.",
    }
    credentials: ClassVar[Mapping[str, str]] = {
        "client_id": "Of the application that the seller authorized (LWA).",
        "client_secret": "Of the same application.",
        "refresh_token": "That the seller's authorization gave, Atzr|...",
    }
    optional_credentials: ClassVar[Mapping[str, str]] = {"aws_secret_access_key": "Of the AWS user."}
    quotas = (
        Quota("patch", 5, 5),
        Quota("read", 5, 5),
        Quota("search", 5, 5),
        Quota("orders", 20, 0.0056),
        Quota("order", 30, 0.5),
        Quota("notifications", 5, 1),
        Quota("feeds", 5, 0.0083),
        Quota("feed documents", 15, 0.5),
        Quota("feed", 15, 2),
    )
    """https://developer-docs.amazon.com/sp-api/docs/listings-items-api-rate-limits and the like of the other APIs. Some
    sellers have more: answers say so."""
    batch = PAGE
    bulk = 25_000

    def __init__(self, settings: Mapping[str, str], credentials: Mapping[str, str], remote: Remote) -> None:
        self._seller, self._marketplace = settings["seller"], settings["marketplace"]
        self._listings = f"/listings/2021-08-01/items/{quote(self._seller, safe='')}"
        self._product_type = settings.get("product_type", "PRODUCT")
        self._accepted = Accepted(_seconds(settings))
        self._access = Access(
            remote,
            settings.get("endpoint", ENDPOINT).rstrip("/"),
            settings.get("login", LOGIN),
            credentials["client_id"],
            credentials["client_secret"],
            credentials["refresh_token"],
        )
        self._feeds = Feeds(self._access, self._seller, self._marketplace)
        self._queue = _queue(settings, credentials, remote)

    # What goes out

    async def push(self, targets: Sequence[Target]) -> Sequence[Outcome]:
        remotes = [one.remote for one in targets]
        missing = await self._missing(remotes, urgent=any(one.is_urgent for one in targets))
        overtaken = await self._overtaken(remotes)
        outcomes = await asyncio.gather(*(self._patch(one, one.remote in missing) for one in targets))
        return [Accepted(FEED_READ_S) if overtaken and one == self._accepted else one for one in outcomes]

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
            return {*remotes} - {one.remote for one in await self._found(remotes, urgent=urgent)}
        except AccessRefused:
            raise
        except RemoteAway:
            return set()

    async def _patch(self, target: Target, is_missing: bool) -> Outcome:
        if is_missing:
            return Refused(f"there is no listing with the sku {target.remote}")
        query = {"marketplaceIds": self._marketplace, "includedData": "issues"}
        try:
            return self._outcome(
                await self._access.ask(
                    "PATCH",
                    self._listing(target.remote),
                    "patch",
                    query,
                    self._change(target.quantity),
                    urgent=target.is_urgent,
                    changes=True,
                )
            )
        except AccessRefused:
            raise
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
        place = Place.of(cursor)
        told = await self._search(place.query)
        try:
            with understood():
                following = place.next(told["items"], (told.get("pagination") or {}).get("nextToken"))
                return Listings(place.new(told["items"]), following.cursor if following else None)
        except NotPageable as error:
            raise RemoteAway(str(error)) from None

    async def read(self, remotes: Sequence[str]) -> Sequence[Listing]:
        return await self._found(remotes, urgent=False)

    async def _found(self, remotes: Sequence[str], *, urgent: bool) -> Sequence[Listing]:
        """A comma parts a sku in two, encoded or not, so such a one is asked for by itself:
        https://developer-docs.amazon.com/sp-api/docs/search-for-listings-items-by-id"""
        together = [one for one in remotes if "," not in one]
        alone = await asyncio.gather(*(self._read(one, urgent=urgent) for one in remotes if "," in one))
        found = [one for one in alone if one is not None]
        if together:
            query = {"identifiersType": "SKU", "identifiers": ",".join(together), "pageSize": str(PAGE), **SHOWN}
            told = await self._search(query, urgent=urgent)
            with understood():
                found += map(shown, told["items"])
        return found

    async def _search(self, query: Mapping[str, str], *, urgent: bool = False) -> dict[str, Any]:
        asked = {"marketplaceIds": self._marketplace, **query}
        return fields(await self._access.ask("GET", self._listings, "search", asked, urgent=urgent))

    async def _read(self, sku: str, *, urgent: bool) -> Listing | None:
        query = {"marketplaceIds": self._marketplace, **SHOWN}
        answer = await self._access.ask("GET", self._listing(sku), "read", query, urgent=urgent)
        with understood():
            return None if answer.status == 404 else shown(fields(answer))

    def _listing(self, sku: str) -> str:
        return f"{self._listings}/{quote(sku, safe='')}"

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
        query = {"marketplaceIds": self._marketplace, "pageSize": "1"}
        answer = await self._access.ask("GET", self._listings, "search", query)
        if answer.status != 200:
            return Check([f"the listings cannot be read ({words_of(answer)}): look at `seller` and `marketplace`"])
        if self._queue is None:
            return Check()
        try:
            await self._queue.check()
        except RemoteAway as away:
            return Check([f"{away}: let the AWS user receive from {self._queue.arn} and delete there"])
        with understood():
            return Check(await subscribe(self._access, self._queue.arn))


def _seconds(settings: Mapping[str, str]) -> float:
    text = settings.get("read_after_s", str(READ_AFTER_S))
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= READ_AFTER_S_MAX:
        raise SettingRefused("read_after_s", f"read_after_s is {text}: give 0 to {READ_AFTER_S_MAX:.0f} seconds")
    return seconds


def _queue(settings: Mapping[str, str], credentials: Mapping[str, str], remote: Remote) -> Queue | None:
    arn = settings.get("queue")
    if not arn:
        return None
    found = ARN.fullmatch(arn)
    if found is None:
        raise SettingRefused("queue", f"queue is {arn}: give its ARN, arn:aws:sqs:REGION:ACCOUNT:NAME")
    for name, given in (("aws_access_key_id", settings), ("aws_secret_access_key", credentials)):
        if not given.get(name):
            raise SettingRefused(name, f"{name} is missing: a queue is asked as an AWS user")
    endpoint = settings.get("queue_endpoint", f"https://sqs.{found[1]}.amazonaws.com").rstrip("/")
    key = credentials["client_secret"].encode()
    return Queue(remote, arn, endpoint, settings["aws_access_key_id"], credentials["aws_secret_access_key"], key)
