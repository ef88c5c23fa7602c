"""One line of a sales file as a movement of stock, and the invoice it belongs to. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from stockwire.operation import QUANTITY_MAX
from stockwire.request import is_name

SERVICES = frozenset(
    {"POST", "DOT", "C2", "D", "M", "S", "BANK CHARGES", "AMAZONFEE", "CRUK", "ADJUST", "ADJUST2", "GIFT"}
)
"""Stock codes that are no goods (in any case of letters): postage, carriage, discounts, manual entries, samples,
charges, fees, commissions and adjustments of money. Every other code is goods, so nothing is left out by a guess."""
VOUCHER_PREFIX = "GIFT_"
TEXT_CHARACTERS_MAX = 256

_QUANTITY = re.compile(r"[+-]?[0-9]{1,18}\Z")
_PRICE = re.compile(r"[0-9]{1,10}(\.[0-9]{1,4})?\Z")
_NOT_TEXT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
_TIME_FORMATS = ("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M")


class Unreadable(ValueError):
    """Why a line cannot be booked."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A line that moves no stock: its number in the file (the header being 1), why, and how it stood there."""

    line: int
    reason: str
    original: str


@dataclass(frozen=True, slots=True)
class StockLine:
    """``quantity``: units to add (negative: to take away), signed as ``kind`` wants it. ``line``: number in the file.

    ``at`` is in UTC, which the file does not say and is assumed. ``price`` of one unit, None where there is none.
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


@dataclass(frozen=True, slots=True)
class Invoice:
    """All lines of one invoice, in file order, wherever they stand in it; ``at`` is the time of the first."""

    number: str
    at: datetime
    lines: tuple[StockLine, ...]


@dataclass(frozen=True, slots=True)
class Cells:
    """The columns that matter, as text."""

    invoice: str
    sku: str
    description: str
    quantity: str
    at: str
    price: str


def stock_line(line: int, cells: Cells, original: str) -> StockLine:
    """Raises Unreadable."""
    invoice, sku = cells.invoice.strip(), cells.sku.strip()
    if not is_name(invoice):
        raise Unreadable(f"invoice number {invoice!r} is not 1 to 64 visible characters" if invoice else "no invoice")
    if not sku:
        raise Unreadable("empty stock code")
    if _is_service(invoice, sku.upper()):
        raise Unreadable(f"no goods: {sku}")
    if not is_name(sku):
        raise Unreadable(f"stock code {sku!r} is not 1 to 64 visible characters without / and *")
    quantity, kind = _movement(invoice, _quantity(cells.quantity.strip()))
    name = clean_text(cells.description)
    return StockLine(line, invoice, sku, name, quantity, kind, _time(cells.at.strip()), _price(cells.price), original)


def clean_text(text: str) -> str:
    """As the ledger takes names and reasons: no control characters, at most 256 characters."""
    return _NOT_TEXT.sub(" ", text).strip()[:TEXT_CHARACTERS_MAX]


def is_cancellation(invoice: str) -> bool:
    return invoice[:1] in ("C", "c")


def _is_service(invoice: str, code: str) -> bool:
    """Bad debt is booked as code B on invoices that begin with A; elsewhere B is a code like any other."""
    return code in SERVICES or code.startswith(VOUCHER_PREFIX) or (code == "B" and invoice[:1] in ("A", "a"))


def _movement(invoice: str, quantity: int) -> tuple[int, str]:
    """A cancellation's negative quantities come back into stock; other negative ones are write-offs."""
    if is_cancellation(invoice):
        if quantity > 0:
            raise Unreadable(f"a cancellation with a positive quantity: {quantity}")
        return -quantity, "return"
    return (-quantity, "sale") if quantity > 0 else (quantity, "write_off")


def _quantity(text: str) -> int:
    if not _QUANTITY.match(text):
        raise Unreadable(f"quantity {text!r} is no whole number")
    quantity = int(text)
    if quantity == 0:
        raise Unreadable("quantity is 0")
    if abs(quantity) > QUANTITY_MAX:
        raise Unreadable(f"quantity {quantity} is out of the 32-bit range")
    return quantity


@lru_cache(maxsize=4096)
def _time(text: str) -> datetime:
    for form in _TIME_FORMATS:
        try:
            at = datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        if 1900 <= at.year < 3000:
            return at
    raise Unreadable(f"date {text!r} is not day/month/year hour:minute")


def _price(text: str) -> Decimal | None:
    """A price that cannot be read says nothing about the goods: the line moves stock all the same."""
    text = text.strip()
    if not _PRICE.match(text):
        return None
    try:
        price = Decimal(text)
    except InvalidOperation:
        return None
    return price if price > 0 else None
