"""What a hub has applied of one shard: every event once, in order, and whether something is missing.

Pure: times are seconds of any monotonic clock, given by the caller.
"""

from collections.abc import Sequence
from typing import NamedTuple

from wire.messages import Event

WAITING_EVENTS_MAX = 20_000  # out-of-order events kept while the log is read; more are left to the log
GAP_GRACE_S = 0.05  # two ledgers may publish out of order; longer than this, the log is read
SETTLED_S = 2.0  # a heartbeat is never this old unless its ledger was stopped


class Asked(NamedTuple):
    """What was known when the log was asked: the number of doubts, and the time."""

    doubts: int
    at: float


class ShardSequence:
    """``last``: the seq up to which everything was applied. ``head``: the highest seq known to exist.

    ``known_at``: when it last had everything that was known to exist. ``doubts`` counts the occasions on which messages
    may have been missed without a trace; until the log was read after the last of them, nothing counts as known.
    """

    __slots__ = (
        "_cleared",
        "_head_at",
        "_settled",
        "_settling",
        "_waiting",
        "_waiting_events",
        "behind_since",
        "doubts",
        "duplicates",
        "head",
        "known_at",
        "last",
        "shard",
    )

    def __init__(self, shard: int, last: int, now: float) -> None:
        self.shard = shard
        self.last = last
        self.head = last
        self.known_at = now
        self.behind_since: float | None = None
        self.doubts = 0
        self.duplicates = 0
        self._cleared = 0
        self._head_at = now
        self._waiting: dict[int, Sequence[Event]] = {}
        self._waiting_events = 0
        self._settling = (now, last)
        self._settled = last

    def batch(self, events: Sequence[Event], now: float) -> Sequence[Event]:
        """Events of this shard with dense seqs, from the broker or the log. Returns those to apply now, in order.

        What was applied before is dropped or trimmed; what starts too late is kept until the gap is filled.
        """
        first, end = events[0].seq, events[-1].seq
        if end - first + 1 != len(events) or end <= self.last:
            if end <= self.last:
                self.duplicates += 1
            return ()
        if first > self.last + 1:
            self._wait(events, now)
            return ()
        ready = events[self.last + 1 - first :]
        self.last = end
        if self._waiting:
            ready = [*ready, *self._released()]
        self._advanced(now)
        return ready

    def heard(self, head: int, now: float) -> bool:
        """The shard's head, as a ledger read it from the database. Returns whether history may have been rewritten.

        A head a little below ``last`` is normal (it was read before the newest batch was committed); one below what had
        been applied for ``SETTLED_S`` is not, unless its ledger was stopped in between: ask the ledger.
        """
        self._settle(now)
        if head >= self.last:
            self._raise_head(head, now)
            self._advanced(now)
        return head < self._settled

    def doubt(self) -> None:
        """Messages may have been lost without a trace, as on every (re)subscription to the broker."""
        self.doubts += 1

    def asking(self, now: float) -> Asked:
        """To be remembered while the log is read."""
        return Asked(self.doubts, now)

    def read(self, head: int, asked: Asked, now: float) -> None:
        """The log was read, and ``head`` with it: it knows better than whatever was heard before it was asked."""
        if self._head_at <= asked.at:
            self.head = max(head, self.last)
        self._raise_head(head, now)
        if self.last >= head:
            self._cleared = max(self._cleared, asked.doubts)
        self._advanced(now)

    @property
    def waiting(self) -> int:
        """Events kept until what is missing before them is here."""
        return self._waiting_events

    @property
    def doubted(self) -> bool:
        return self.doubts > self._cleared

    def gap(self, now: float) -> bool:
        """Whether the log has to be read now."""
        return self.doubted or (self.behind_since is not None and now - self.behind_since >= GAP_GRACE_S)

    def _raise_head(self, head: int, now: float) -> None:
        if head > self.head:
            self.head = head
            self._head_at = now

    def _advanced(self, now: float) -> None:
        if self.last >= self.head:
            self.head = self.last
            self.behind_since = None
            if not self.doubted:
                self.known_at = now
        elif self.behind_since is None:
            self.behind_since = now

    def _wait(self, events: Sequence[Event], now: float) -> None:
        first = events[0].seq
        held = self._waiting.get(first, ())
        grows = len(events) - len(held)
        if grows > 0 and self._waiting_events + grows <= WAITING_EVENTS_MAX:
            self._waiting[first] = events
            self._waiting_events += grows
        self._raise_head(events[-1].seq, now)
        self._advanced(now)

    def _released(self) -> list[Event]:
        """Waiting batches that ``last`` has reached, applied; what they overlap is trimmed."""
        released: list[Event] = []
        for first in sorted(self._waiting):
            if first > self.last + 1:
                break
            events = self._waiting.pop(first)
            self._waiting_events -= len(events)
            if events[-1].seq > self.last:
                released += events[self.last + 1 - first :]
                self.last = events[-1].seq
        return released

    def _settle(self, now: float) -> None:
        marked_at, last = self._settling
        if now - marked_at >= SETTLED_S:
            self._settled = last
            self._settling = (now, self.last)
