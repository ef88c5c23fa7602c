"""Every level, sku by location, and the rows of it that somebody has in sight. Pure: times are handed in."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from console.moments import text_of_moment
from console.watched.orders import Orders, Wanted

COLUMNS_MAX = 12
"""Locations beside each other; more do not fit any screen, and each costs bytes in every row."""
ON_THE_WAY = "transit:"
"""Locations of units between two others: shown, and no part of a sku's sums: nobody can sell them."""
SORTS = ("sku", "name", "on_hand", "reserved", "available", "changed")


class LevelLike(Protocol):
    """A level as the client has it."""

    @property
    def sku(self) -> str: ...
    @property
    def location(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def on_hand(self) -> int: ...
    @property
    def reserved(self) -> int: ...
    @property
    def available(self) -> int: ...
    @property
    def committed_at(self) -> datetime | None: ...


@dataclass(slots=True)
class Sums:
    """Of one sku, over all locations where it can be sold. ``changed``: the newest change, Unix time."""

    on_hand: int = 0
    reserved: int = 0
    available: int = 0
    changed: float = 0.0


@dataclass(frozen=True, slots=True)
class Sight:
    """What a viewer looks at. ``location``: skus that have a level there, sorted by it; empty: all, by their sums.
    ``locations``: the columns; empty: those with the most levels."""

    search: str = ""
    sort: str = "sku"
    descending: bool = False
    location: str = ""
    offset: int = 0
    limit: int = 50
    locations: tuple[str, ...] = ()

    @property
    def order(self) -> Wanted:
        return self.search.casefold(), self.sort, self.descending, self.location


class StockTable:
    """``names``: of items, by sku; whoever looks them up again puts them here."""

    def __init__(self) -> None:
        self.names: Mapping[str, str] = {}
        self._skus: dict[str, dict[str, LevelLike]] = {}
        self._sums: dict[str, Sums] = {}
        self._locations: Counter[str] = Counter()
        self.reserved = 0
        """Units, over all levels where something can be sold."""
        self._orders = Orders()

    @property
    def levels(self) -> int:
        return self._locations.total()

    @property
    def skus(self) -> int:
        return len(self._skus)

    @property
    def locations(self) -> list[str]:
        return sorted(self._locations)

    def replace(self, levels: Iterable[LevelLike]) -> None:
        """Another beginning: what is not among ``levels`` is gone."""
        self._skus.clear()
        self._sums.clear()
        self._locations.clear()
        self._orders.clear()
        self.reserved = 0
        for level in levels:
            self.put(level)

    def put(self, level: LevelLike) -> None:
        cells = self._skus.setdefault(level.sku, {})
        sums = self._sums.setdefault(level.sku, Sums())
        before = cells.get(level.location)
        if before is None:
            self._locations[level.location] += 1
        cells[level.location] = level
        if not level.location.startswith(ON_THE_WAY):
            sums.on_hand += level.on_hand - (before.on_hand if before else 0)
            sums.reserved += level.reserved - (before.reserved if before else 0)
            self.reserved += level.reserved - (before.reserved if before else 0)
            sums.available += level.available - (before.available if before else 0)
        if level.committed_at is not None:
            sums.changed = max(sums.changed, level.committed_at.timestamp())

    def level(self, sku: str, location: str) -> LevelLike | None:
        return self._skus.get(sku, {}).get(location)

    def wait_s(self, sight: Sight, now: float) -> float:
        """Until its rows may be asked for. Raises TooManyOrders."""
        return self._orders.wait_s(sight.order, now)

    def order(self, sight: Sight, now: float) -> list[str]:
        """All skus that match, as they are sorted."""
        return self._orders.skus(sight.order, self.skus, lambda: self._sorted(*sight.order), now)

    def rows(self, sight: Sight, now: float) -> dict[str, Any]:
        order = self.order(sight, now)
        columns, left_out = self._columns(sight)
        seen = order[sight.offset : sight.offset + sight.limit]
        return {
            "levels": self.levels,
            "skus": self.skus,
            "matching": len(order),
            "offset": sight.offset,
            "locations": columns,
            "more_locations": left_out,
            "rows": [self._row(sku, columns) for sku in seen if sku in self._skus],
        }

    def _columns(self, sight: Sight) -> tuple[list[str], int]:
        if sight.locations:
            return [*sight.locations[:COLUMNS_MAX]], max(0, len(sight.locations) - COLUMNS_MAX)
        most = [location for location, _ in self._locations.most_common(COLUMNS_MAX)]
        if sight.location and sight.location not in most:
            most = [*most[: COLUMNS_MAX - 1], sight.location]
        return sorted(most), max(0, len(self._locations) - len(most))

    def _row(self, sku: str, columns: Sequence[str]) -> dict[str, Any]:
        cells, sums = self._skus[sku], self._sums[sku]
        newest = max((level.committed_at for level in cells.values() if level.committed_at), default=None)
        return {
            "sku": sku,
            "name": self.names.get(sku),
            "on_hand": sums.on_hand,
            "reserved": sums.reserved,
            "available": sums.available,
            "committed_at": text_of_moment(newest) if newest else None,
            "cells": [_cell(cells.get(location)) for location in columns],
        }

    def _sorted(self, search: str, sort: str, descending: bool, location: str) -> list[str]:
        names = self.names
        matching = [
            sku
            for sku, cells in self._skus.items()
            if (not location or location in cells)
            and (not search or search in sku.casefold() or search in names.get(sku, "").casefold())
        ]
        matching.sort()
        if sort == "name":
            matching.sort(key=lambda sku: names.get(sku, "").casefold(), reverse=descending)
        elif sort == "sku":
            if descending:
                matching.reverse()
        elif location:
            matching.sort(key=lambda sku: _number(self._skus[sku][location], sort), reverse=descending)
        else:
            matching.sort(key=lambda sku: float(getattr(self._sums[sku], sort)), reverse=descending)
        return matching


def _number(level: LevelLike, sort: str) -> float:
    if sort == "changed":
        return level.committed_at.timestamp() if level.committed_at else 0.0
    return float(getattr(level, sort))


def _cell(level: LevelLike | None) -> dict[str, Any] | None:
    if level is None:
        return None
    return {
        "on_hand": level.on_hand,
        "reserved": level.reserved,
        "available": level.available,
        "version": level.version,
        "committed_at": text_of_moment(level.committed_at) if level.committed_at else None,
    }
