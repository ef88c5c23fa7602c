"""An opening file: what is on hand before the first invoice. CSV with a header that names ``sku`` and ``on_hand``."""

import csv
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from stockwire.importing.sheet import UnreadableFile, opened
from stockwire.operation import QUANTITY_MAX
from stockwire.request import is_name

_UNITS = re.compile(r"[0-9]{1,10}\Z")


@dataclass(frozen=True, slots=True)
class Opening:
    """``on_hand`` in units, by sku. ``digest``: SHA-256 of the file's uncompressed bytes."""

    on_hand: Mapping[str, int]
    digest: str


def read_opening(path: Path) -> Opening:
    """Raises UnreadableFile at the first row that is wrong: opening stock that is half right is wrong."""
    with opened(path) as lines:
        content = b"".join(lines)
    try:
        rows = csv.reader(content.decode("utf-8-sig").splitlines(), strict=True)
        on_hand = _on_hand(rows, path)
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnreadableFile(f"{path} is no CSV in UTF-8: {error}") from None
    return Opening(on_hand, hashlib.sha256(content).hexdigest())


def _on_hand(rows: Iterable[list[str]], path: Path) -> dict[str, int]:
    numbered = enumerate(rows, start=1)
    header = next((row for _, row in numbered), list[str]())
    names = [name.strip().lower() for name in header]
    if "sku" not in names or "on_hand" not in names:
        raise UnreadableFile(f"{path}: the first line must name the columns sku and on_hand")
    on_hand: dict[str, int] = {}
    for number, row in numbered:
        if not row:
            continue
        if len(row) != len(names):
            raise UnreadableFile(f"{path}: line {number} has {len(row)} columns instead of {len(names)}")
        sku, units = row[names.index("sku")].strip(), row[names.index("on_hand")].strip()
        if not is_name(sku) or sku in on_hand:
            raise UnreadableFile(f"{path}: line {number}: sku {sku!r} is {'twice there' if sku in on_hand else 'none'}")
        if not _UNITS.match(units) or int(units) > QUANTITY_MAX:
            raise UnreadableFile(f"{path}: line {number}: on_hand {units!r} is not within 0 and {QUANTITY_MAX}")
        on_hand[sku] = int(units)
    return on_hand
