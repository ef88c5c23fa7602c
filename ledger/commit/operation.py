"""An operation as the writer takes it, and its outcome."""

import hashlib
from datetime import datetime
from operator import attrgetter
from typing import Any

from msgspec import Struct
from msgspec.structs import force_setattr

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


class Operation(Struct, frozen=True):
    """One idempotent request. ``request_hash``: SHA-256 of what was asked, to tell a retry from a misuse of the key.

    ``id``: a UUID as it is written out. ``by_level``: its lines, in the order of its events: by shard, then as they
    came. A stored answer reads the same.
    """

    id: str
    owner: str
    key: str
    request_hash: bytes
    lines: tuple[Line, ...]
    by_level: dict[LevelKey, list[Line]] = {}

    def __post_init__(self) -> None:
        force_setattr(self, "by_level", _by_level(self.lines))

    @property
    def shard(self) -> int | None:
        """That of all its lines; None if they stand in several."""
        first, last = next(iter(self.by_level)).shard, next(reversed(self.by_level)).shard
        return first if first == last else None


class Outcome(Struct, frozen=True):
    """A committed operation and its events, as JSON-ready objects in the field order of ``wire.messages``.

    ``replayed``: the key was used before, these are the events that were stored then.
    """

    operation: str
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


def operation_id(owner: str, key: str) -> str:
    """The same for the same owner and key, for ever: 128 bits of SHA-256, so a key is unique across shards."""
    digits = hashlib.sha256(f"{owner}\0{key}".encode()).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"
