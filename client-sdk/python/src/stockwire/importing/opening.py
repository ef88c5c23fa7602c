"""An opening file: what is on hand before the first invoice."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stockwire.importing import words
from stockwire.importing.errors import UnreadableFile
from stockwire.importing.options import ReadOptions
from stockwire.importing.stocklist import read_stock


@dataclass(frozen=True, slots=True)
class Opening:
    """``on_hand`` in units, by sku."""

    on_hand: Mapping[str, int]


def read_opening(path: Path, options: ReadOptions | None = None) -> Opening:
    """Raises UnreadableFile at the first line that is wrong: opening stock that is half right is wrong."""
    stock = read_stock(path, options)
    first = next((reject for reject in stock.rejects if reject.word != words.EMPTY_LINE), None)
    if first is not None:
        raise UnreadableFile(f"{path}: line {first.line}: {first.reason}")
    places = {row.location for row in stock.rows}
    if len(places) > 1:
        raise UnreadableFile(f"{path}: the lines are of {len(places)} locations: say whose with --only-location NAME")
    return Opening({row.sku: row.on_hand for row in stock.rows})
