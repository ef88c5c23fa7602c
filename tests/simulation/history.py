"""The truth: every event that was ever committed in an epoch, numbered as a ledger numbers them."""

from bisect import bisect_right
from collections.abc import Mapping
from functools import cache

from hub.stock.held import ReadLevel
from wire.messages import Event, LevelState
from wire.shards import shard_of as hashed_shard_of

shard_of = cache(hashed_shard_of)
EPOCH = "e1"
COMMITTED_AT = "2999-11-22T10:00:00.000000Z"
"""Later than any clock: what a hub makes of the time on the way is 0, in every run."""

CYCLE = (
    ("receipt", 4, 0),
    ("hold", 0, 2),
    ("sale", -1, 0),
    ("commit", 0, 0),
    ("fulfil", -1, -1),
    ("hold", 0, 1),
    ("release", 0, -2),
)
"""What becomes of a level, version by version: kind, units on hand, units reserved. Screens see available fall and
rise; one version in each round changes no number of it. In a round two units more come than go."""
ROUND_ON_HAND = sum(on_hand for _, on_hand, _ in CYCLE)

Key = tuple[str, str]
"""(location, sku)"""


class History:
    """``versions`` has every state of a level: the one with version 1 first. ``era`` shows in the quantities, so that
    the same version of two epochs is not the same level. ``restored``: what a restore has left of it.
    """

    def __init__(self, shards: int, epoch: str = EPOCH, era: int = 0) -> None:
        self.epoch = epoch
        self.era = era
        self.events: list[list[Event]] = [[] for _ in range(shards)]
        self.versions: dict[Key, list[LevelState]] = {}
        self.restored: History | None = None
        self._seqs: dict[Key, list[int]] = {}

    def commit(self, location: str, *skus: str) -> list[Event]:
        """One batch at one location."""
        return [self._append(location, sku) for sku in skus]

    def heads(self) -> dict[int, int]:
        return {shard: len(events) for shard, events in enumerate(self.events)}

    def state(self, location: str, sku: str) -> LevelState:
        versions = self.versions.get((location, sku))
        if versions is None:
            return LevelState(sku, location, 0, 0, 0, 0, None, None, shard_of(location, len(self.events)), 0)
        return versions[-1]

    def at(self, location: str | None) -> list[LevelState]:
        """What exists, in the order of the ledger's pages."""
        found = [versions[-1] for key, versions in self.versions.items() if location in (None, key[0])]
        return sorted(found, key=lambda state: (state.sku, state.location))

    def version_at(self, key: Key, seq: int) -> int:
        """The version that a level had when its shard's head was ``seq``."""
        return bisect_right(self._seqs.get(key, ()), seq)

    def back_to(self, heads: Mapping[int, int]) -> "History":
        """What a restore to these heads leaves, under the same epoch."""
        self.restored = self._copy(heads)
        return self.restored

    def _copy(self, heads: Mapping[int, int]) -> "History":
        older = History(len(self.events), self.epoch, self.era)
        older.events = [events[: heads[shard]] for shard, events in enumerate(self.events)]
        for key, versions in self.versions.items():
            kept = self.version_at(key, heads[versions[0].shard])
            if kept:
                older.versions[key] = versions[:kept]
                older._seqs[key] = self._seqs[key][:kept]
        return older

    def renewed(self, epoch: str) -> "History":
        """The same events in another epoch, from which on it goes its own way."""
        other = self._copy(self.heads())
        other.epoch = epoch
        other.era = self.era + 1
        return other

    def _append(self, location: str, sku: str) -> Event:
        shard = shard_of(location, len(self.events))
        versions = self.versions.setdefault((location, sku), [])
        seq, version = len(self.events[shard]) + 1, len(versions) + 1
        kind, more, more_reserved = CYCLE[(version - 1) % len(CYCLE)]
        on_hand, reserved = _units(version)
        on_hand += 1_000 * self.era
        event = Event(
            *(shard, seq, sku, location, version, kind, more, more_reserved, on_hand, reserved, on_hand - reserved),
            *("o", "a", None, None, None, COMMITTED_AT, 1),
        )
        self.events[shard].append(event)
        numbers = version, on_hand, reserved, on_hand - reserved
        versions.append(LevelState(sku, location, *numbers, kind, COMMITTED_AT, shard, seq))
        self._seqs.setdefault((location, sku), []).append(seq)
        return event


@cache
def _units(version: int) -> tuple[int, int]:
    """On hand and reserved after so many versions."""
    rounds, left = divmod(version, len(CYCLE))
    begun = CYCLE[:left]
    return rounds * ROUND_ON_HAND + sum(on_hand for _, on_hand, _ in begun), sum(units for *_, units in begun)


def read_level(state: LevelState) -> ReadLevel:
    """With its view version: as if all of them were in one public step."""
    return ReadLevel(state, min(state.version, 1))
