"""An operation as the writer takes it, and its outcome."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

SIGNS: dict[str, int] = {"receipt": 1, "return": 1, "sale": -1, "write_off": -1, "adjustment": 0}
"""Movement kinds and the sign their quantity must have (0: either)."""

COUNT = "count"
MIXED = "mixed"


class Line(NamedTuple):
    """What one line asks for. ``quantity``: units to add (negative: to take away); for a count, the units counted.

    ``precondition``: ``expected_version`` came by If-Match.
    """

    sku: str
    location: str
    shard: int
    kind: str
    quantity: int
    expected_version: int | None = None
    precondition: bool = False
    reason: str | None = None
    reference: str | None = None
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One idempotent request. ``request_hash``: SHA-256 of what was asked, to tell a retry from a misuse of the key."""

    id: UUID
    owner: str
    key: str
    request_hash: bytes
    lines: tuple[Line, ...]

    @property
    def shards(self) -> frozenset[int]:
        return frozenset(line.shard for line in self.lines)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A committed operation and its events, as JSON-ready objects in the field order of ``wire.messages``.

    ``replayed``: the key was used before, these are the events that were stored then.
    """

    operation: UUID
    events: tuple[dict[str, Any], ...]
    replayed: bool = False


def operation_id(owner: str, key: str) -> UUID:
    """The same for the same owner and key, for ever: 128 bits of SHA-256, so a key is unique across shards."""
    return UUID(bytes=hashlib.sha256(f"{owner}\0{key}".encode()).digest()[:16])
