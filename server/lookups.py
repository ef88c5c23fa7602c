"""What was looked up a moment ago, so that a busy caller costs one read and not one for each request."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Lookups(Generic[K, V]):
    """Remembers up to ``entries_max`` answers of ``load``, each for as many seconds as ``keep_s`` says of it, counted
    from when it was asked for; the least recently used go.

    Callers that miss the same key at once share one call of ``load``. What ``load`` raises is passed on and not kept.
    """

    def __init__(
        self,
        load: Callable[[K], Awaitable[V]],
        *,
        entries_max: int,
        keep_s: Callable[[V], float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._entries_max = entries_max
        self._keep_s = keep_s
        self._clock = clock
        self._entries: OrderedDict[K, tuple[V, float]] = OrderedDict()
        self._loading: dict[K, asyncio.Future[V]] = {}

    async def get(self, key: K) -> V:
        while True:
            entry = self._entries.get(key)
            if entry is not None and entry[1] > self._clock():
                self._entries.move_to_end(key)
                return entry[0]
            loading = self._loading.get(key)
            if loading is None:
                return await self._load_for_all(key)
            await asyncio.wait([loading])
            if not loading.cancelled():
                return loading.result()

    def peek(self, key: K) -> V | None:
        """What is remembered, for who does not wait; None if nothing is, or if the answer was None."""
        entry = self._entries.get(key)
        if entry is None or entry[1] <= self._clock():
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def forget(self, key: K) -> None:
        """A load that is under way is not kept either: it may have read the old answer."""
        self._entries.pop(key, None)
        self._loading.pop(key, None)

    def clear(self) -> None:
        self._entries.clear()
        self._loading.clear()

    async def _load_for_all(self, key: K) -> V:
        loading: asyncio.Future[V] = asyncio.get_running_loop().create_future()
        self._loading[key] = loading
        asked_at = self._clock()
        try:
            value = await self._load(key)
        except Exception as error:
            loading.set_exception(error)
            loading.exception()  # nobody may be waiting; that is no mistake
            raise
        else:
            loading.set_result(value)
            if self._loading.get(key) is loading:
                self._keep(key, value, asked_at)
            return value
        finally:
            loading.cancel()  # no effect unless this caller was cancelled: then a waiting one loads
            if self._loading.get(key) is loading:
                del self._loading[key]

    def _keep(self, key: K, value: V, asked_at: float) -> None:
        self._entries[key] = (value, asked_at + self._keep_s(value))
        self._entries.move_to_end(key)
        if len(self._entries) > self._entries_max:
            self._entries.popitem(last=False)
