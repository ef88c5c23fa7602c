"""An opening file: what is on hand before the first invoice."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from stockwire.importing import words
from stockwire.importing.errors import UnreadableFile
from stockwire.importing.mangled import lost_zeros
from stockwire.importing.options import ReadOptions
from stockwire.importing.stocklist import StockList, read_stock

_SAYS_NOTHING = (words.EMPTY_LINE, words.ELSEWHERE)


@dataclass(frozen=True, slots=True)
class Opening:
    """``on_hand`` in units, by sku. ``readings``, ``mends``: how the file was read, as of a `Sheet`."""

    on_hand: Mapping[str, int]
    readings: tuple[str, ...]
    mends: Mapping[str, int]


def read_opening(path: Path, options: ReadOptions | None = None) -> Opening:
    """Raises UnreadableFile at the first line that is wrong: opening stock that is half right is wrong."""
    stock = _read(path, options or ReadOptions())
    first = next((reject for reject in stock.rejects if reject.word not in _SAYS_NOTHING), None)
    if first is not None:
        raise UnreadableFile(f"{path}: line {first.line}: {first.reason}")
    places = {row.location for row in stock.rows}
    if len(places) > 1:
        raise UnreadableFile(f"{path}: the lines are of {len(places)} locations: say whose with --only-location NAME")
    return Opening({row.sku: row.on_hand for row in stock.rows}, stock.readings, stock.mends)


def options_for_opening(told: ReadOptions) -> ReadOptions:
    """What is told of the sales holds for their opening file too, where it is not about columns of sales."""
    return ReadOptions(
        encoding=told.encoding, decimal=told.decimal, only_location=told.only_location, keep_codes=told.keep_codes
    )


def check_zeros(opening: Iterable[str], known: Iterable[str]) -> None:
    """Raises UnreadableFile where a sku of the opening file is a known one without its zeros."""
    for sku, was in sorted(lost_zeros(opening, known).items()):
        raise UnreadableFile(
            f"the opening file has {sku}, which is {was} without its leading zeros (--keep-codes takes it as it stands)"
        )


def _read(path: Path, options: ReadOptions) -> StockList:
    """``only_location`` is of a file that names locations; one that names none is of this one anyway."""
    stock = read_stock(path, replace(options, only_location=None))
    named = options.only_location is not None and any(row.location is not None for row in stock.rows)
    return read_stock(path, options) if named else stock
