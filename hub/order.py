"""Levels in the order of their last event: what a whole-location cursor walks along. Pure."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.held import Watched

COMPACT_MIN = 64  # below this, dead entries cost less than moving the rest


class SeqOrder:
    """An append-only list of (seq, level) in which only the newest entry of a level counts.

    A cursor is a seq: it survives every change, and says at once how far its owner has read. All levels are of one
    shard, so a seq stands for one level. Dead entries are removed when they outnumber the live ones: O(1) amortized.
    """

    __slots__ = ("_levels", "_live", "_seqs")

    def __init__(self, levels: Iterable["Watched"]) -> None:
        """Levels without an event (version 0) are left out: nobody has to be told of them."""
        self._levels = sorted((held for held in levels if held.seq), key=lambda held: held.seq)
        self._seqs = array("q", (held.seq for held in self._levels))
        self._live = len(self._levels)

    def __len__(self) -> int:
        """How many levels there are."""
        return self._live

    @property
    def top(self) -> int:
        return self._seqs[-1] if self._seqs else 0

    def moved(self, held: "Watched", *, new: bool) -> None:
        """``held`` has just got a new event, with the highest seq so far. ``new``: it had none before."""
        self._seqs.append(held.seq)
        self._levels.append(held)
        self._live += new
        if len(self._seqs) > 2 * self._live + COMPACT_MIN:
            self._compact()

    def after(self, cursor: int, limit: int) -> list["Watched"]:
        """The next levels behind ``cursor``, at most ``limit``, in order of their last event."""
        found: list[Watched] = []
        for index in range(bisect_right(self._seqs, cursor), len(self._seqs)):
            held = self._levels[index]
            if held.seq == self._seqs[index]:
                found.append(held)
                if len(found) == limit:
                    break
        return found

    def _compact(self) -> None:
        live = [held for held, seq in zip(self._levels, self._seqs, strict=True) if held.seq == seq]
        self._levels = live
        self._seqs = array("q", (held.seq for held in live))
