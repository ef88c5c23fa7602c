"""Whose turn it is to commit on a shard, as far as one of its writers has heard. Pure: no clock, no socket.

Nobody gives turns out, and nothing is taken that would have to be given back. Each writer hears of what the others
have committed; those that committed between its own last two batches go before its next one, in the order in which
they did. So two that fight commit in turns, and one that has nothing to commit, or is gone, is waited for once.
A turn only saves work: whoever goes without one may lose a race, which the commit statement decides.
"""


class Turns:
    """Of one writer among those of its shard. ``contested``: a race was lost, so that it is worth while to wait."""

    def __init__(self) -> None:
        self.contested = False
        self._seq = 0
        self._missed = False
        self._ahead: list[str] = []
        self._since: dict[str, None] = {}

    @property
    def first(self) -> str | None:
        """Who goes first; None: whoever asks."""
        return self._ahead[0] if self.contested and self._ahead else None

    def lost(self) -> None:
        """A batch was not written, since another writer was faster."""
        self.contested = True

    def committed(self, seq: int) -> None:
        """A batch of its own ended at ``seq``: whoever has committed since the one before goes first now."""
        self._seq = seq
        self._ahead = list(self._since)
        self._since.clear()

    def heard(self, by: str, seq: int) -> None:
        """The writer ``by`` has committed a batch that ends at ``seq``. Whoever was before it has let its turn go."""
        if seq < self._seq:  # told late: it was before our own last batch
            if by not in self._ahead and by not in self._since:
                self._ahead.append(by)
            return
        if by in self._ahead:
            self._missed = False
            del self._ahead[: self._ahead.index(by) + 1]
        self._since.pop(by, None)
        self._since[by] = None

    def missed(self) -> None:
        """Whoever goes first was waited for in vain. Twice in a row: there is nobody to fight with."""
        self.contested = not self._missed
        self._missed = True
        self._ahead.clear()

    def forget(self) -> None:
        """Nothing is heard any more."""
        self.contested = self._missed = False
        self._ahead.clear()
        self._since.clear()
