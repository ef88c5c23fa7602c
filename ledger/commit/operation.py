"""An operation as the writer takes it, and its outcome."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from msgspec import Struct

from ledger.commit.stock import LevelKey

SIGNS: dict[str, int] = {"receipt": 1, "return": 1, "sale": -1, "write_off": -1, "adjustment": 0}
"""Movement kinds and the sign their quantity must have (0: either)."""

COUNT = "count"
MIXED = "mixed"


class Line(Struct, frozen=True, gc=False):
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
    """One idempotent request. ``request_hash``: SHA-256 of what was asked, to tell a retry from a misuse of the key.

    ``by_level``: its lines, in the order of its events: by shard, then as they came. A stored answer reads the same.
    """

    id: UUID
    owner: str
    key: str
    request_hash: bytes
    lines: tuple[Line, ...]
    by_level: Mapping[LevelKey, Sequence[Line]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_level", _by_level(self.lines))

    @property
    def shards(self) -> frozenset[int]:
        return frozenset(key.shard for key in self.by_level)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A committed operation and its events, as JSON-ready objects in the field order of ``wire.messages``.

    ``replayed``: the key was used before, these are the events that were stored then.
    """

    operation: UUID
    events: tuple[dict[str, Any], ...]
    replayed: bool = False


def key_of(line: Line) -> LevelKey:
    return LevelKey(line.shard, line.location, line.sku)


def _by_level(lines: tuple[Line, ...]) -> dict[LevelKey, list[Line]]:
    if len(lines) == 1:
        return {key_of(lines[0]): [lines[0]]}
    by_level: dict[LevelKey, list[Line]] = {}
    for line in sorted(lines, key=attrgetter("shard")):
        by_level.setdefault(key_of(line), []).append(line)
    return by_level


def operation_id(owner: str, key: str) -> UUID:
    """The same for the same owner and key, for ever: 128 bits of SHA-256, so a key is unique across shards."""
    return UUID(bytes=hashlib.sha256(f"{owner}\0{key}".encode()).digest()[:16])
