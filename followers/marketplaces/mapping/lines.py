"""Lines of a mapping, and as CSV: every wrong line is named with its number and what to write."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from followers.marketplaces.terms import REMOTE_CHARACTERS_MAX
from wire.names import NAME_PATTERN, NAME_REASON

LINES_MAX = 200_000
"""Of one file."""
WRONG_MAX = 100
"""Wrong lines that are told at once."""
COLUMNS = ("remote", "sku", "location")
FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""https://owasp.org/www-community/attacks/CSV_Injection"""
SHOWN = ("title", "barcode", "quantity")
"""Columns of what we write that are passed over when it is read."""
_NAME = re.compile(NAME_PATTERN)
_REMOTE = re.compile(r"[^\x00-\x1f\x7f]{1,200}\Z")


@dataclass(frozen=True, slots=True)
class Line:
    """``location``: None: all of the channel's."""

    remote: str
    sku: str
    location: str | None = None


@dataclass(frozen=True, slots=True)
class Wrong:
    """``line``: counted from 1, the header too."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


class LinesRefused(Exception):
    """``wrong``: at least one, WRONG_MAX at most; nothing of the file is taken."""

    def __init__(self, wrong: Sequence[Wrong]) -> None:
        super().__init__("; ".join(map(str, wrong)))
        self.wrong = wrong


def read_csv(text: str) -> list[Line]:
    """RFC 4180, with a header. Raises LinesRefused."""
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    numbered: list[tuple[int, dict[str, str]]] = []
    try:
        header = [name.strip().lower() for name in next(rows, [])]
        _check_header(header)
        for row in rows:
            if not any(row):
                continue
            if len(row) != len(header):
                raise LinesRefused([Wrong(rows.line_num, f"has {len(row)} columns, and the header {len(header)}")])
            numbered.append((rows.line_num, dict(zip(header, row, strict=True))))
            if len(numbered) > LINES_MAX:
                raise LinesRefused([Wrong(rows.line_num, f"is one too many: at most {LINES_MAX} at once")])
    except csv.Error as error:
        raise LinesRefused([Wrong(max(1, rows.line_num), f"is no CSV: {error}")]) from None
    return checked(numbered)


def checked(numbered: Iterable[tuple[int, Mapping[str, str]]]) -> list[Line]:
    """Lines by their numbers. Raises LinesRefused: also for a listing that is mapped twice."""
    found: dict[str, tuple[int, Line]] = {}
    wrong: list[Wrong] = []
    for number, values in numbered:
        line = Line(values["remote"], values["sku"], values.get("location") or None)
        reason = _reason(line)
        if reason is None and line.remote in found:
            reason = f"remote {line.remote!r} is mapped twice: it stands on line {found[line.remote][0]} too"
        if reason is None:
            found[line.remote] = number, line
        else:
            wrong.append(Wrong(number, reason))
        if len(wrong) >= WRONG_MAX:
            break
    if wrong:
        raise LinesRefused(wrong)
    return [line for _, line in found.values()]


def write_csv(rows: Iterable[Sequence[object]]) -> str:
    """``rows``: remote, sku, location, title; None is empty. A title is for people alone, and anybody may have typed it
    there: spreadsheets are to take none for a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*COLUMNS, "title"))
    for remote, sku, location, title in rows:
        writer.writerow((remote, sku, location or "", f"'{title}" if str(title).startswith(FORMULAS) else title))
    return text.getvalue()


def _check_header(header: Sequence[str]) -> None:
    missing = [name for name in ("remote", "sku") if name not in header]
    unknown = [name for name in header if name not in (*COLUMNS, *SHOWN)]
    if missing or unknown or len(set(header)) < len(header):
        what = f"lacks {' and '.join(missing)}" if missing else f"has {(unknown or ['a column twice'])[0]!r}"
        raise LinesRefused([Wrong(1, f"{what}: the header is {','.join(COLUMNS)}")])


def _reason(line: Line) -> str | None:
    if not _REMOTE.match(line.remote) or line.remote != line.remote.strip():
        return f"remote must be 1 to {REMOTE_CHARACTERS_MAX} visible characters without blanks around them"
    if not _NAME.match(line.sku):
        return f"sku {NAME_REASON}"
    if line.location is not None and not _NAME.match(line.location):
        return f"location {NAME_REASON}"
    return None
