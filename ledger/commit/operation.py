"""An operation as the writer takes it, and its outcome."""

import hashlib
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from msgspec import Struct
from msgspec.structs import force_setattr

from ledger.commit.line import Line, key_of
from ledger.commit.plan import Plan
from ledger.commit.stock import LevelKey


class Operation(Struct, frozen=True):
    """One idempotent request. ``request_hash``: SHA-256 of what was asked, to tell a retry from a misuse of the key.

    ``id``: a UUID as it is written out. ``by_level``: its lines, in the order of its events: by shard, then as they
    came. A stored answer reads the same. ``plan``: makes the lines when the batch is decided, where they follow from
    what is there. Until then there are none, and ``by_level`` names the levels that they may be of.
    """

    id: str
    owner: str
    key: str
    request_hash: bytes
    lines: tuple[Line, ...]
    plan: Plan | None = None
    by_level: dict[LevelKey, Sequence[Line]] = {}

    def __post_init__(self) -> None:
        force_setattr(self, "by_level", _levels_of(self.plan) if self.plan else by_level_of(self.lines))

    @property
    def size(self) -> int:
        """How many lines it has, or may have."""
        return len(self.lines) or len(self.by_level)

    @property
    def makes_hold(self) -> bool:
        """Whether it is the one that its hold begins with, whose id that has."""
        return self.plan is not None and self.plan.hold == self.id

    @property
    def shard(self) -> int | None:
        """That of all its lines; None if they stand in several."""
        first, last = next(iter(self.by_level)).shard, next(reversed(self.by_level)).shard
        return first if first == last else None


class Outcome(Struct, frozen=True):
    """A committed operation and its events, as JSON-ready objects in the field order of ``wire.messages``.

    ``hold``: the hold that it was about, as it stood after it. ``replayed``: the key was used before, this is what was
    stored then.
    """

    operation: str
    events: tuple[dict[str, Any], ...]
    replayed: bool = False
    hold: dict[str, Any] | None = None


def _levels_of(plan: Plan) -> dict[LevelKey, Sequence[Line]]:
    return dict.fromkeys(sorted(plan.levels), ())


def by_level_of(lines: Sequence[Line]) -> dict[LevelKey, list[Line]]:
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
