"""Levels by what a follower was told, in memory."""

from collections.abc import Iterator

from stockwire.level import Level
from stockwire.streams.follower import Step


class Levels:
    """The newest state of each level: holds as many as there are. Not stored: after a restart it is filled from where
    levels are told from the beginning (Kafka's topic of levels), or from ``GET /v1/levels``.
    """

    def __init__(self) -> None:
        self._levels: dict[tuple[str, str], Level] = {}

    def apply(self, step: Step) -> bool:
        """Whether a level is another one now."""
        dropped = step.starts_over and self._drop(step.shard)
        if step.level is None:
            return dropped
        held = self._levels.get(step.level.key)
        if held is not None and held.version >= step.level.version:
            return dropped
        self._levels[step.level.key] = step.level
        return True

    def get(self, location: str, sku: str) -> Level | None:
        return self._levels.get((location, sku))

    def __iter__(self) -> Iterator[Level]:
        return iter(self._levels.values())

    def __len__(self) -> int:
        return len(self._levels)

    def _drop(self, shard: int) -> bool:
        kept = {key: level for key, level in self._levels.items() if level.shard != shard}
        dropped = len(kept) < len(self._levels)
        self._levels = kept
        return dropped
