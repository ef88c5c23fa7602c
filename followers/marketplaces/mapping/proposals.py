"""What could be mapped: by equal sku or barcode, or by a sku that differs in case or blanks. Pure.

All of them are proposals: a person accepts them. A sku that only looks like another is never taken for it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

By = Literal["sku", "barcode", "similar"]


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A listing as somebody typed it at the channel."""

    remote: str
    sku: str
    barcode: str
    title: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """``by``: what is equal. ``similar``: nothing but for case and blanks."""

    remote: str
    sku: str
    by: By
    typed: str
    title: str


class KnownSkus:
    """``barcodes``: by sku, as items say."""

    def __init__(self, skus: Iterable[str], barcodes: Mapping[str, Sequence[str]]) -> None:
        self._skus = frozenset(skus)
        self._by_barcode: dict[str, list[str]] = {}
        self._by_likeness: dict[str, list[str]] = {}
        for sku in sorted(self._skus):
            self._by_likeness.setdefault(likeness(sku), []).append(sku)
            for barcode in barcodes.get(sku, ()):
                self._by_barcode.setdefault(barcode, []).append(sku)

    def proposals(self, listing: Unmapped) -> list[Proposal]:
        """The strongest kind that there is; several if several skus are as close."""
        found: list[str]
        by: By
        if listing.sku in self._skus:
            by, found = "sku", [listing.sku]
        elif listing.barcode and (same := self._by_barcode.get(listing.barcode)):
            by, found = "barcode", same
        else:
            by, found = "similar", self._by_likeness.get(likeness(listing.sku), [])
        return [Proposal(listing.remote, sku, by, listing.sku, listing.title) for sku in found]


def likeness(sku: str) -> str:
    """The same for skus that differ in case or blanks alone; empty for none."""
    return "".join(sku.casefold().split())
