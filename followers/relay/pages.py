"""One shard of the log, as much of it at a time as is written together."""

from dataclasses import dataclass

from followers.log.follower import PAGE, Rewritten
from followers.log.ledger import WAIT_S, Ledger, LedgerAway
from followers.relay.logged import Event, feed_of


@dataclass(frozen=True, slots=True)
class Page:
    """``events``: dense, in commit order. ``head``: of the shard when they were read."""

    events: list[Event]
    head: int


class Pages:
    """Another page is asked for when its caller asks, who is done with the one before: nothing piles up here."""

    def __init__(self, ledger: Ledger, epoch: str, shard: int, seq: int) -> None:
        """``seq``: of the last event that is known."""
        self._ledger = ledger
        self._epoch = epoch
        self._shard = shard
        self._seq = seq

    async def next(self, events_max: int) -> Page:
        """What comes behind the one before, waiting for a first event a while; may be empty. ``events_max``: at most,
        more than one page of the ledger while there is more. Raises Rewritten, LedgerAway: then nothing was taken."""
        page = await self._read(min(PAGE, events_max), WAIT_S)
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
