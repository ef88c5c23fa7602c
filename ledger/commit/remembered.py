"""Levels as a writer last knew them, so that a batch on hot levels is decided without reading them first. Pure.

They may be old: the commit statement checks each version, and writes nothing where one has moved.
"""

from collections.abc import Iterable, Mapping

from ledger.commit.stock import LevelKey, Stock

REMEMBERED_LEVELS_MAX = 100_000
"""Per writer; the least recently used go first. About 200 bytes each."""


class RememberedLevels:
    """Those of one writer."""

    def __init__(self, levels_max: int = REMEMBERED_LEVELS_MAX) -> None:
        self._levels: dict[LevelKey, Stock] = {}
        self._levels_max = levels_max

    def __len__(self) -> int:
        return len(self._levels)

    def of(self, keys: Iterable[LevelKey]) -> dict[LevelKey, Stock]:
        return {key: stock for key in keys if (stock := self._levels.get(key)) is not None}

    def contradict(self, levels: Mapping[LevelKey, Stock]) -> bool:
        """Whether one of ``levels``, as just read, is remembered in another way: somebody else has written it."""
        return any(self._levels.get(key, stock) != stock for key, stock in levels.items())

    def keep(self, levels: Mapping[LevelKey, Stock]) -> None:
        for key, stock in levels.items():
            known = self._levels.pop(key, stock)  # the last in a dict is the last used
            self._levels[key] = known if known.version > stock.version else stock
        while len(self._levels) > self._levels_max:
            del self._levels[next(iter(self._levels))]

    def refresh(self, key: LevelKey, stock: Stock) -> None:
        """Somebody else has moved a level to ``stock``. One that is not remembered is read when it is needed."""
        known = self._levels.get(key)
        if known is not None and stock.version > known.version:
            self._levels[key] = stock

    def forget(self, keys: Iterable[LevelKey]) -> None:
        for key in keys:
            self._levels.pop(key, None)

    def clear(self) -> None:
        self._levels.clear()
