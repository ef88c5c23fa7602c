"""The newest events that this ledger committed: who reads right behind them costs no look into the database."""

from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Any

EVENTS_MAX = 8_192
"""Of all shards together, each with its part: some 12 MB."""
SHARD_LEAST = 256
"""Of one shard, however many there are."""
KEPT_S = 0.25
"""After the last commit. Who follows closely asks within it, and nobody puts an older database back within it: what is
told is what the database has."""

Event = dict[str, Any]


class Recent:
    """Of each shard one dense run of events; whatever would leave a gap, or is of another epoch, begins it anew."""

    def __init__(self, events_max: int = EVENTS_MAX, shard_least: int = SHARD_LEAST) -> None:
        self._events_max, self._shard_least = events_max, shard_least
        self._runs: dict[int, tuple[str, deque[Event]]] = {}
        self._added_s: dict[int, float] = {}

    def add(self, epoch: str, shard: int, events: Sequence[Event], now_s: float) -> None:
        """``events``: as they go out, dense and in order. They are committed, and nobody changes them any more."""
        self._added_s[shard] = now_s
        known = self._runs.get(shard)
        if known is None or known[0] != epoch or known[1][-1]["seq"] + 1 != events[0]["seq"]:
            known = self._runs[shard] = epoch, deque()
        run = known[1]
        run.extend(events)
        for _ in range(len(run) - max(self._shard_least, self._events_max // len(self._runs))):
            run.popleft()

    def after(self, epoch: str, shard: int, seq: int, limit: int, now_s: float) -> list[Event] | None:
        """The first ones behind ``seq``, at most ``limit``; none if ``seq`` is of the last one. None if the first of
        them is not here, or if the last commit is too long ago."""
        known = self._runs.get(shard)
        if known is None or known[0] != epoch or now_s - self._added_s[shard] > KEPT_S:
            return None
        run = known[1]
        behind = run[-1]["seq"] - seq
        if not 0 <= behind <= len(run):
            return None
        newest = list(islice(reversed(run), behind))  # from the end: who follows closely is told the last few of many
        newest.reverse()
        return newest[:limit]
