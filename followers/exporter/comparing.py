"""Pages of all levels, one after the other, against what their events left. Pure.

A row that has moved since its page was read is left to the next walk. One that differs is told once, until it changes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from followers.exporter.auditing import NOTHING, wrong_by_itself
from followers.exporter.counts import Counts
from followers.exporter.known import Known, Level, Sku
from followers.exporter.violations import LEVELS, Violations

TOLD_MAX = 10_000
"""Rows that are remembered to have been told; beyond it all of them are told once more."""

Row = Mapping[str, Any]
"""As ``GET /v1/levels`` has it."""


class Walk:
    def __init__(self, known: Known, violations: Violations, counts: Counts) -> None:
        self._counts = counts
        self._known = known
        self._violations = violations
        self._told: dict[tuple[str, str], Level] = {}
        self._sku = ""
        self._first: Sku | None = None
        self._here = True
        self._begin()

    def page(self, rows: Sequence[Row], heads: Mapping[int, int], gone: set[str], *, last: bool) -> None:
        """``heads``: of the snapshot that ``rows`` are of; all events up to them were audited. ``gone``: skus that
        were let go of since the page was asked for. ``last``: no page follows."""
        for row in rows:
            sku = row["sku"]
            if sku != self._sku:
                self._finish()
                self._sku, self._here = sku, True
                self._row(row, heads, gone)
                self._first = self._known.of(sku)
            else:
                self._row(row, heads, gone)
        if last:
            self._finish()
            self._counts.walks += 1
            self._known.all_of_them |= self._all_here and self._counts.levels_let_go == self._let_go
            self._begin()

    def _begin(self) -> None:
        self._sku, self._first = "", None
        self._all_here = True
        self._let_go = self._counts.levels_let_go

    def _finish(self) -> None:
        """All rows of a sku were seen."""
        if self._first is not None and self._here and self._known.of(self._sku) is self._first:
            self._first.whole = True
        self._all_here &= self._here
        self._first = None

    def _row(self, row: Row, heads: Mapping[int, int], gone: set[str]) -> None:
        sku, location = row["sku"], row["location"]
        level = row["version"], row["on_hand"], row["reserved"], row["seq"]
        known = self._known.level(sku, location)
        if known is None:
            wrong = wrong_by_itself(location, level[1], level[2])
            self._judge((sku, location), level, NOTHING if self._known.all_of_them else level, wrong)
            self._here &= sku not in gone and self._known.shown(sku, location, level)
        elif known[3] <= heads[row["shard"]]:
            self._counts.rows += 1
            wrong = None if level == known else wrong_by_itself(location, level[1], level[2])
            self._judge((sku, location), level, known, wrong)

    def _judge(self, key: tuple[str, str], level: Level, expected: Level, wrong: str | None) -> None:
        """``wrong``: what is broken by the row alone."""
        if level == expected and wrong is None:
            self._told.pop(key, None)
            return
        if self._told.get(key) == level:
            return
        if len(self._told) >= TOLD_MAX:
            self._told.clear()
        self._told[key] = level
        place = f"{key[0]} at {key[1]}"
        if level != expected:
            self._violations.add(LEVELS, f"{place}: its row says {_shown(level)}, its last event {_shown(expected)}")
        if wrong is not None:
            self._violations.add(wrong, f"{place}: its row says {_shown(level)}")


def _shown(level: Level) -> str:
    version, on_hand, reserved, seq = level
    return f"version {version} (seq {seq}), on_hand {on_hand}, reserved {reserved}"
