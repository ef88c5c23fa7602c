"""Listings as lines of fixed columns, so that they can be printed while they are still being fetched. Pure.

A cell that is too long is cut with an ellipsis; cells are measured as terminals show them, where some characters are
two columns wide and some none. rich, which knows them, is imported with the first cell: its tables are large.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass

GAP = 2
REST_WIDTH_MIN = 8
WIDTH_ELSEWHERE = 80
"""Of what is no terminal."""


@dataclass(frozen=True, slots=True)
class Column:
    """``width`` in columns of the terminal; 0 for at most one: whatever is left."""

    title: str
    width: int
    right: bool = False


def terminal_width() -> int:
    """COLUMNS, else what the terminal says."""
    return shutil.get_terminal_size((WIDTH_ELSEWHERE, 24)).columns


class Columns:
    """``width``: of the terminal. ``gap``: between two columns."""

    def __init__(self, columns: Sequence[Column], width: int, gap: int = GAP) -> None:
        fixed = sum(column.width + gap for column in columns if column.width)
        self._columns = [(column, column.width or max(REST_WIDTH_MIN, width - fixed)) for column in columns]
        self._gap = gap

    def heading(self) -> str:
        return self.line([column.title for column, _ in self._columns])

    def line(self, cells: Sequence[str]) -> str:
        shown = [
            fitted(cell, width, right=column.right) for cell, (column, width) in zip(cells, self._columns, strict=True)
        ]
        return (" " * self._gap).join(shown).rstrip()


def fitted(text: str, width: int, *, right: bool = False) -> str:
    """Exactly ``width`` columns wide: filled up, or cut with an ellipsis at its end."""
    from rich.cells import cell_len

    shown = cut(text, width)
    filling = " " * (width - cell_len(shown))
    return filling + shown if right else shown + filling


def printable(text: str) -> str:
    """Characters that would move the cursor, or say something to the terminal, are shown as what they are."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def cut(text: str, width: int) -> str:
    """At most ``width`` columns wide; characters that would move the cursor are shown as what they are."""
    from rich.cells import cell_len, set_cell_size

    shown = printable(text)
    if cell_len(shown) <= width:
        return shown
    return set_cell_size(shown, max(0, width - 1)).rstrip() + "…"
