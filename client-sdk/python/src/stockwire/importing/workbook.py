"""The rows of an .xlsx file, as the texts that a CSV of it would hold. Needs openpyxl (``stockwire[xlsx]``)."""

import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any
from xml.etree.ElementTree import ParseError

from stockwire.importing.errors import UnreadableFile
from stockwire.importing.records import Record

WORKBOOK_BYTES_MAX = 256 * 2**20
"""Unpacked: a small zip file may unpack to anything, and shared texts are held in memory."""
CELLS_MAX = 1_000
"""In a row. Columns far to the right are strays."""
EXACT_BELOW = 10**15
"""A spreadsheet keeps 15 digits of a number; what is longer has lost the rest."""
ZIP_MAGIC, OLD_MAGIC = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"

_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError),  # of the zip file
    *(ParseError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError),  # of what stands in it
)
"""A damaged file may hold anything, and the library takes its word for much of it."""
_ZEROS = re.compile(r"0{2,32}\Z")


def is_workbook(content: bytes) -> bool:
    """Raises UnreadableFile for the format before 2007, which no open library reads well."""
    if content.startswith(OLD_MAGIC):
        raise UnreadableFile("this is an old Excel file (.xls), or one with a password: save it as .xlsx or CSV")
    return content.startswith(ZIP_MAGIC)


def workbook_rows(content: bytes, worksheet: str | None) -> tuple[list[Record], str]:
    """The rows of one worksheet, and what to say about it. Raises UnreadableFile."""
    try:
        import openpyxl
    except ImportError:
        raise UnreadableFile(
            "reading .xlsx needs openpyxl: pip install 'stockwire[xlsx]' (or save it as CSV)"
        ) from None
    _check_size(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that say nothing about the cells
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
            try:
                sheets: list[Any] = list(book.worksheets)
                for sheet in sheets:
                    sheet.reset_dimensions()  # what a file says of its own size is often wrong
                chosen = _chosen(sheets, worksheet)
                rows = list(_rows(chosen.iter_rows()))
            finally:
                book.close()
    except _DAMAGE as error:
        raise UnreadableFile(f"this is no sound .xlsx file: {error}") from None
    return rows, f"worksheet {chosen.title!r} of {len(sheets)}" if len(sheets) > 1 else ""


def cell_text(value: object, number_format: str = "General") -> str:
    """A number that is shown with leading zeros has them; a whole number has no decimals."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        if value.is_integer() and abs(value) < EXACT_BELOW:
            value = int(value)
        else:
            return repr(value)
    if isinstance(value, int):
        if abs(value) >= EXACT_BELOW:
            return f"{value:.5E}"  # as a spreadsheet shows it, and as lost as there
        return str(value).zfill(len(number_format)) if _ZEROS.match(number_format) else str(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value)


def _check_size(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            unpacked = sum(part.file_size for part in parts.infolist())
    except _DAMAGE as error:
        raise UnreadableFile(f"this is no sound .xlsx file: {error}") from None
    if unpacked > WORKBOOK_BYTES_MAX:
        raise UnreadableFile(f"the .xlsx file unpacks to more than {WORKBOOK_BYTES_MAX // 2**20} MiB: save it as CSV")


def _chosen(sheets: list[Any], told: str | None) -> Any:
    """The one with rows, or the one told: programs add empty sheets of their own."""
    by_name = {sheet.title: sheet for sheet in sheets}
    if told is not None:
        if told not in by_name:
            raise UnreadableFile(f"--worksheet {told!r}: the file has {', '.join(by_name)}")
        return by_name[told]
    filled = [sheet for sheet in sheets if next(_rows(sheet.iter_rows(max_row=1)), None)]
    if len(filled) != 1:
        shown = ", ".join(sheet.title for sheet in filled) or "none"
        raise UnreadableFile(f"{len(filled)} worksheets hold something ({shown}): say which with --worksheet NAME")
    return filled[0]


def _rows(rows: Iterator[tuple[Any, ...]]) -> Iterator[Record]:
    for number, row in enumerate(rows, start=1):
        texts = [
            "" if cell.value is None else cell_text(cell.value, cell.number_format or "General")
            for cell in row[:CELLS_MAX]
        ]
        while texts and not texts[-1]:
            texts.pop()
        yield Record(number, texts, "\t".join(texts))
