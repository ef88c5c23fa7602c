"""A sales file (CSV, plain or gzip) as invoices and rejects. Nothing vanishes: each line after the header is in one.

A line is one record. A quoted field may contain commas, doubled quotes and line breaks; a record with line breaks
counts as one line, with the number of its first. Text is UTF-8, with or without a byte order mark; a line that is none
is Latin-1.
"""

import csv
import gzip
import hashlib
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from stockwire.importing.invoice import Cells, Invoice, Reject, StockLine, Unreadable, stock_line

LINE_BYTES_MAX = 64 * 2**10
RECORD_LINES_MAX = 20
"""A quote that is not closed within so many lines is a slip of the pen, not a long description."""
GZIP_MAGIC = b"\x1f\x8b"

_COLUMNS = {
    "invoice": ("invoiceno", "invoice"),
    "sku": ("stockcode",),
    "description": ("description",),
    "quantity": ("quantity",),
    "at": ("invoicedate",),
    "price": ("unitprice", "price"),
}
_REQUIRED = ("invoice", "sku", "quantity", "at")


class UnreadableFile(Exception):
    """The file as a whole cannot be read; the message says why in one line."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """``lines_read`` = lines of all ``invoices`` + ``rejects``. ``digest``: SHA-256 of the uncompressed bytes."""

    invoices: tuple[Invoice, ...]
    rejects: tuple[Reject, ...]
    lines_read: int
    digest: str


@dataclass(frozen=True, slots=True)
class Record:
    """``cells`` None: no CSV, see ``fault``."""

    line: int
    original: str
    cells: list[str] | None
    fault: str = ""


def read_invoices(path: Path) -> Iterator[Invoice]:
    """The invoices of a file by first appearance, without what is no goods or cannot be read. Raises UnreadableFile."""
    yield from read_sheet(path).invoices


def read_sheet(path: Path) -> Sheet:
    """Reads all of it into memory: the lines of an invoice may stand anywhere in it. Raises UnreadableFile."""
    with opened(path) as lines:
        return parse_sheet(lines)


@contextmanager
def opened(path: Path) -> Generator[Iterator[bytes]]:
    """The physical lines of a file, gunzipped if it is gzip, whatever its name. Raises UnreadableFile."""
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == GZIP_MAGIC
            raw.seek(0)
            with gzip.open(raw) if zipped else raw as content:
                yield _bounded_lines(content)
    except EOFError:
        raise UnreadableFile(f"{path} is cut off: its gzip stream has no end") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise UnreadableFile(f"{path} is no sound gzip file: {error}") from None
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror}") from None


def parse_sheet(lines: Iterable[bytes]) -> Sheet:
    """Raises UnreadableFile if there is no header that names the columns."""
    hashed = hashlib.sha256()
    records = _records(_hashing(lines, hashed.update))
    header = next(records, None)
    if header is None or header.cells is None:
        raise UnreadableFile("the file is empty" if header is None else f"the header is no CSV: {header.fault}")
    columns = _columns(header.cells)
    invoices: dict[str, list[StockLine]] = {}
    rejects: list[Reject] = []
    for record in records:
        try:
            line = _stock_line(record, columns, len(header.cells))
            invoices.setdefault(line.invoice, []).append(line)
        except Unreadable as error:
            rejects.append(Reject(record.line, str(error), record.original))
    grouped = tuple(Invoice(number, group[0].at, tuple(group)) for number, group in invoices.items())
    lines_read = len(rejects) + sum(len(invoice.lines) for invoice in grouped)
    return Sheet(grouped, tuple(rejects), lines_read, hashed.hexdigest())


def _stock_line(record: Record, columns: dict[str, int], width: int) -> StockLine:
    if record.cells is None:
        raise Unreadable(record.fault)
    if not record.cells:
        raise Unreadable("empty line")
    if len(record.cells) != width:
        raise Unreadable(f"{len(record.cells)} columns instead of {width}")
    texts = {name: record.cells[columns[name]] if name in columns else "" for name in _COLUMNS}
    return stock_line(record.line, Cells(**texts), record.original)


def _columns(header: list[str]) -> dict[str, int]:
    found = {"".join(name.split()).lower(): index for index, name in enumerate(header)}
    columns = {column: found[name] for column, names in _COLUMNS.items() for name in reversed(names) if name in found}
    missing = [_COLUMNS[column][0] for column in _REQUIRED if column not in columns]
    if missing:
        raise UnreadableFile(
            f"the first line names no column {', '.join(missing)}: it must name InvoiceNo, StockCode, Description, "
            "Quantity, InvoiceDate, UnitPrice, separated by commas"
        )
    return columns


def _records(lines: Iterator[bytes]) -> Iterator[Record]:
    """One record per line, or per several if a quoted field runs over line breaks and the whole is sound CSV."""
    ahead: list[str] = []
    number, width = 0, None
    while True:
        text = ahead.pop(0) if ahead else _decoded(next(lines, None), first=number == 0)
        if text is None:
            return
        number += 1
        first, taken = number, [text]
        cells, fault = _cells(text)
        if cells is None and width is not None:
            while len(ahead) < RECORD_LINES_MAX and (more := _decoded(next(lines, None))) is not None:
                ahead.append(more)
            taken = _joined(text, ahead, width)
            if len(taken) > 1:
                cells, _ = _cells("".join(taken))
                del ahead[: len(taken) - 1]
                number += len(taken) - 1
        width = width or len(cells or ())
        yield Record(first, "".join(taken).rstrip("\r\n"), cells, fault)


def _joined(text: str, ahead: list[str], width: int) -> list[str]:
    """``text`` and as many of the lines after it as close its quote; ``text`` alone if that makes no sound record."""
    for count in range(1, len(ahead) + 1):
        cells, _ = _cells("".join([text, *ahead[:count]]))
        if cells is not None:
            return [text, *ahead[:count]] if len(cells) == width else [text]
    return [text]


def _cells(text: str) -> tuple[list[str] | None, str]:
    """The cells of one record, or None and why not. Strict, so that a stray quote never swallows the lines after it."""
    try:
        rows = list(csv.reader([text], strict=True))
    except csv.Error as error:
        return None, "a quote is not closed" if "unexpected end" in str(error) else f"no CSV: {error}"
    return (rows[0] if rows else []), ""


def _decoded(line: bytes | None, *, first: bool = False) -> str | None:
    if line is None:
        return None
    try:
        return line.decode("utf-8-sig" if first else "utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _bounded_lines(content: BinaryIO | gzip.GzipFile) -> Iterator[bytes]:
    number = 0
    while line := content.readline(LINE_BYTES_MAX + 1):
        number += 1
        if len(line) > LINE_BYTES_MAX:
            raise UnreadableFile(f"line {number} is longer than {LINE_BYTES_MAX} bytes: this is no sales file")
        yield line


def _hashing(lines: Iterable[bytes], update: Callable[[bytes], None]) -> Iterator[bytes]:
    for line in lines:
        update(line)
        yield line
