"""Holds as this process last knew them, so that a basket is paid for without reading its hold first. Pure.

They may be old: the commit statement checks each version, and writes nothing where one has moved.
"""

from collections.abc import Iterable

from ledger.commit.hold import Hold

REMEMBERED_HOLDS_MAX = 20_000
"""Of a process; the least recently used go first. About 1 kB each."""


class RememberedHolds:
    """Those of all writers of a process: a hold may be moved by any of them."""

    def __init__(self, holds_max: int = REMEMBERED_HOLDS_MAX) -> None:
        self._holds: dict[str, Hold] = {}
        self._holds_max = holds_max

    def __len__(self) -> int:
        return len(self._holds)

    def of(self, ids: Iterable[str]) -> dict[str, Hold]:
        return {known: self._holds[known] for known in ids if known in self._holds}

    def keep(self, holds: Iterable[Hold]) -> None:
        """Those that are open: nothing more becomes of the others."""
        for hold in holds:
            known = self._holds.pop(hold.id, None)  # the last in a dict is the last used
            newest = known if known is not None and known.version > hold.version else hold
            if newest.open:
                self._holds[hold.id] = newest
        while len(self._holds) > self._holds_max:
            del self._holds[next(iter(self._holds))]

    def forget(self, ids: Iterable[str]) -> None:
        for known in ids:
            self._holds.pop(known, None)

    def clear(self) -> None:
        self._holds.clear()
