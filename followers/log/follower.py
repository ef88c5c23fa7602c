"""Follows one shard of the log, a page at a time.

Rewritten       history is another one: what was read before says nothing about what comes now
"""

from bisect import bisect_right
from dataclasses import dataclass
from operator import itemgetter

from followers.log.ledger import WAIT_S, Event, Ledger

PAGE = 1_000
"""Events of a page: about half a megabyte."""


class Rewritten(Exception):
    """``epoch``: the one that is now."""

    def __init__(self, epoch: str) -> None:
        super().__init__(f"the epoch is {epoch} now")
        self.epoch = epoch


@dataclass(frozen=True, slots=True)
class Page:
    """``events``: dense, in commit order; the last has the seq ``last``. ``head``: of the shard when they were read."""

    epoch: str
    shard: int
    head: int
    events: list[Event]

    @property
    def last(self) -> int:
        return int(self.events[-1]["seq"])

    def behind(self, seq: int) -> list[Event]:
        """Those of its events that come behind ``seq``."""
        return self.events[bisect_right(self.events, seq, key=itemgetter("seq")) :]


class Follower:
    """One reader of one shard: the next page is asked for when its caller asks, who is done with the one before. So
    what is slow is waited for, and nothing piles up here."""

    def __init__(self, ledger: Ledger, epoch: str, shard: int, seq: int) -> None:
        """``seq``: of the last event that is known. ``head``: of the shard when it was read last."""
        self._ledger = ledger
        self._epoch = epoch
        self.shard = shard
        self.seq = self.head = seq

    async def page(self, *, wait: bool) -> Page:
        """What comes behind ``seq``, which moves to its end; may be empty. ``wait``: for a first event, a while.

        Raises Rewritten, LedgerAway; then ``seq`` stands where it was.
        """
        answer = await self._ledger.events(self.shard, self.seq, PAGE, WAIT_S if wait else 0.0)
        if answer["epoch"] != self._epoch or answer["head"] < self.seq:
            raise Rewritten(answer["epoch"])
        page = Page(answer["epoch"], self.shard, answer["head"], answer["events"])
        self.head = page.head
        if page.events:
            self.seq = page.last
        return page
