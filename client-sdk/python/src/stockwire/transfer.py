"""Transfers: units on their way from one location to another, and how they stand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from stockwire.level import Malformed, fields, integer, moment, optional_text, rows, text
from stockwire.operation import OperationResult


@dataclass(frozen=True, slots=True)
class TransferLine:
    """What became of the units of one sku; ``quantity``: all that were sent.

    Those ``in_transit`` are at neither end, and nobody can have them. ``returned`` ones are back, or at another
    location than the one they were sent to; ``lost`` ones have left the books.
    """

    sku: str
    quantity: int
    in_transit: int
    received: int
    returned: int
    lost: int

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> "TransferLine":
        """Raises Malformed. Unknown fields are ignored."""
        return cls(
            sku=text(data, "sku"),
            quantity=integer(data, "quantity"),
            in_transit=integer(data, "in_transit"),
            received=integer(data, "received"),
            returned=integer(data, "returned"),
            lost=integer(data, "lost"),
        )


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer as it stood when the ledger answered. Times in UTC.

    ``state``: ``in_transit`` as long as units are; then ``received`` if any arrived, else ``lost`` if any are, else
    ``returned``; a later ledger may know more. ``source`` and ``target``: the locations that it goes from and to.
    ``version`` counts its changes. ``result``: what this call did to the levels, with its ``key`` and whether it was
    ``replayed``; None of one that was only read, and not compared.
    """

    id: str
    state: str
    owner: str
    source: str
    target: str
    reference: str | None
    version: int
    created_at: datetime
    lines: tuple[TransferLine, ...]
    result: OperationResult | None = field(default=None, compare=False, repr=False)

    @property
    def open(self) -> bool:
        """Whether any of it is still in transit."""
        return any(line.in_transit for line in self.lines)

    @classmethod
    def parse(cls, data: Mapping[str, Any], result: OperationResult | None = None) -> "Transfer":
        """Raises Malformed. Unknown fields are ignored."""
        lines = tuple(TransferLine.parse(fields(line, "a line")) for line in rows(data, "lines"))
        if not lines:
            raise Malformed("the transfer has no lines")
        return cls(
            id=text(data, "id"),
            state=text(data, "state"),
            owner=text(data, "owner"),
            source=text(data, "from"),
            target=text(data, "to"),
            reference=optional_text(data, "reference"),
            version=integer(data, "version"),
            created_at=moment(data, "created_at"),
            lines=lines,
            result=result,
        )
