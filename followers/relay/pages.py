"""One shard of the log, as much of it at a time as is written together."""

import asyncio
from dataclasses import dataclass
from typing import Self

from followers.log.follower import PAGE, Rewritten
from followers.log.ledger import WAIT_S, Ledger, LedgerAway
from followers.relay.logged import Event, feed_of


@dataclass(frozen=True, slots=True)
class Page:
    """``events``: dense, in commit order. ``head``: of the shard when they were read."""

    events: list[Event]
    head: int


class Pages:
    """Another page is asked for when its caller asks, or says that it will: one page at most waits here. As a context
    manager: at its end nothing is asked any more."""

    def __init__(self, ledger: Ledger, epoch: str, shard: int, seq: int) -> None:
        """``seq``: of the last event that is known."""
        self._ledger = ledger
        self._epoch = epoch
        self._shard = shard
        self._seq = seq
        self._ahead: asyncio.Task[Page] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._ahead is not None:
            self._ahead.cancel()
            await asyncio.gather(self._ahead, return_exceptions=True)

    def look_ahead(self, events_max: int) -> None:
        """Asks already for what ``next`` will give, once, while its caller is busy with what it has."""
        self._ahead = asyncio.create_task(self._read(min(PAGE, events_max), WAIT_S))

    async def next(self, events_max: int) -> Page:
        """What comes behind the one before, waiting for a first event a while; may be empty. ``events_max``: at most,
        more than one page of the ledger while there is more. Raises Rewritten, LedgerAway: then nothing was taken."""
        ahead, self._ahead = self._ahead, None
        page = await (self._read(min(PAGE, events_max), WAIT_S) if ahead is None else ahead)
        events = page.events
        while PAGE <= len(events) < events_max and self._seq < page.head:
            try:
                page = await self._read(min(PAGE, events_max - len(events)), 0.0)
            except (LedgerAway, Rewritten):  # told again by the next question, after what is here was written
                break
            events += page.events
        return Page(events, page.head)

    async def _read(self, limit: int, wait_s: float) -> Page:
        feed = await self._ledger.events_as(feed_of, self._shard, self._seq, limit, wait_s)
        if feed.epoch != self._epoch or feed.head < self._seq:
            raise Rewritten(feed.epoch)
        if feed.events:
            self._seq = feed.events[-1].level.seq
        return Page(feed.events, feed.head)
