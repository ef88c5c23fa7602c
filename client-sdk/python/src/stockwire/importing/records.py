"""Text as records of cells, each with the number of the line where it begins. Pure.

A quoted field may hold separators, doubled quotes and line breaks; a record with line breaks counts as one line, with
the number of its first. A quote that is not closed spoils its own line and never takes another with it.
"""

import csv
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from stockwire.importing.errors import UnreadableFile

LINE_CHARACTERS_MAX = 2**20
"""Product descriptions are long; a line of more is no line of a table."""
RECORD_LINES_MAX = 2_000
"""A quote that is not closed within so many lines is a slip of the pen, not a long description."""


class Record(NamedTuple):
    """``fault``: why it is no record; its cells are then no more than what stands between separators."""

    line: int
    cells: Sequence[str]
    original: str
    fault: str = ""


def split_lines(text: str) -> list[str]:
    """Raises UnreadableFile."""
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    longest = max(map(len, lines), default=0)
    if longest > LINE_CHARACTERS_MAX:
        number = next(number for number, line in enumerate(lines, start=1) if len(line) > LINE_CHARACTERS_MAX)
        raise UnreadableFile(f"line {number} is longer than {LINE_CHARACTERS_MAX} characters: this is no table")
    return lines


def records(lines: Sequence[str], separator: str, begin: int = 0, width: int | None = None) -> Iterator[Record]:
    """From line ``begin`` on. ``width``: how many cells a record over several lines must have, if that is known."""
    index = begin
    while index < len(lines):
        line = lines[index]
        if '"' not in line:
            yield Record(index + 1, line.split(separator) if line else [], line)
            index += 1
            continue
        cells, fault = _cells(line, separator)
        taken = 1
        if cells is None:
            taken, cells = _joined(lines, index, separator, width)
        original = "\n".join(lines[index : index + taken])
        yield Record(
            index + 1, line.split(separator) if cells is None else cells, original, fault if cells is None else ""
        )
        index += taken


def _joined(lines: Sequence[str], index: int, separator: str, width: int | None) -> tuple[int, list[str] | None]:
    """How many lines close the quote that the first leaves open, and their cells; 1 and None if none do.

    Only where the quotes are even can the record end, so each line is looked at once.
    """
    quotes = lines[index].count('"')
    for end in range(index + 1, min(index + RECORD_LINES_MAX, len(lines))):
        quotes += lines[end].count('"')
        if quotes % 2 == 0 and '"' in lines[end]:
            cells, _ = _cells("\n".join(lines[index : end + 1]), separator)
            sound = cells is not None and width in (None, len(cells))
            return (end + 1 - index, cells) if sound else (1, None)
    return 1, None


def _cells(text: str, separator: str) -> tuple[list[str] | None, str]:
    """The cells of one record, or None and why not. Strict, so that a stray quote is seen."""
    try:
        rows = list(
            csv.reader(text.splitlines(keepends=True) if "\n" in text else [text], delimiter=separator, strict=True)
        )
    except csv.Error as error:
        return None, "a quote is not closed" if "unexpected end" in str(error) else f"no CSV: {error}"
    if len(rows) > 1:
        return None, "a quote is not closed"
    return (rows[0] if rows else []), ""
