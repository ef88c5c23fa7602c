"""A file of stock: what is on hand of each sku, in one location or in several."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from stockwire.importing import words
from stockwire.importing.cell import Read
from stockwire.importing.collector import paused_collector
from stockwire.importing.errors import UnreadableFile
from stockwire.importing.fields import REPORT_EVERY, Fields, LeftOut, Reporter, as_set, is_among, open_fields, value_of
from stockwire.importing.invoice import Reject
from stockwire.importing.numbers import read_quantities
from stockwire.importing.options import ReadOptions
from stockwire.importing.profile import Profile
from stockwire.importing.table import read_table


@dataclass(frozen=True, slots=True)
class StockRow:
    """``location``: as the file names it, None where it names none. ``on_hand`` in units."""

    line: int
    sku: str
    location: str | None
    on_hand: int
    name: str
    original: str


@dataclass(frozen=True, slots=True)
class StockList:
    """As `Sheet`: ``lines_read`` = ``rows`` + ``rejects``. A line with a column for each location is several."""

    rows: tuple[StockRow, ...]
    rejects: tuple[Reject, ...]
    lines_read: int
    readings: tuple[str, ...]
    mends: Mapping[str, int]
    profile: Profile


@dataclass(frozen=True, slots=True)
class _Place:
    """A column of stock: its location, or of each line the location that its own column names."""

    units: list[Read[int]]
    texts: list[str]
    locations: list[str]


@paused_collector()
def read_stock(path: Path, options: ReadOptions | None = None, on_progress: Reporter | None = None) -> StockList:
    """Raises UnreadableFile."""
    options = options or ReadOptions()
    fields = open_fields(read_table(path, "stock", options), options)
    places = list(_places(fields))
    skus, names = fields.skus(), fields.names()
    left_out = as_set(fields.profile.left_out)
    rows: list[StockRow] = []
    seen: dict[tuple[str, str], int] = {}
    for index, record in enumerate(fields.records):
        for place in places:
            try:
                _check(fields, index, place, left_out)
                sku, location = _new(skus[index], place.locations[index].strip(), seen)
                units = value_of(place.units[index], "on_hand")
                if units < 0:
                    raise LeftOut(words.NEGATIVE, f"on hand {units} is negative", "on_hand")
            except LeftOut as reason:
                fields.reject(record, reason.word, reason.reason, reason.name)
            else:
                rows.append(StockRow(record.line, sku, location or None, units, names[index], record.original))
                seen[sku, location] = record.line
                fields.mended(skus[index].mend, place.units[index].mend)
        if on_progress is not None and ((index + 1) % REPORT_EVERY == 0 or index + 1 == len(fields.records)):
            on_progress(index + 1, len(fields.records))
    rejects = tuple(sorted(fields.rejects, key=lambda reject: reject.line))
    lines_read = len(rows) + len(rejects)
    return StockList(tuple(rows), rejects, lines_read, tuple(fields.readings), fields.mends, fields.in_effect())


def _places(fields: Fields) -> Iterator[_Place]:
    """Raises UnreadableFile if the location that was told is not in the file."""
    told = fields.options.only_location if fields.options.only_location is not None else fields.profile.only_location
    columns = fields.table.columns.places
    if not columns:
        locations = fields.texts("location")
        if told is not None and told not in {text.strip() for text in locations}:
            raise _no_such_location(told, {text.strip() for text in locations})
        yield _Place(fields.quantities("on_hand", fields.decimals("on_hand")), fields.texts("on_hand"), locations)
        return
    if told is not None:
        columns = tuple(one for one in columns if one[1].casefold() == told.strip().casefold())
        if not columns:
            raise _no_such_location(told, {name for _, name in fields.table.columns.places})
    named = [(name, [record.cells[position] for record in fields.records]) for position, name in columns]
    decimals = fields.decimals_of(*(texts for _, texts in named))
    for name, texts in named:
        read = read_quantities(set(texts), decimals.sign, "on hand")
        yield _Place([read[text] for text in texts], texts, [name] * len(texts))


def _no_such_location(told: str, names: set[str]) -> UnreadableFile:
    return UnreadableFile(f"--only-location {told!r}: the file has {', '.join(map(repr, sorted(names)))}")


def _check(fields: Fields, index: int, place: _Place, left_out: frozenset[str]) -> None:
    """Raises LeftOut for what keeps no stock, and for other locations than the one told."""
    if fields.has("type") and is_among(fields.texts("type")[index], left_out):
        raise LeftOut(words.LEFT_OUT, f"left out: {fields.texts('type')[index].strip()}", "type")
    text = place.texts[index].strip()
    if is_among(text, left_out):
        raise LeftOut(words.LEFT_OUT, f"left out: {text}" if text else "left out: no stock is kept of it", "on_hand")
    told = fields.options.only_location if fields.options.only_location is not None else fields.profile.only_location
    if told is not None and not fields.table.columns.places and place.locations[index].strip() != told.strip():
        found = place.locations[index].strip() or "none"
        raise LeftOut(words.ELSEWHERE, f"of another location: {found}", "location")


def _new(read: Read[str], location: str, seen: Mapping[tuple[str, str], int]) -> tuple[str, str]:
    """Raises LeftOut for a line without a sku, or with one that an earlier line has in the same location."""
    sku = value_of(read, "sku")
    if not sku:
        raise LeftOut(words.NO_SKU, "no sku", "sku")
    if (sku, location) in seen:
        raise LeftOut(words.TWICE, f"sku {sku!r} is there twice: first in line {seen[sku, location]}", "sku")
    return sku, location
