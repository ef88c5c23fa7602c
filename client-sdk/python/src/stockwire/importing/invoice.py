"""Lines of sales as movements of stock, and the invoices they belong to. Pure."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from stockwire.importing import words
from stockwire.request import INVISIBLE

TEXT_CHARACTERS_MAX = 256
CURRENCY_LETTERS = 3

_UNSEEN = re.compile(rf"[\s{INVISIBLE}]*\Z")
_NOT_TEXT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class Reject:
    """A line that books nothing: its number in the file (the header being 1), why, and how it stood there.

    ``word``: the kind of reason, one of `words`, to count by. ``column``: as the file names it, or nothing.
    """

    line: int
    reason: str
    original: str
    word: str = ""
    column: str = ""


@dataclass(frozen=True, slots=True)
class StockLine:
    """``quantity``: units to add (negative: to take away), signed as ``kind`` wants it. ``line``: number in the file.

    ``at`` is in UTC; ``day`` as the file writes it. ``price`` of one unit; ``price``, ``currency`` and ``location`` are
    None where the file does not say.
    """

    line: int
    invoice: str
    sku: str
    name: str
    quantity: int
    kind: str
    at: datetime
    price: Decimal | None
    original: str
    day: date
    location: str | None = None
    currency: str | None = None


class Unread(NamedTuple):
    """A line that was rejected, and that its invoice is not whole without.

    ``number`` of the receipt. ``day``, and whether it is of a ``refund``: None where that cannot be told. ``goods``:
    sku, units and kind as of a `StockLine`, if they could be read.
    """

    number: str
    day: date | None
    refund: bool | None
    reject: Reject
    goods: tuple[str, int, str] | None = None


@dataclass(frozen=True, slots=True)
class Invoice:
    """All lines of one invoice, in file order, wherever they stand in it; ``at`` is the time of the first.

    ``day``: where numbers begin again each day, the day that belongs to this one's identity; else None. ``unread``: the
    lines that were rejected and without which it is not whole, so that it is not booked.
    """

    number: str
    at: datetime
    lines: tuple[StockLine, ...]
    day: date | None = None
    unread: tuple[Unread, ...] = ()


def clean_text(text: str) -> str:
    """As the ledger takes names and reasons: no control characters, at most 256, and nothing if none is visible."""
    if len(text) <= TEXT_CHARACTERS_MAX and text.isprintable():
        return text.strip() if text.isascii() else _visible(text.strip())
    return _visible(_NOT_TEXT.sub(" ", text).strip()[:TEXT_CHARACTERS_MAX].strip())


def is_currency(code: str) -> bool:
    return len(code) == CURRENCY_LETTERS and code.isascii() and code.isupper() and code.isalpha()


def zeros_lost_reject(line: int, sku: str, was: str, original: str) -> Reject:
    """Of a line whose sku the ledger does not have, but with zeros before it."""
    reason = f"the ledger has {was} and no {sku}: zeros were lost"
    return Reject(line, reason, original, words.LEADING_ZERO_LOST, "sku")


def held_back_reject(line: StockLine, because: Reject) -> Reject:
    reason = f"held back: line {because.line} of its invoice {line.invoice} was rejected ({because.reason})"
    return Reject(line.line, reason, line.original, words.HELD_BACK)


def _visible(text: str) -> str:
    return "" if _UNSEEN.match(text) else text
