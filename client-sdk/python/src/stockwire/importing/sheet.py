"""A file of sales as invoices and rejects. Nothing vanishes: each line after the header is in one."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from stockwire.importing import words
from stockwire.importing.cell import Read
from stockwire.importing.collector import paused_collector
from stockwire.importing.dates import Moment
from stockwire.importing.errors import UnreadableFile
from stockwire.importing.fields import REPORT_EVERY, Fields, LeftOut, Reporter, as_set, is_among, open_fields, value_of
from stockwire.importing.invoice import Invoice, Reject, StockLine, Unread, is_currency
from stockwire.importing.numbers import unit_price
from stockwire.importing.options import ReadOptions
from stockwire.importing.profile import Profile
from stockwire.importing.receipts import grouped, refund_number
from stockwire.importing.records import Record
from stockwire.importing.rules import Rules
from stockwire.importing.table import Table, parse_table, read_table
from stockwire.importing.unread import NOTHING_TO_BOOK, unsound_lines

__all__ = ["Sheet", "UnreadableFile", "parse_sheet", "read_invoices", "read_sheet"]


@dataclass(frozen=True, slots=True)
class Sheet:
    """``lines_read`` = lines of all ``invoices`` + ``rejects``, which are in the order of the file.

    ``invoices``: also those of which a line was rejected (``unread``), with the lines that could be read.
    ``readings``: sentences about how the file was read and why. ``mends``: how often what was mended. ``profile``: the
    one in effect, with all that was found and told.
    """

    invoices: tuple[Invoice, ...]
    rejects: tuple[Reject, ...]
    lines_read: int
    readings: tuple[str, ...]
    mends: Mapping[str, int]
    profile: Profile


def read_invoices(path: Path) -> Iterator[Invoice]:
    """The whole invoices of a file by first appearance, without those of which a line was rejected, and without what is
    no goods. Raises UnreadableFile.
    """
    yield from (invoice for invoice in read_sheet(path).invoices if not invoice.unread)


@paused_collector()
def read_sheet(path: Path, options: ReadOptions | None = None, on_progress: Reporter | None = None) -> Sheet:
    """Reads all of it into memory: the lines of an invoice may stand anywhere in it. Raises UnreadableFile.

    ``on_progress`` is called with the lines done and all lines.
    """
    options = options or ReadOptions()
    return _sheet(read_table(path, "sales", options), options, on_progress)


def parse_sheet(lines: Iterable[bytes], options: ReadOptions | None = None) -> Sheet:
    """Raises UnreadableFile."""
    options = options or ReadOptions()
    return _sheet(parse_table(b"".join(lines), "sales", options), options, None)


class _Row(NamedTuple):
    """``currency``: empty where none is named, None where what is named is none."""

    record: Record
    number: Read[str]
    sku: Read[str]
    quantity: Read[int]
    moment: Read[Moment]
    name: str
    price: Read[Decimal]
    total: Read[Decimal]
    currency: str | None
    location: str
    type: str
    left_out: LeftOut | None


def _sheet(table: Table, options: ReadOptions, on_progress: Reporter | None) -> Sheet:
    fields = open_fields(table, options)
    rules = Rules(table.profile)
    place = _location(fields)
    lines: list[StockLine] = []
    unread = list(unsound_lines(fields))
    above: _Row | None = None
    total = len(fields.records)
    for done, row in enumerate(_rows(fields, rules), start=1):
        try:
            lines.append(_stock_line(row, rules, place))
        except LeftOut as reason:
            reject = fields.reject(row.record, reason.word, reason.reason, reason.name)
            unread += _unread(row, above, rules, reject)
        else:
            # a price that cannot be read says nothing about the goods: the line moves stock all the same
            price = words.PRICE_LEFT_OUT if row.price.word or row.currency is None else ""
            if price or row.sku.mend or row.quantity.mend or row.number.mend or row.moment.mend:
                fields.mended(row.sku.mend, row.quantity.mend, row.number.mend, row.moment.mend, price)
        if row.number.sound:
            above = row
        if on_progress is not None and (done % REPORT_EVERY == 0 or done == total):
            on_progress(done, total)
    _say_unclear(fields)
    invoices, said = grouped(lines, options.receipts or table.profile.numbers, unread)
    rejects = tuple(sorted(fields.rejects, key=lambda reject: reject.line))
    return Sheet(
        invoices,
        rejects,
        len(lines) + len(rejects),
        (*fields.readings, *said),
        fields.mends,
        fields.in_effect(),
    )


def _rows(fields: Fields, rules: Rules) -> Iterator[_Row]:
    decimals = fields.decimals("quantity", "price", "total")
    types = fields.texts("type")
    states = list(zip(types, fields.texts("status"), fields.texts("cancelled"), strict=True))
    left_out = {state: rules.left_out(*state) for state in set(states)}
    currencies = {text: _currency(text) for text in set(fields.texts("currency"))}
    return map(
        _Row,
        fields.records,
        fields.numbers(),
        fields.skus(),
        fields.quantities("quantity", decimals),
        fields.moments(),
        fields.names(),
        fields.prices("price", decimals),
        fields.prices("total", decimals),
        [currencies[text] for text in fields.texts("currency")],
        fields.texts("location"),
        types,
        [left_out[state] for state in states],
    )


def _stock_line(row: _Row, rules: Rules, place: str | None) -> StockLine:
    """Raises LeftOut."""
    record, read_number, read_sku, read_quantity, read_moment, name, price, total, currency, location, kind, reason = (
        row
    )
    if reason is not None:
        raise LeftOut(reason.word, reason.reason, reason.name)
    if place is not None and location.strip() != place:
        raise LeftOut(words.ELSEWHERE, f"of another location: {location.strip() or 'none'}", "location")
    number = value_of(read_number, "number")
    sku = read_sku.value
    if sku is not None and rules.has_services and rules.is_service(number, sku):
        raise LeftOut(words.NO_GOODS, f"no goods: {sku}", "sku")
    if sku == "":
        raise LeftOut(words.NO_SKU, f"no sku{f': {name}' if name else ''}", "sku")
    sku, written = value_of(read_sku, "sku"), value_of(read_quantity, "quantity")
    if written == 0:
        raise LeftOut(words.ZERO, "quantity is 0", "quantity")
    quantity, movement = rules.movement(number, kind, written)
    at, day, _ = value_of(read_moment, "at")
    if movement == "return" and rules.has_refunds:
        number = refund_number(number, at)
    return StockLine(
        record.line,
        number,
        sku,
        name,
        quantity,
        movement,
        at,
        _unit_price(price.value, total.value, written) if currency is not None else None,
        record.original,
        day,
        location.strip() or None,
        currency or None,
    )


def _unread(row: _Row, above: _Row | None, rules: Rules, reject: Reject) -> list[Unread]:
    """Whose invoice is not whole without this line: nobody's, or that of its number, also where no location is named.

    ``above``: the nearest line above it with a number. Reports write a number once, in the first line of several, and
    so a line without one may be of that invoice.
    """
    number, sku, quantity, moment = row.number.sound, row.sku.sound, row.quantity.sound, row.moment.sound
    if row.number.value == "" and above is not None:
        number, moment = above.number.sound, moment or above.moment.sound
    placeless = reject.word == words.ELSEWHERE and not row.location.strip()
    if not number or (reject.word in NOTHING_TO_BOOK and not placeless):
        return []
    if row.sku.value == "" or quantity == 0 or (sku and rules.is_service(number, sku)):
        return []
    goods = None
    if sku and quantity and reject.word != words.SIGN:
        goods = (sku, *rules.movement(number, row.type, quantity))
    return [Unread(number, moment.day if moment else None, rules.is_refund(row.type, quantity), reject, goods)]


def _currency(text: str) -> str | None:
    code = text.strip().upper()
    return code if not code or is_currency(code) else None


def _unit_price(price: Decimal | None, total: Decimal | None, quantity: int) -> Decimal | None:
    """A price of 0 is none: what came free says nothing of what it costs."""
    found = price or unit_price(total, quantity)
    return found if found is not None and found > 0 else None


def _location(fields: Fields) -> str | None:
    """Which lines of a file that names locations are taken; None: all. Raises UnreadableFile."""
    told = fields.options.only_location if fields.options.only_location is not None else fields.profile.only_location
    names = {text.strip() for text in fields.texts("location")}
    if told is not None:
        if told.strip() not in names:
            raise UnreadableFile(f"--only-location {told!r}: the file has {_listed(names)}")
        return told.strip()
    if len(names) > 1:
        raise UnreadableFile(
            f"the lines are of {len(names)} locations ({_listed(names)}), and one import books into one: "
            "say whose lines with --only-location NAME"
        )
    return None


def _listed(names: Iterable[str]) -> str:
    shown = sorted(repr(name) for name in names)[:10]
    return ", ".join(shown)


def _say_unclear(fields: Fields) -> None:
    unclear = as_set(fields.profile.unclear)
    if not unclear or not fields.has("status"):
        return
    numbers = {
        number
        for number, status in zip(fields.texts("number"), fields.texts("status"), strict=True)
        if is_among(status, unclear)
    }
    if numbers:
        fields.readings.append(
            f"refunded orders: {len(numbers)}. The file does not say which goods came back: their sales are booked, "
            "their returns are not"
        )
