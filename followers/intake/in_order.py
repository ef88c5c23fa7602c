"""Which messages in hand may be begun, where a broker gives them to whoever asks. Pure.

A message may be begun when every older one is in the same hands or acknowledged: so nothing overtakes what is still
with another process, or with one that is gone and will be delivered again.
"""

from bisect import insort


class InOrder:
    """By sequence numbers, which may have gaps: messages are deleted, or too old."""

    def __init__(self, floor: int) -> None:
        """``floor``: all up to it are acknowledged."""
        self._reach = floor
        self._held: list[int] = []
        self._begun: set[int] = set()

    def __len__(self) -> int:
        return len(self._held) + len(self._begun)

    @property
    def held(self) -> int:
        """Those that are not begun."""
        return len(self._held)

    @property
    def last(self) -> int:
        """The newest of those; 0 where there is none."""
        return self._held[-1] if self._held else 0

    @property
    def begun(self) -> int:
        return len(self._begun)

    def come(self, sequence: int) -> bool:
        """Whether it is in hand only now: one that is takes longer than the broker waits may come again."""
        if sequence in self._begun or sequence in self._held:
            return False
        insort(self._held, sequence)
        self._reach_on()
        return True

    def told(self, floor: int, pending: int, held: int, last: int) -> None:
        """By the broker: ``pending`` are delivered to anybody and not acknowledged. If those are no more than waited
        here when it was asked, ``held`` up to ``last``, nobody else has any of these. What has come since is not to be
        counted: it may be in the place of one that somebody else has."""
        self._reach = max(self._reach, floor)
        if held and pending <= held:
            self._reach = max(self._reach, last)
        self._reach_on()

    def begin(self, most: int) -> list[int]:
        """Up to so many, the oldest first, that are begun with this."""
        found: list[int] = []
        while self._held and self._held[0] <= self._reach and len(found) < most:
            found.append(self._held.pop(0))
        self._begun.update(found)
        return found

    def end(self, sequence: int) -> None:
        """It was acknowledged."""
        self._begun.discard(sequence)

    def _reach_on(self) -> None:
        for sequence in self._held:
            if sequence == self._reach + 1:
                self._reach = sequence
            elif sequence > self._reach:
                break
