"""Which shards of a relay are behind; when none is any more, the memory that they took is given back."""

import time

from followers.relay.heap import give_back

AGAIN_S = 10.0
"""Between two times at least: it takes tens of milliseconds where much was taken, and a shard may be behind by a page
for a moment again and again."""


class Behind:
    def __init__(self) -> None:
        self._shards: set[int] = set()
        self._gave_back_s = float("-inf")

    def is_now(self, shard: int, *, behind: bool) -> None:
        if behind:
            self._shards.add(shard)
        elif shard in self._shards:
            self._shards.remove(shard)
            now_s = time.monotonic()
            if not self._shards and now_s - self._gave_back_s >= AGAIN_S:
                self._gave_back_s = now_s
                give_back()

    def left(self, shard: int) -> None:
        """Another relay may write it from now on."""
        self._shards.discard(shard)
