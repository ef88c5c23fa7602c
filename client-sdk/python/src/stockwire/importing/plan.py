"""What the invoices of a file are as operations: pure, and a function of each invoice alone.

**Keys.** An invoice is one operation with key ``import:<location>:<number>``; where numbers begin again each day,
``import-daily:<location>:<day>:<number>``. Nothing else of the file is in it: a file that has grown, was sorted, saved
in another encoding or with other line ends gives the same operations under the same keys. The lines of an operation are
in an order of their own, and operations in the order of their times.

**Zeros.** A spreadsheet makes ``123`` of the number ``000123``. A booking says under which other forms of its number
the same sale may be known (``zero_keys``). Whether it is the same is never told by the number, since ``0012`` and
``12`` may be two sales: the same goods at the same times decide.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from urllib.parse import quote

import orjson

from stockwire.importing import words
from stockwire.importing.invoice import Invoice, Reject, StockLine, held_back_reject, zeros_lost_reject
from stockwire.importing.sheet import Sheet
from stockwire.importing.zeros import without_zeros, zero_forms
from stockwire.operation import QUANTITY_MAX, Line

LINES_PER_OPERATION_MAX = 1_000
BODY_BYTES_MAX = 256 * 2**10
"""Both as the ledger takes them by default. An invoice beyond them cannot be atomic, so its lines are rejected."""
KEY_CHARACTERS_MAX = 200
_VISIBLE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '%:"')


@dataclass(frozen=True, slots=True)
class Booking:
    """One invoice as one operation.

    ``other_keys``: those under which an import with the other reading of numbers would have booked it, on each of
    ``other_days``. ``times``: of its lines. ``file_lines``: how many lines of the file it stands for, of which several
    may have been summed into one.
    """

    invoice: str
    key: str
    lines: tuple[Line, ...]
    file_lines: int
    times: frozenset[datetime] = frozenset()
    day: date | None = None
    other_days: tuple[date | None, ...] = ()
    first_line: int = 0

    @property
    def other_keys(self) -> tuple[str, ...]:
        return tuple(import_key(self.lines[0].location, self.invoice, day) for day in self.other_days)

    @property
    def zero_keys(self) -> tuple[str, ...]:
        """Those of the same sale in a file whose numbers have zeros before them that this one lacks, or lack them."""
        days = (self.day, *self.other_days)
        location = self.lines[0].location
        return tuple(import_key(location, number, day) for number in zero_forms(self.invoice) for day in days)


@dataclass(frozen=True, slots=True)
class Plan:
    """``items``: the first name and price seen of each sku. ``bookings`` in the order in which they happened.

    ``held``: of each invoice that is held back because a line of it was rejected, what could be read of it. All its
    lines are among the ``rejects``.
    """

    location: str
    items: Mapping[str, StockLine | None]
    bookings: tuple[Booking, ...]
    rejects: tuple[Reject, ...]
    lines_read: int
    held: tuple[tuple[Line, ...], ...] = ()


def make_plan(sheet: Sheet, location: str, lost_zeros: Mapping[str, str] | None = None) -> Plan:
    """``lost_zeros``: skus of the file that were others before a spreadsheet had them, and which."""
    rejects = list(sheet.rejects)
    merged: list[tuple[Invoice, Booking]] = []
    held: list[tuple[Line, ...]] = []
    for invoice in sheet.invoices:
        lines, own = _movements(invoice, location, lost_zeros or {})
        missing = [*(one.reject for one in invoice.unread), *own]
        if not missing:
            merged.append((invoice, _booking(invoice, lines, location)))
            continue
        back = _held_back(invoice, own, min(missing, key=lambda reject: reject.line))
        rejects += own + back
        if back:
            held.append((*lines, *_read_of_rejected(invoice, location)))
    merged, doubled = _without_doubles(merged)
    rejects += doubled
    merged.sort(key=lambda pair: _order(pair[1]))
    return Plan(
        location,
        _items(invoice for invoice, _ in merged),
        tuple(booking for _, booking in merged),
        tuple(sorted(rejects, key=lambda reject: reject.line)),
        sheet.lines_read,
        tuple(held),
    )


def _movements(invoice: Invoice, location: str, lost_zeros: Mapping[str, str]) -> tuple[tuple[Line, ...], list[Reject]]:
    rejects = [
        zeros_lost_reject(line.line, line.sku, lost_zeros[line.sku], line.original)
        for line in invoice.lines
        if line.sku in lost_zeros
    ]
    lines, too_large = merge(_without(invoice, rejects), location)
    return lines, rejects + too_large


def _read_of_rejected(invoice: Invoice, location: str) -> Iterator[Line]:
    for one in invoice.unread:
        if one.goods is not None:
            sku, units, kind = one.goods
            yield Line(sku, location, units, kind)


def _held_back(invoice: Invoice, rejects: Sequence[Reject], because: Reject) -> list[Reject]:
    return [held_back_reject(line, because) for line in _without(invoice, rejects).lines]


def merge(invoice: Invoice, location: str) -> tuple[tuple[Line, ...], list[Reject]]:
    """The lines of the operation, those of the same sku and kind summed, and what cannot be booked with it."""
    sums: dict[tuple[str, str], list[StockLine]] = {}
    for line in sorted(invoice.lines, key=lambda line: (line.sku, line.kind, line.at, line.name)):
        sums.setdefault((line.sku, line.kind), []).append(line)
    lines: list[Line] = []
    rejects: list[Reject] = []
    for group in sums.values():
        quantity = sum(line.quantity for line in group)
        if abs(quantity) > QUANTITY_MAX:
            reason = f"the invoice's lines of this sku add up to {quantity}, out of the 32-bit range"
            rejects += _rejected(group, reason)
        else:
            lines.append(_movement(invoice, group[0], quantity, location))
    if too_large := _too_large(lines):
        return (), _rejected(invoice.lines, too_large)
    return tuple(lines), rejects


def import_key(location: str, number: str, day: date | None = None) -> str:
    """``import:<location>:<number>``, or ``import-daily:<location>:<day>:<number>``.

    Characters that no key can have, and a colon in the location, are percent-encoded.
    """
    place, rest = _quoted(location, _VISIBLE), _quoted(number, _VISIBLE + ":")
    key = f"import:{place}:{rest}" if day is None else f"import-daily:{place}:{day.isoformat()}:{rest}"
    return bounded_key(key)


def _quoted(text: str, safe: str) -> str:
    """Letters and digits, which most numbers are, stay as they are."""
    return text if text.isascii() and text.isalnum() else quote(text, safe=safe)


def goods(lines: Iterable[Line]) -> dict[tuple[str, str], int]:
    """Units by sku and kind."""
    sums: dict[tuple[str, str], int] = {}
    for line in lines:
        sums[line.sku, line.kind] = sums.get((line.sku, line.kind), 0) + line.quantity
    return sums


def bounded_key(key: str) -> str:
    """``key``, or its digest where it is too long for a ledger."""
    if len(key) <= KEY_CHARACTERS_MAX:
        return key
    return f"{key.partition(':')[0]}:{hashlib.sha256(key.encode()).hexdigest()}"


def _booking(invoice: Invoice, lines: tuple[Line, ...], location: str) -> Booking:
    days = (None,) if invoice.day is not None else tuple(sorted({line.day for line in invoice.lines}))
    return Booking(
        invoice.number,
        import_key(location, invoice.number, invoice.day),
        lines,
        len(invoice.lines),
        frozenset(line.at for line in invoice.lines),
        invoice.day,
        days,
        invoice.lines[0].line,
    )


def _without_doubles(
    merged: Sequence[tuple[Invoice, Booking]],
) -> tuple[list[tuple[Invoice, Booking]], list[Reject]]:
    """A file put together of two may hold a sale twice, once with the zeros of its number and once without."""
    kept: dict[tuple[str, date | None], list[Booking]] = {}
    left: list[tuple[Invoice, Booking]] = []
    rejects: list[Reject] = []
    for invoice, booking in sorted(merged, key=lambda pair: -len(pair[0].number)):
        namesakes = kept.setdefault((without_zeros(booking.invoice), booking.day), [])
        double = next((one for one in namesakes if _same_sale(one, booking)), None)
        if double is None:
            namesakes.append(booking)
            left.append((invoice, booking))
            continue
        reason = (
            f"number {booking.invoice} has lost its zeros: {double.invoice} (line {double.first_line}) is this sale"
        )
        rejects += [
            Reject(line.line, reason, line.original, words.LEADING_ZERO_LOST, "number") for line in invoice.lines
        ]
    return left, rejects


def _same_sale(one: Booking, other: Booking) -> bool:
    return one.times == other.times and goods(one.lines) == goods(other.lines)


def _order(booking: Booking) -> tuple[datetime, int, str, str]:
    """By time, then as numbers are counted; never by where it stands in the file, which a spreadsheet may sort."""
    return (min(booking.times), len(booking.invoice), booking.invoice, booking.key)


def _movement(invoice: Invoice, first: StockLine, quantity: int, location: str) -> Line:
    return Line(
        first.sku,
        location,
        quantity,
        first.kind,
        reference=invoice.number,
        reason=first.name or None if first.kind == "write_off" else None,
        occurred_at=first.at,
    )


def _too_large(lines: Sequence[Line]) -> str | None:
    if len(lines) > LINES_PER_OPERATION_MAX:
        return f"the invoice has {len(lines)} different lines, an operation at most {LINES_PER_OPERATION_MAX}"
    if len(lines) * _LINE_BYTES_MAX <= BODY_BYTES_MAX:
        return None
    size = len(orjson.dumps({"lines": [line.body() for line in lines]}))
    if size > BODY_BYTES_MAX:
        return f"the invoice would be an operation of {size} bytes, of at most {BODY_BYTES_MAX}"
    return None


_LINE_BYTES_MAX = 2_700
"""Four names and texts of 64, 64, 64 and 256 characters at up to six bytes, and the rest: what is smaller is not
encoded only to be measured."""


def _rejected(lines: Iterable[StockLine], reason: str) -> list[Reject]:
    return [Reject(line.line, reason, line.original, words.TOO_LARGE) for line in lines]


def _without(invoice: Invoice, rejects: Sequence[Reject]) -> Invoice:
    if not rejects:
        return invoice
    numbers = {reject.line for reject in rejects}
    return replace(invoice, lines=tuple(line for line in invoice.lines if line.line not in numbers))


def _items(invoices: Iterable[Invoice]) -> dict[str, StockLine | None]:
    """Of each sku the first sale that names it: write-offs carry remarks where the name should be."""
    items: dict[str, StockLine | None] = {}
    for invoice in invoices:
        for line in invoice.lines:
            known = items.setdefault(line.sku, None)
            if (known is None or (known.price is None and line.price is not None)) and line.kind != "write_off":
                items[line.sku] = replace(line, name=line.name or (known.name if known else ""))
    return items
