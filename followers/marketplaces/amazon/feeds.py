"""Feeds of listings: for many raises at once, as they may lie in Amazon's queue for hours.

What a feed holds is applied when it is processed, as far as anybody knows also over what was patched meanwhile. So one
in the queue is cancelled before a listing of it is patched, and none is made for an hour: the rest is read back, found
not to be done, and patched. One that is being processed cannot be cancelled: what is patched then is read back later,
and patched again if the feed was the last. https://developer-docs.amazon.com/sp-api/docs/feeds-api-best-practices

What was made before the adapter was, or by a request that nobody answered, Amazon lists, without what is in it: it is
taken for a feed of any listing. https://developer-docs.amazon.com/sp-api/reference/getfeeds
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from followers.marketplaces.adapter import Accepted, Outcome, Remote, RemoteAway, Target, Throttled
from followers.marketplaces.amazon.access import Access, fields, understood

FEEDS = "/feeds/2021-06-30"
KIND, CONTENT = "JSON_LISTINGS_FEED", "application/json"
OFF_S = 3600.0
READ_AFTER_S = 900.0
"""Amazon says 15 minutes where nothing is in its way."""
LOOK_S = 60.0
"""From one look whether a feed is done to the next, if nobody needs to know; and from one list of feeds, if there was
no answer, to the next."""
LISTED_MAX = 100
"""Of one page, Amazon's largest: there is one of ours at a time."""
QUEUED, ENDED = "IN_QUEUE", ("DONE", "CANCELLED", "FATAL")


class Feeds:
    """One at a time. ``worth_it``: from so many raises on; None: never, and none is looked for."""

    def __init__(self, access: Access, seller: str, marketplace: str, worth_it: int | None) -> None:
        self._access = access
        self._seller = seller
        self._marketplace = marketplace
        self._worth_it = worth_it
        self._under_way: dict[str, frozenset[str] | None] = {}
        """Their ids with the skus in them; None: it may be any."""
        self._is_known = worth_it is None
        """Whether that is all that is under way."""
        self._one_at_a_time = asyncio.Lock()

    async def push(self, targets: Sequence[Target], changes: Mapping[str, Any]) -> Sequence[Outcome]:
        """``changes``: for each sku what a patch would say. All or none: while another feed is under way they are
        Throttled for no time, and ``worth_it_from`` says why."""
        async with self._one_at_a_time:
            return await self._push(targets, changes)

    async def _push(self, targets: Sequence[Target], changes: Mapping[str, Any]) -> Sequence[Outcome]:
        if self._off or not await self._knows() or await self._any_under_way():
            return [Throttled(0.0)] * len(targets)
        messages = [
            {"messageId": number, "sku": one.remote, "operationType": "PATCH", **changes[one.remote]}
            for number, one in enumerate(targets, 1)
        ]
        header = {"sellerId": self._seller, "version": "2.0"}
        document = await self._uploaded(orjson.dumps({"header": header, "messages": messages}))
        body = {"feedType": KIND, "marketplaceIds": [self._marketplace], "inputFeedDocumentId": document}
        self._is_known = False  # until it is answered
        made = fields(await self._access.ask("POST", f"{FEEDS}/feeds", "feeds", body=body, changes=True))
        with understood():
            self._under_way[str(made["feedId"])] = frozenset(one.remote for one in targets)
        self._is_known = True
        self._remote.keep("feed looked at", "now", LOOK_S)
        return [Accepted(READ_AFTER_S)] * len(targets)

    @property
    def worth_it_from(self) -> int | None:
        """None: patches have to do, as the last one was of no use or is under way. Now and then that is asked again."""
        waits = self._lately("feed looked at") if self._under_way else self._lately("feeds not listed")
        return None if self._off or waits else self._worth_it

    @property
    def _off(self) -> bool:
        return self._lately("feeds off")

    def _lately(self, what: str) -> bool:
        return self._remote.kept_value(what) is not None

    @property
    def _remote(self) -> Remote:
        return self._access.remote

    async def overtaken(self, skus: Sequence[str]) -> bool:
        """Some of these are about to be patched: whether a feed that cannot be cancelled may have them too."""
        async with self._one_at_a_time:
            is_known = await self._knows()
            theirs = [feed for feed, of in self._under_way.items() if of is None or not of.isdisjoint(skus)]
            left = [feed for feed in theirs if not await self._is_over(feed)]
            return bool(left) or not is_known

    async def _knows(self) -> bool:
        """False: Amazon does not tell what is under way. It is asked again after a while."""
        if self._is_known or self._lately("feeds not listed"):
            return self._is_known
        query = {"feedTypes": KIND, "marketplaceIds": self._marketplace, "processingStatuses": "IN_QUEUE,IN_PROGRESS"}
        query["pageSize"] = str(LISTED_MAX)
        try:
            told = fields(await self._access.ask("GET", f"{FEEDS}/feeds", "feeds listed", query, urgent=True))
            with understood():
                found = [str(one["feedId"]) for one in told["feeds"]]
        except RemoteAway:  # also where access is refused: a patch then is too, and says so
            self._remote.keep("feeds not listed", "now", LOOK_S)
            return False
        self._under_way |= {one: None for one in found if one not in self._under_way}
        self._is_known = True
        return True

    async def _any_under_way(self) -> bool:
        statuses = [await self._status(feed) for feed in [*self._under_way]]
        return not all(status in ENDED for status in statuses)

    async def _is_over(self, feed: str) -> bool:
        """Cancelled, if it is in the queue."""
        status = await self._status(feed)
        if status != QUEUED:
            return status in ENDED
        answer = await self._access.ask("DELETE", f"{FEEDS}/feeds/{feed}", "feed", urgent=True, changes=True)
        if answer.status >= 300:  # it was begun in between
            return False
        self._remote.keep("feeds off", feed, OFF_S)
        del self._under_way[feed]
        return True

    async def _status(self, feed: str) -> object:
        """What has ended is forgotten."""
        told = fields(await self._access.ask("GET", f"{FEEDS}/feeds/{feed}", "feed", urgent=True))
        self._remote.keep("feed looked at", "now", LOOK_S)
        status = told.get("processingStatus")
        if status == "FATAL":
            self._remote.keep("feeds off", feed, OFF_S)
        if status in ENDED:
            del self._under_way[feed]
        return status

    async def _uploaded(self, content: bytes) -> str:
        """The document's id. Where it goes is an address of its own, good for some minutes to whoever knows it."""
        asked = {"contentType": CONTENT}
        made = fields(await self._access.ask("POST", f"{FEEDS}/documents", "feed documents", body=asked))
        with understood():
            document, url = str(made["feedDocumentId"]), str(made["url"])
        headers = {"content-type": CONTENT}
        answer = await self._remote.request("PUT", url, quota=None, changes=True, headers=headers, body=content)
        if answer.status >= 300:
            raise RemoteAway(f"does not take a feed's content: {answer.status}")
        return document
