"""How far a partition of Kafka was done, and how often what comes next was begun. Pure.

An offset says that all before it is done, so what is done out of order waits for what stands before it. Kafka does not
count deliveries: with the offset a note is committed, how often the command there has been begun, before it is.
"""

from collections import OrderedDict
from collections.abc import Sequence, Sized
from typing import Any, Generic, Protocol, TypeVar

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
        self._suspect: int | None = None
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
    def in_doubt(self) -> bool:
        """Whether what comes next, or is in hand, may be what has ended a process."""
        return self._one_by_one > 0 or self._suspect in self._taken

    def take(self, offset: int) -> int:
        """Gives how often it has been delivered, with this time; where nobody knows, 2."""
        self._taken[offset] = None
        if not self._one_by_one:
            return 1
        self._one_by_one -= 1
        self._suspect = offset
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


class Line(Protocol):
    """A partition, and what of it waits to be begun."""

    @property
    def waiting(self) -> Sized: ...

    @property
    def progress(self) -> Progress[Any]: ...


AnyLine = TypeVar("AnyLine", bound=Line)


def may_begin(lines: Sequence[AnyLine]) -> tuple[Sequence[AnyLine], bool]:
    """Of which lines what waits may be begun; and whether only the first that waits there, alone. So is what may have
    ended a process, among all lines: what is in hand with it, whosever it is, would end with it each time, and be taken
    for it in the end."""
    suspects = [one for one in lines if one.progress.in_doubt and (one.waiting or one.progress.in_hand)]
    if not suspects:
        return lines, False
    if any(one.progress.in_hand for one in lines):
        return [], True
    return suspects[:1], True
