"""What to send for a sales file, and in which order: pure, so that the same file always gives the same operations.

**Keys.** An invoice is one operation with key ``import:<location>:<invoice>``. Opening stock is receipts with keys
``import:<location>:opening:<digest>:<n>``, where the digest is that of the file it comes from (the sales file, or the
opening file): the same file again, also after a run that died half way, changes nothing; another file brings its own.

**Opening stock.** By default, for each sku, the largest amount by which the file's invoices, in file order, would have
taken stock below zero. It is booked before the first invoice, so that in this order none is refused, and no unit more.

**Order.** Many invoices are in flight at once. Where the opening stock of a sku covers everything that ever goes out,
order does not matter. For the other skus (those with returns, or short in the opening file) it does: an invoice waits
for the invoice before it that moves such a sku. So the outcome is that of file order, refusals included.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote

import orjson

from stockwire.importing.invoice import Invoice, Reject, StockLine
from stockwire.importing.opening import Opening
from stockwire.importing.sheet import Sheet
from stockwire.operation import QUANTITY_MAX, Line

LINES_PER_OPERATION_MAX = 1_000
BODY_BYTES_MAX = 256 * 2**10
"""Both as the ledger takes them by default. An invoice beyond them cannot be atomic, so its lines are rejected."""
OPENING_BYTES_MAX = 200 * 2**10
KEY_CHARACTERS_MAX = 200
_VISIBLE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '%:"')


@dataclass(frozen=True, slots=True)
class Booking:
    """One invoice as one operation. ``after``: indices of the bookings that must be done first, all before its own.

    ``file_lines``: how many lines of the file it stands for, of which several may have been summed into one.
    """

    invoice: str
    key: str
    lines: tuple[Line, ...]
    file_lines: int
    after: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """``items``: the first name and price seen of each sku. ``opening``: keyed receipts, in order."""

    location: str
    items: Mapping[str, StockLine | None]
    opening: tuple[tuple[str, tuple[Line, ...]], ...]
    bookings: tuple[Booking, ...]
    rejects: tuple[Reject, ...]
    lines_read: int


def make_plan(sheet: Sheet, location: str, opening: Opening | None) -> Plan:
    rejects = list(sheet.rejects)
    merged: list[tuple[Invoice, tuple[Line, ...]]] = []
    for invoice in sheet.invoices:
        lines, invoice_rejects = merge(invoice, location)
        rejects += invoice_rejects
        if lines:
            merged.append((_without(invoice, invoice_rejects), lines))
    on_hand = opening.on_hand if opening else needed(lines for _, lines in merged)
    digest = opening.digest if opening else sheet.digest
    return Plan(
        location,
        _items(on_hand, (invoice for invoice, _ in merged)),
        tuple(_opening_operations(on_hand, location, digest, _first_time(sheet))),
        tuple(_bookings(merged, location, on_hand)),
        tuple(sorted(rejects, key=lambda reject: reject.line)),
        sheet.lines_read,
    )


def merge(invoice: Invoice, location: str) -> tuple[tuple[Line, ...], list[Reject]]:
    """The lines of the operation, those of the same sku and kind summed, and what cannot be booked with it."""
    sums: dict[tuple[str, str], list[StockLine]] = {}
    for line in invoice.lines:
        sums.setdefault((line.sku, line.kind), []).append(line)
    lines: list[Line] = []
    rejects: list[Reject] = []
    for group in sums.values():
        quantity = sum(line.quantity for line in group)
        if abs(quantity) > QUANTITY_MAX:
            rejects += _rejected(
                group, f"the invoice's lines of this sku add up to {quantity}, out of the 32-bit range"
            )
        else:
            lines.append(_movement(invoice, group[0], quantity, location))
    reason = _too_large(lines)
    if reason:
        return (), _rejected(invoice.lines, reason)
    return tuple(lines), rejects


def needed(operations: Iterable[Sequence[Line]]) -> dict[str, int]:
    """For each sku the least stock on hand with which no operation, in this order, takes it below zero. In units."""
    balance: dict[str, int] = {}
    need: dict[str, int] = {}
    for lines in operations:
        for line in lines:
            balance[line.sku] = balance.get(line.sku, 0) + line.quantity
        for line in lines:
            need[line.sku] = max(need.get(line.sku, 0), -balance[line.sku])
    # More than a level can hold cannot be opened: then the ledger refuses what is too much
    return {sku: min(units, QUANTITY_MAX) for sku, units in need.items()}


def import_key(location: str, rest: str) -> str:
    """``import:<location>:<rest>``; characters that no key can have, and a colon in the location, percent-encoded."""
    key = f"import:{quote(location, safe=_VISIBLE)}:{quote(rest, safe=_VISIBLE + ':')}"
    if len(key) <= KEY_CHARACTERS_MAX:
        return key
    return f"import:{hashlib.sha256(key.encode()).hexdigest()}"


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
    size = len(orjson.dumps({"lines": [line.body() for line in lines]}))
    if size > BODY_BYTES_MAX:
        return f"the invoice would be an operation of {size} bytes, of at most {BODY_BYTES_MAX}"
    return None


def _rejected(lines: Iterable[StockLine], reason: str) -> list[Reject]:
    return [Reject(line.line, reason, line.original) for line in lines]


def _without(invoice: Invoice, rejects: Sequence[Reject]) -> Invoice:
    numbers = {reject.line for reject in rejects}
    return replace(invoice, lines=tuple(line for line in invoice.lines if line.line not in numbers))


def _items(on_hand: Mapping[str, int], invoices: Iterable[Invoice]) -> dict[str, StockLine | None]:
    """Of each sku the first sale that names it: write-offs carry remarks where the name should be."""
    items: dict[str, StockLine | None] = dict.fromkeys(on_hand)
    for invoice in invoices:
        for line in invoice.lines:
            known = items.setdefault(line.sku, None)
            if (known is None or (known.price is None and line.price is not None)) and line.kind != "write_off":
                items[line.sku] = line if line.name else known
    return items


def _opening_operations(
    on_hand: Mapping[str, int], location: str, digest: str, at: datetime | None
) -> Iterator[tuple[str, tuple[Line, ...]]]:
    lines = [
        Line(sku, location, units, "receipt", reason="opening stock", occurred_at=at)
        for sku, units in on_hand.items()
        if units > 0
    ]
    line_bytes_max = max((len(orjson.dumps(line.body())) + 1 for line in lines), default=1)
    step = min(LINES_PER_OPERATION_MAX, OPENING_BYTES_MAX // line_bytes_max)
    for number, begin in enumerate(range(0, len(lines), step)):
        yield import_key(location, f"opening:{digest[:32]}:{number}"), tuple(lines[begin : begin + step])


def _bookings(
    merged: Sequence[tuple[Invoice, tuple[Line, ...]]], location: str, on_hand: Mapping[str, int]
) -> Iterator[Booking]:
    outgoing: dict[str, int] = {}
    for _, lines in merged:
        for line in lines:
            outgoing[line.sku] = outgoing.get(line.sku, 0) + max(0, -line.quantity)
    ordered = {sku for sku, units in outgoing.items() if units > on_hand.get(sku, 0)}
    last: dict[str, int] = {}
    for index, (invoice, lines) in enumerate(merged):
        skus = ordered.intersection(line.sku for line in lines)
        after = tuple(sorted({last[sku] for sku in skus if sku in last}))
        last.update(dict.fromkeys(skus, index))
        yield Booking(invoice.number, import_key(location, invoice.number), lines, len(invoice.lines), after)


def _first_time(sheet: Sheet) -> datetime | None:
    return min((invoice.at for invoice in sheet.invoices), default=None)
