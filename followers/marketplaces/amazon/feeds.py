"""Feeds of listings: for many raises at once, as they may lie in Amazon's queue for hours.

What a feed holds is applied when it is processed, as far as anybody knows also over what was patched meanwhile. So one
in the queue is cancelled before a listing of it is patched, and none is made for an hour: the rest is read back, found
not to be done, and patched. One that is being processed cannot be cancelled: what is patched then is read back later,
and patched again if the feed was the last. https://developer-docs.amazon.com/sp-api/docs/feeds-api-best-practices
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
"""From one look whether a feed is done to the next, if nobody needs to know."""
ENDED = ("DONE", "CANCELLED", "FATAL")


class Feeds:
    """One at a time. ``worth_it``: from so many raises on; None: never. What is under way is known until the process
    ends or somebody changes the channel: what it undoes after that, reconciliation has to find."""

    def __init__(self, access: Access, seller: str, marketplace: str, worth_it: int | None) -> None:
        self._access = access
        self._seller = seller
        self._marketplace = marketplace
        self._worth_it = worth_it
        self._id = ""
        self._skus: frozenset[str] = frozenset()
        self._one_at_a_time = asyncio.Lock()

    async def push(self, targets: Sequence[Target], changes: Mapping[str, Any]) -> Sequence[Outcome]:
        """``changes``: for each sku what a patch would say. All or none: while another feed is under way they are
        Throttled for no time, and ``worth_it_from`` says why."""
        async with self._one_at_a_time:
            return await self._push(targets, changes)

    async def _push(self, targets: Sequence[Target], changes: Mapping[str, Any]) -> Sequence[Outcome]:
        if self._off or await self._under_way():
            return [Throttled(0.0)] * len(targets)
        messages = [
            {"messageId": number, "sku": one.remote, "operationType": "PATCH", **changes[one.remote]}
            for number, one in enumerate(targets, 1)
        ]
        header = {"sellerId": self._seller, "version": "2.0"}
        document = await self._uploaded(orjson.dumps({"header": header, "messages": messages}))
        body = {"feedType": KIND, "marketplaceIds": [self._marketplace], "inputFeedDocumentId": document}
        made = fields(await self._access.ask("POST", f"{FEEDS}/feeds", "feeds", body=body, changes=True))
        with understood():
            self._id, self._skus = str(made["feedId"]), frozenset(one.remote for one in targets)
        self._remote.keep("feed looked at", self._id, LOOK_S)
        return [Accepted(READ_AFTER_S)] * len(targets)

    @property
    def worth_it_from(self) -> int | None:
        """None: patches have to do, as the last one was of no use or is under way. Now and then that is asked again."""
        under_way = self._id and self._remote.kept_value("feed looked at") is not None
        return None if self._off or under_way else self._worth_it

    @property
    def _off(self) -> bool:
        return self._remote.kept_value("feeds off") is not None

    @property
    def _remote(self) -> Remote:
        return self._access.remote

    async def overtaken(self, skus: Sequence[str]) -> bool:
        """Some of these are about to be patched: whether a feed that is being processed has them too."""
        async with self._one_at_a_time:
            return await self._overtaken(skus)

    async def _overtaken(self, skus: Sequence[str]) -> bool:
        if self._skus.isdisjoint(skus) or not await self._under_way():
            return False
        answer = await self._access.ask("DELETE", f"{FEEDS}/feeds/{self._id}", "feed", urgent=True)
        if answer.status >= 300:
            return await self._under_way()
        self._remote.keep("feeds off", self._id, OFF_S)
        self._forget()
        return False

    async def _under_way(self) -> bool:
        if not self._id:
            return False
        told = fields(await self._access.ask("GET", f"{FEEDS}/feeds/{self._id}", "feed", urgent=True))
        self._remote.keep("feed looked at", self._id, LOOK_S)
        if told.get("processingStatus") not in ENDED:
            return True
        if told["processingStatus"] == "FATAL":
            self._remote.keep("feeds off", self._id, OFF_S)
        self._forget()
        return False

    def _forget(self) -> None:
        self._id, self._skus = "", frozenset()

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
