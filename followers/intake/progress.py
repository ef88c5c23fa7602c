"""How far a partition of Kafka was done, and how often what comes next was begun. Pure.

An offset says that all before it is done, so what is done out of order waits for what stands before it. Kafka does not
count deliveries: with the offset a note is committed, how often the command there has been begun, before it is.
"""

from collections import OrderedDict
from typing import Generic, TypeVar

Kept = TypeVar("Kept")


class Progress(Generic[Kept]):
    """``offset``: the next one to be committed. ``note``: to be committed with it.

    A note that is found says that somebody began there and did not end: then the next commands, as many as may have
    been in hand, are taken one by one, each noted before it is begun, so that the one which ends the process is found
    out.
    """

    def __init__(self, offset: int, note: str, in_hand_max: int) -> None:
        """``note``: as it was found; ``in_hand_max``: of whoever was there before."""
        self.offset = offset
        self._begun = int(note) if note.isascii() and note.isdecimal() and len(note) < 10 else 0
        self._one_by_one = in_hand_max if self._begun else 0
        self._taken: OrderedDict[int, Kept | None] = OrderedDict()

    @property
    def note(self) -> str:
        return str(self._begun + 1)

    @property
    def in_hand(self) -> int:
        return len(self._taken)

    @property
    def is_ready(self) -> bool:
        """Whether ``settle`` would give anything."""
        return next(iter(self._taken.values()), None) is not None

    @property
    def may_take(self) -> bool:
        return not (self._one_by_one and self._taken)

    def take(self, offset: int) -> int:
        """Gives how often it has been delivered, with this time; where nobody knows, 2."""
        self._taken[offset] = None
        if not self._one_by_one:
            return 1
        self._one_by_one -= 1
        return max(self._begun + 1, 2)

    def done(self, offset: int, kept: Kept) -> None:
        """``kept``: what is to be written with the offset."""
        self._taken[offset] = kept

    def settle(self) -> list[Kept]:
        """All that is done and has nothing before it that is not; ``offset`` moves behind it."""
        found: list[Kept] = []
        while self._taken:
            offset, kept = next(iter(self._taken.items()))
            if kept is None:
                break
            found.append(kept)
            del self._taken[offset]
            self.offset = offset + 1
            self._begun = 0
        return found
