"""Log: every event as it comes, through a filter; and back in time."""

import heapq
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from console.following.ledger import Ledger
from console.moments import text_of
from console.topics.arguments import Arguments
from console.topics.figures import log_rates
from console.topics.topic import Topic
from console.topics.watch import Watch
from console.watched.events import Event, shown
from console.watched.log_tail import Filter, Page, cursor_of, page_of, read_cursor
from server.http.ledger_api import LedgerAway
from server.problems import Invalid

ROWS_MAX = 500
LOOKED_AT_MAX = 5_000
"""Events that one request reads back for a filter that lets few through: then it says how far it got."""
PART = 1_000
AGAIN_S = 5.0
"""What is behind a cursor is the past: read again no more often than this, however long somebody looks at it."""
REMEMBERED_MAX = 16
"""Pages of the past: some 12 MB."""


@dataclass(frozen=True, slots=True)
class Asked:
    wanted: Filter
    limit: int
    before: str | None


class LogPage(Topic[Asked]):
    name = "log"
    rows = "events"
    key = ("shard", "seq")
    new_rows = True

    def __init__(self, watch: Watch) -> None:
        super().__init__(watch)
        self._past: OrderedDict[tuple[str | None, Asked], tuple[float, Page]] = OrderedDict()

    def read(self, arguments: Arguments) -> Asked:
        names = ("sku", "location", "actor", "kind", "operation")
        before = arguments.optional_text("before")
        if before is not None:
            try:
                read_cursor(before)
            except ValueError as error:
                raise Invalid("before", str(error)) from None
        return Asked(
            Filter(*(arguments.text(name) for name in names)), arguments.whole("limit", 200, 1, ROWS_MAX), before
        )

    async def data(self, asked: Asked) -> dict[str, Any]:
        unknown: dict[str, str] = {}
        if asked.before is None:
            page = self.watch.log.tail.newest(asked.wanted, asked.limit)
            if self.watch.log.away is not None:
                unknown["events"] = self.watch.log.away
        else:
            try:
                page = await self._older(asked, asked.before)
            except LedgerAway as error:
                page, unknown["events"] = Page((), 0, None, {}), str(error)
        (changes_per_s, why), _ = log_rates(self.watch, time.time())
        if changes_per_s is None:
            unknown["changes_per_s"] = why
        # A shard of which nothing was read yet goes on at its head
        following = {**self.watch.log.heads, **page.next} if asked.before is None else page.next
        return {
            "at": text_of(time.time()),
            "live": asked.before is None,
            "events": [shown(event, self.watch.name_of(event["sku"])) for event in page.events],
            "next": cursor_of(following),
            "looked_at": page.looked_at,
            "looked_back_to": page.oldest["committed_at"] if page.oldest else None,
            "changes_per_s": changes_per_s,
            "unknown": unknown,
        }

    async def _older(self, asked: Asked, before: str) -> Page:
        """Raises LedgerAway."""
        key, now = (self.watch.log.epoch, asked), time.monotonic()
        known = self._past.get(key)
        if known is not None and known[0] > now - AGAIN_S:
            return known[1]
        page = await older(self.watch.ledger, asked.wanted, asked.limit, read_cursor(before))
        self._past[key] = now, page
        self._past.move_to_end(key)
        if len(self._past) > REMEMBERED_MAX:
            self._past.popitem(last=False)
        return page


async def older(ledger: Ledger, wanted: Filter, most: int, following: dict[int, int]) -> Page:
    """Events of all shards at or below ``following``, the newest first. Raises LedgerAway."""
    each = max(1, min(PART, LOOKED_AT_MAX // max(1, len(following))))
    parts: dict[int, list[Event]] = {}
    for shard, seq in tuple(following.items()):
        after = max(0, seq - each)
        answer = await ledger.events(shard, after, min(PART, seq - after)) if seq > after else {"events": []}
        parts[shard] = [event for event in answer["events"] if event["seq"] <= seq][::-1]
        if not parts[shard]:
            following = {**following, shard: 0}  # seqs are dense: there is nothing of it
    page = page_of(_until_one_ends(parts, following, each), wanted, most)
    return Page(page.events, page.looked_at, page.oldest, {**following, **page.next})


def _until_one_ends(parts: dict[int, list[Event]], following: dict[int, int], each: int) -> Iterator[Event]:
    """Merged by their time. Where the part of one shard ends and there is more of it, nobody knows what comes next."""
    left = {shard: len(events) for shard, events in parts.items()}
    more = {shard: following[shard] > each for shard in parts}
    for event in heapq.merge(*parts.values(), key=lambda one: one["committed_at"], reverse=True):
        yield event
        left[event["shard"]] -= 1
        if left[event["shard"]] == 0 and more[event["shard"]]:
            return
