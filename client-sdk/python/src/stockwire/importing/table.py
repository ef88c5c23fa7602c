"""A file as a table: its lines as records, and which column is which field."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from stockwire.importing.columns import Columns, check_header, fit, no_columns
from stockwire.importing.content import read_content
from stockwire.importing.encoding import decode
from stockwire.importing.errors import UnreadableFile
from stockwire.importing.options import SEPARATORS, ReadOptions
from stockwire.importing.profile import Profile
from stockwire.importing.records import Record, records, split_lines
from stockwire.importing.shops import OWN, PROFILES
from stockwire.importing.workbook import is_workbook, workbook_rows

HEADER_WITHIN = 20
"""Reports begin with a title, the shop's name and a period; the header is the first line that names all columns."""
_SAID = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}


@dataclass(frozen=True, slots=True)
class Table:
    """``records``: what follows the header, without empty lines at the end, each as wide as the header or at fault."""

    header: tuple[str, ...]
    columns: Columns
    records: tuple[Record, ...]
    readings: tuple[str, ...]
    profile: Profile

    def texts(self, name: str) -> list[str]:
        """The column of a field, one text for each record without a fault; nothing if there is no such column."""
        position = self.columns.at.get(name)
        return [] if position is None else [one.cells[position] for one in self.records if not one.fault]


def read_table(path: Path, kind: str, options: ReadOptions) -> Table:
    """Raises UnreadableFile."""
    content = read_content(path)
    try:
        return parse_table(content, kind, options)
    except UnreadableFile as error:
        raise UnreadableFile(f"{path}: {error}") from None


def parse_table(content: bytes, kind: str, options: ReadOptions) -> Table:
    """Raises UnreadableFile."""
    if options.profile is not None:
        options = _with_profile(options, options.profile)
    if is_workbook(content):
        return _from_workbook(content, kind, options)
    decoded = decode(content, options.encoding)
    lines = split_lines(decoded.text)
    readings = [decoded.reading] if decoded.reading else []
    begin, separators = _separators(lines, options)
    found = next(_headers(lines, begin, separators, kind, options), None)
    if found is None:
        raise _no_header(lines, begin, separators, kind, options)
    header, columns, separator = found
    first = header.line + header.original.count("\n")
    body = records(lines, separator, first, len(header.cells))
    if len(separators) > 1 and separator != ",":
        readings.append(f"separator {_SAID.get(separator, repr(separator))}, by the header")
    return _table(header, columns, body, readings)


def _from_workbook(content: bytes, kind: str, options: ReadOptions) -> Table:
    rows, said = workbook_rows(content, options.worksheet)
    filled = [row for row in rows if row.cells]
    if not filled:
        raise UnreadableFile("the file is empty")
    for header in filled[:HEADER_WITHIN]:
        columns = fit(header.cells, kind, options, PROFILES.values())
        if columns is not None:
            check_header(header.cells)
            body = (row for row in rows if row.line > header.line)
            return _table(header, columns, body, [said] if said else [], padded=True)
    raise no_columns(filled[0].cells, kind, options)


def _with_profile(options: ReadOptions, profile: Profile) -> ReadOptions:
    """What the profile says of the file, where the user does not say otherwise."""
    return replace(
        options,
        separator=options.separator or profile.separator,
        encoding=options.encoding or profile.encoding,
        worksheet=options.worksheet or profile.worksheet,
    )


def _separators(lines: Sequence[str], options: ReadOptions) -> tuple[int, tuple[str, ...]]:
    """Where to begin, and what may separate cells. Excel itself may say it in a line before the header."""
    first = lines[0].strip().strip('"').lower() if lines else ""
    told = first.startswith("sep=") and len(first) == len("sep=") + 1
    if options.separator is not None:
        return int(told), (options.separator,)
    return (1, (first[-1],)) if told else (0, tuple(SEPARATORS.values()))


def _headers(
    lines: Sequence[str], begin: int, separators: Sequence[str], kind: str, options: ReadOptions
) -> Iterator[tuple[Record, Columns, str]]:
    """The separator is the one with which a line names the columns; at most one does."""
    ahead = {separator: _ahead(lines, begin, separator) for separator in separators}
    for row in range(HEADER_WITHIN):
        for separator, candidates in ahead.items():
            if row < len(candidates):
                header = candidates[row]
                columns = fit(header.cells, kind, options, PROFILES.values())
                if columns is not None:
                    check_header(header.cells)
                    yield header._replace(cells=_trimmed(header.cells)), columns, separator


def _ahead(lines: Sequence[str], begin: int, separator: str) -> list[Record]:
    found: list[Record] = []
    for record in records(lines, separator, begin):
        if not record.fault and any(cell.strip() for cell in record.cells):
            found.append(record)
        if len(found) == HEADER_WITHIN or record.line > begin + 3 * HEADER_WITHIN:
            break
    return found


def _no_header(
    lines: Sequence[str], begin: int, separators: Sequence[str], kind: str, options: ReadOptions
) -> UnreadableFile:
    candidates = [ahead[0] for one in separators if (ahead := _ahead(lines, begin, one))]
    if not candidates:
        first = next(records(lines, ",", begin), None)
        return UnreadableFile(
            f"the first line is no CSV: {first.fault}" if first and first.fault else "the file is empty"
        )
    widest = max(candidates, key=lambda record: len(record.cells))
    return no_columns(widest.cells, kind, options)


def _table(
    header: Record, columns: Columns, body: Iterator[Record], readings: list[str], *, padded: bool = False
) -> Table:
    width = len(header.cells)
    found = [_as_wide(record, width, padded=padded) for record in body]
    while found and _is_blank(found[-1]):
        found.pop()
    if columns.recognised and not columns.profile.name.startswith(OWN):
        readings.insert(0, f"profile {columns.profile.name}, recognised by its columns")
    if header.line > 1:
        readings.append(f"the header is line {header.line}; what stands above it is left out")
    return Table(tuple(header.cells), columns, tuple(found), tuple(readings), columns.profile)


def _as_wide(record: Record, width: int, *, padded: bool) -> Record:
    """Cells beyond the header that hold nothing are a spreadsheet's; a workbook leaves out empty cells at the end."""
    cells = record.cells
    if len(cells) == width or record.fault:
        return record
    if not any(cells):
        return record._replace(cells=[], fault="empty line")
    if len(cells) > width and not any(cells[width:]):
        return record._replace(cells=cells[:width])
    if len(cells) < width and padded:
        return record._replace(cells=[*cells, *[""] * (width - len(cells))])
    return record._replace(fault=f"{len(cells)} columns instead of {width}")


def _is_blank(record: Record) -> bool:
    return record.fault == "empty line" or (not record.fault and not any(record.cells))


def _trimmed(cells: Sequence[str]) -> list[str]:
    kept = list(cells)
    while kept and not kept[-1].strip():
        kept.pop()
    return kept
