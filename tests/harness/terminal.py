"""The screen of a terminal: bytes that a program prints come in, what a person would see comes out. Pure.

Knows what our commands use (ECMA-48 cursor movement, erasing, the alternate screen) and refuses the rest, so that a
capture is never quietly wrong.
"""

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(r"\x1b\[([?]?)([0-9;]*)([A-Za-z])|([\r\n\x08\x07])|([^\x1b\r\n\x08\x07]+)")
ALTERNATE_SCREEN = "1049"
IGNORED_MODES = {"25", "2004", "7"}
"""Cursor visibility, bracketed paste, wrapping."""


@dataclass
class Cells:
    """``styles``: the SGR parameters that each character was printed with."""

    rows: list[list[str]] = field(default_factory=list)
    styles: list[list[str]] = field(default_factory=list)
    row: int = 0
    column: int = 0


class Terminal:
    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        self.columns, self.height = columns, rows
        self.alternate = False
        self._main = self._blank()
        self._other = self._blank()
        self._pending = ""
        self._style = ""

    def resize(self, columns: int, rows: int) -> None:
        """Contents are not reflowed: what is drawn next must not depend on them."""
        self.columns, self.height = columns, rows
        self._other = self._blank()
        self._main = self._blank()

    def feed(self, text: str) -> None:
        text = self._pending + text
        at = 0
        while match := _TOKEN.match(text, at):
            if match[5] is not None:
                self._print(match[5])
            elif match[4] is not None:
                self._control(match[4])
            else:
                self._escape(match[1], match[2], match[3])
            at = match.end()
        self._pending = text[at:]
        assert len(self._pending) < 32, f"not understood: {self._pending[:40]!r}"

    def lines(self) -> list[str]:
        """Of the screen that is shown, without the empty ones at its end."""
        shown = ["".join(row).rstrip() for row in self._cells.rows]
        while shown and not shown[-1]:
            shown.pop()
        return shown

    def style_of(self, line: int) -> str:
        """SGR parameters of the first character of a line, such as ``1;7;32``."""
        return self._cells.styles[line][0]

    @property
    def _cells(self) -> Cells:
        return self._other if self.alternate else self._main

    def _blank(self) -> Cells:
        return Cells(
            [[" "] * self.columns for _ in range(self.height)], [[""] * self.columns for _ in range(self.height)]
        )

    def _print(self, text: str) -> None:
        cells = self._cells
        for character in text:
            if cells.column == self.columns:
                cells.column = 0
                self._line_feed()
            cells.rows[cells.row][cells.column] = character
            cells.styles[cells.row][cells.column] = self._style
            cells.column += 1

    def _control(self, character: str) -> None:
        if character == "\r":
            self._cells.column = 0
        elif character == "\n":
            self._line_feed()
        elif character == "\x08":
            self._cells.column = max(0, self._cells.column - 1)

    def _line_feed(self) -> None:
        cells = self._cells
        if cells.row + 1 < self.height:
            cells.row += 1
            return
        for grid, blank in ((cells.rows, " "), (cells.styles, "")):
            grid.append([blank] * self.columns)
            del grid[0]

    def _escape(self, private: str, parameters: str, final: str) -> None:
        cells = self._cells
        if private:
            self._mode(parameters, final)
            return
        first = int(parameters.split(";")[0] or 0)
        match final:
            case "m":
                self._style = "" if parameters in ("", "0") else parameters
            case "H":
                line, _, place = parameters.partition(";")
                cells.row, cells.column = min(int(line or 1), self.height) - 1, min(int(place or 1), self.columns) - 1
            case "A":
                cells.row = max(0, cells.row - max(1, first))
            case "B":
                cells.row = min(self.height - 1, cells.row + max(1, first))
            case "G":
                cells.column = min(self.columns, max(1, first)) - 1
            case "K":
                self._erase_line(first)
            case "J":
                assert first == 2, f"only the whole screen is erased here, not {parameters!r}"
                for row in range(self.height):
                    cells.rows[row][:] = " " * self.columns
            case _:
                raise AssertionError(f"not understood: CSI {parameters}{final}")

    def _mode(self, parameters: str, final: str) -> None:
        if parameters == ALTERNATE_SCREEN:
            self.alternate = final == "h"
            if self.alternate:
                self._other = self._blank()
        else:
            assert parameters in IGNORED_MODES, f"not understood: CSI ?{parameters}{final}"

    def _erase_line(self, which: int) -> None:
        cells = self._cells
        begin, end = {0: (cells.column, self.columns), 1: (0, cells.column + 1), 2: (0, self.columns)}[which]
        cells.rows[cells.row][begin:end] = " " * (end - begin)
