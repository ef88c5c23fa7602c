"""What a count of an ERP or a warehouse says of our levels, and what is booked of it.

A difference counts if the level stands at the same version in two reads, and has not moved since it was counted: else
a sale is between the two numbers, and whoever books the count takes it back.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from stockwire import Count, Operation
from stockwire.level import Level

if TYPE_CHECKING:
    from stockwire.sync.client import Client

T = TypeVar("T")

LIST_MAX = 1_000
"""Levels that are asked for at once."""
FEW = 5
MASS = 0.05
"""More than both of what was counted: not the stock is at fault, but the file, its column or the location."""


class CountClass(StrEnum):
    """``quantity``: another number on hand. ``unknown-here``: we have never had any. ``missing-there``: we have some,
    and it was not counted. ``below-reserved``: fewer were counted than orders wait for: a person has to look."""

    QUANTITY = "quantity"
    UNKNOWN_HERE = "unknown-here"
    MISSING_THERE = "missing-there"
    BELOW_RESERVED = "below-reserved"


@dataclass(frozen=True, slots=True)
class Difference:
    """``ours``: on hand. ``theirs``: counted; None: not at all. ``version``: at which ours was read. ``moved_at``: when
    our number came to stand."""

    sku: str
    kind: CountClass
    ours: int
    theirs: int | None
    version: int
    moved_at: datetime | None
    cause: str

    @property
    def can_be_booked(self) -> bool:
        return self.theirs is not None and self.kind is not CountClass.BELOW_RESERVED


@dataclass(frozen=True, slots=True)
class Comparison:
    """``moved``: skus of which nothing can be said: they were sold or booked meanwhile, count them again."""

    compared: int
    differences: Sequence[Difference]
    moved: Sequence[str]

    @property
    def is_mass(self) -> bool:
        return len(self.differences) > max(FEW, self.compared * MASS)


def compare(
    counted: Mapping[str, int], first: Iterable[Level], second: Iterable[Level], counted_at: datetime | None
) -> Comparison:
    """``first``, ``second``: two reads of the same levels, those of the counted skus and all others of the location."""
    before = {level.sku: level.version for level in first}
    differences: list[Difference] = []
    moved: list[str] = []
    for level in second:
        theirs = counted.get(level.sku)
        if theirs == level.on_hand or (theirs is None and level.on_hand == 0):
            continue
        late = counted_at is not None and level.committed_at is not None and level.committed_at > counted_at
        if late or before.get(level.sku) != level.version:
            moved.append(level.sku)
        else:
            differences.append(_difference(level, theirs))
    return Comparison(len(counted), differences, moved)


def _difference(level: Level, theirs: int | None) -> Difference:
    at = level.committed_at
    since = f"ours stands since {at:%Y-%m-%d %H:%M:%S} UTC, by a {level.kind}" if at else "we have never had any"
    if theirs is None:
        kind, cause = CountClass.MISSING_THERE, f"{since}; it was not counted"
    elif level.version == 0:
        kind, cause = CountClass.UNKNOWN_HERE, since
    elif theirs < level.reserved:
        kind, cause = CountClass.BELOW_RESERVED, f"{since}; {level.reserved} are reserved for orders"
    else:
        kind, cause = CountClass.QUANTITY, since
    return Difference(level.sku, kind, level.on_hand, theirs, level.version, at, cause)


def levels_of(client: "Client", location: str, skus: Sequence[str], *, whole: bool) -> list[Level]:
    """``whole``: also those of the location that are not among ``skus``. Raises StockwireError."""
    found = {level.sku: level for page in _pages(skus) for level in client.levels_of((location, sku) for sku in page)}
    if whole:
        found |= {level.sku: level for level in client.levels(location) if level.sku not in found}
    return list(found.values())


def book(client: "Client", location: str, accepted: Sequence[Difference], why: str) -> list[str]:
    """Each as one operation that names the version at which it was compared, so that a level that has moved since is
    refused; booked twice, it has one effect. Returns why some were not, a line each. Raises StockwireError."""
    refused: list[str] = []
    for page in _pages(accepted):
        outcomes = client.operations([_operation(location, one, why) for one in page])
        refused += [
            f"{one.sku}: {outcome.error}"
            for one, outcome in zip(page, outcomes, strict=True)
            if outcome.error is not None
        ]
    return refused


def _operation(location: str, difference: Difference, why: str) -> Operation:
    assert difference.theirs is not None
    line = Count(difference.sku, location, difference.theirs, if_version=difference.version, reason=why)
    what = f"{location}\n{difference.sku}\n{difference.theirs}\n{difference.version}\n{why}"
    return Operation(f"reconcile:{hashlib.sha256(what.encode()).hexdigest()[:32]}", line)


def _pages(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    return (rows[at : at + LIST_MAX] for at in range(0, len(rows), LIST_MAX))
