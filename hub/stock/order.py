"""Levels in the order of their last event: what a whole-location cursor walks along. Pure."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from operator import attrgetter
from typing import Generic, Protocol, TypeVar

COMPACT_MIN = 64  # below this, dead entries cost less than moving the rest
_seq = attrgetter("seq")


class Sequenced(Protocol):
    """``seq``: of its last event; 0 before the first."""

    seq: int


SequencedT = TypeVar("SequencedT", bound=Sequenced)


class SeqOrder(Generic[SequencedT]):
    """An append-only list of (seq, level) in which only the newest entry of a level counts.

    A cursor is a seq: it survives every change, and says at once how far its owner has read. All levels are of one
    shard, so a seq stands for one level. Dead entries are removed when they outnumber the live ones: O(1) amortized.
    """

    __slots__ = ("_levels", "_live", "_seqs")

    def __init__(self, levels: Iterable[SequencedT]) -> None:
        """Levels without an event (version 0) are left out: nobody has to be told of them."""
        self._levels = sorted(filter(_seq, levels), key=_seq)
        self._seqs = array("q", map(_seq, self._levels))
        self._live = len(self._levels)

    def __len__(self) -> int:
        """How many levels there are."""
        return self._live

    @property
    def top(self) -> int:
        return self._seqs[-1] if self._seqs else 0

    def moved(self, level: SequencedT, *, new: bool) -> None:
        """``level`` has just got a new event, with the highest seq so far. ``new``: it had none before."""
        self._seqs.append(level.seq)
        self._levels.append(level)
        if new:
            self._live += 1
        if len(self._seqs) > 2 * self._live + COMPACT_MIN:
            self._compact()

    def after(self, cursor: int, limit: int) -> list[SequencedT]:
        """The next levels behind ``cursor``, at most ``limit``, in order of their last event."""
        following: list[SequencedT] = []
        for index in range(bisect_right(self._seqs, cursor), len(self._seqs)):
            level = self._levels[index]
            if level.seq == self._seqs[index]:
                following.append(level)
                if len(following) == limit:
                    break
        return following

    def _compact(self) -> None:
        live = [level for level, seq in zip(self._levels, self._seqs, strict=True) if level.seq == seq]
        self._levels = live
        self._seqs = array("q", (level.seq for level in live))
