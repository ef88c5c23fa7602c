"""A file of items: sku, name, price and attributes."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from stockwire.importing import words
from stockwire.importing.cell import Read
from stockwire.importing.collector import paused_collector
from stockwire.importing.fields import REPORT_EVERY, Fields, LeftOut, Reporter, as_set, is_among, open_fields, value_of
from stockwire.importing.invoice import Reject, clean_text, is_currency
from stockwire.importing.options import ReadOptions
from stockwire.importing.profile import Profile
from stockwire.importing.records import Record
from stockwire.importing.table import read_table


@dataclass(frozen=True, slots=True)
class ItemRow:
    """``currency`` is None where the file has no such column; ``attributes`` are those that have a text."""

    line: int
    sku: str
    name: str
    price: Decimal | None
    currency: str | None
    attributes: Mapping[str, str]
    original: str


@dataclass(frozen=True, slots=True)
class ItemList:
    """As `Sheet`: ``lines_read`` = ``rows`` + ``rejects``."""

    rows: tuple[ItemRow, ...]
    rejects: tuple[Reject, ...]
    lines_read: int
    readings: tuple[str, ...]
    mends: Mapping[str, int]
    profile: Profile


@paused_collector()
def read_items(path: Path, options: ReadOptions | None = None, on_progress: Reporter | None = None) -> ItemList:
    """Raises UnreadableFile."""
    options = options or ReadOptions()
    fields = open_fields(read_table(path, "items", options), options)
    decimals = fields.decimals("price")
    skus, names, prices = fields.skus(), fields.names(), fields.prices("price", decimals)
    attributes = [name for name in fields.table.columns.at if name.startswith("attribute.")]
    texts = {name.partition(".")[2]: fields.texts(name) for name in attributes}
    left_out = as_set(fields.profile.left_out)
    rows: list[ItemRow] = []
    seen: dict[str, int] = {}
    for index, record in enumerate(fields.records):
        try:
            if fields.has("type") and is_among(fields.texts("type")[index], left_out):
                raise LeftOut(words.LEFT_OUT, f"left out: {fields.texts('type')[index].strip()}", "type")
            sku = _new(skus[index], seen, record)
            row = _row(record, sku, names[index], prices[index], fields.texts("currency")[index])
        except LeftOut as reason:
            fields.reject(record, reason.word, reason.reason, reason.name)
        else:
            given = {name: clean_text(column[index]) for name, column in texts.items()}
            rows.append(_with(row, {name: text for name, text in given.items() if text}))
            seen[row.sku] = row.line
            fields.mended(skus[index].mend, prices[index].mend)
        if on_progress is not None and ((index + 1) % REPORT_EVERY == 0 or index + 1 == len(fields.records)):
            on_progress(index + 1, len(fields.records))
    return _list(fields, rows)


def _new(read: Read[str], seen: Mapping[str, int], record: Record) -> str:
    """Raises LeftOut for a line without a sku, or with one that an earlier line has."""
    sku = value_of(read, "sku")
    if not sku:
        raise LeftOut(words.NO_SKU, "no sku", "sku")
    if sku in seen:
        raise LeftOut(words.TWICE, f"sku {sku!r} is there twice: first in line {seen[sku]}", "sku")
    return sku


def _row(record: Record, sku: str, name: str, price: Read[Decimal], currency: str) -> ItemRow:
    """Raises LeftOut."""
    if not name:
        raise LeftOut(words.NO_NAME, "no name", "name")
    if price.word:
        raise LeftOut(price.word, price.reason, "price")
    if price.value is not None and price.value < 0:
        raise LeftOut(words.NEGATIVE, f"price {price.value} is negative", "price")
    code = currency.strip().upper()
    if code and not is_currency(code):
        raise LeftOut(words.CURRENCY, f"currency {currency.strip()!r} is not three letters", "currency")
    return ItemRow(record.line, sku, name, price.value, code or None, {}, record.original)


def _with(row: ItemRow, attributes: Mapping[str, str]) -> ItemRow:
    return ItemRow(row.line, row.sku, row.name, row.price, row.currency, attributes, row.original)


def _list(fields: Fields, rows: list[ItemRow]) -> ItemList:
    rejects = tuple(sorted(fields.rejects, key=lambda reject: reject.line))
    lines_read = len(rows) + len(rejects)
    return ItemList(tuple(rows), rejects, lines_read, tuple(fields.readings), fields.mends, fields.in_effect())
