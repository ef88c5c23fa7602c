"""Real subscriptions through every hub: what each holds since when, and whether it ever went back.

Of two, one stays with its hub whatever happens to it, the other may move to any: both ways back from a fault are taken.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from cli.flash_sale.verdict import HEALED_S_MAX
from cli.running_system import RunningSystem
from stockwire import AsyncClient, AsyncSubscription, Level, LevelChanged, Snapshot, State, StreamEvent
from stockwire.view import Key

OPEN_AT_ONCE = 32  # connections: hubs verify each key, and nobody waits in a full listen queue
READY_WITHIN_S = 30.0
HEAL_WITHIN_S = 3 * HEALED_S_MAX
"""Screens are waited for beyond what is allowed, so that one which is late is told from one that never heals."""
POLL_S = 0.01  # when something was seen is noted as it comes; this is only how soon waiting ends


class WatchingScreen:
    """One subscription. Times are monotonic seconds."""

    def __init__(self, subscription: AsyncSubscription) -> None:
        self._subscription = subscription
        self._seen: dict[Key, tuple[int, float]] = {}
        self.fresh_since: float | None = None
        self.went_back = 0
        self.latencies_ms: list[float] = []
        subscription.listen(self._heard)

    def holds(self, level: Level) -> bool:
        """This version with these numbers, or a newer one."""
        held = self._subscription.view.get(level.key)
        if held is None:
            return level.version == 0
        return held.version > level.version or (held.version, held.on_hand) == (level.version, level.on_hand)

    def equals(self, level: Level) -> bool:
        held = self._subscription.view.get(level.key)
        return held is not None and (held.version, held.on_hand, held.reserved) == (
            level.version,
            level.on_hand,
            level.reserved,
        )

    def since(self, key: Key) -> float:
        """When it came to the version that it holds."""
        return self._seen[key][1]

    @property
    def fresh(self) -> bool:
        return self._subscription.view.state is State.FRESH

    def _heard(self, event: StreamEvent) -> None:
        now = time.monotonic()
        if isinstance(event, LevelChanged):
            # What an interruption kept from it is told after the snapshot: that is no measure of the way here
            if self._saw(event.level, now) and event.level.committed_at is not None:
                self.latencies_ms.append((time.time() - event.level.committed_at.timestamp()) * 1000)
        elif isinstance(event, Snapshot):
            for level in event.levels:
                self._saw(level, now)
        if not self.fresh:
            self.fresh_since = None
        elif self.fresh_since is None:
            self.fresh_since = now

    def _saw(self, level: Level, now: float) -> bool:
        """Whether it is new."""
        before = self._seen.get(level.key, (-1, now))
        self.went_back += level.version < before[0]
        if level.version == before[0]:
            return False
        self._seen[level.key] = level.version, now
        return True


class Views:
    """``async with Views(...) as views``: all of them have a snapshot. ``skus`` None: the whole location.

    Raises StockwireError when a hub gives no snapshot within READY_WITHIN_S.
    """

    def __init__(self, system: RunningSystem, location: str, skus: Sequence[str] | None, number: int) -> None:
        self._system = system
        self._location = location
        self._skus = skus
        self._number = number
        self._open = AsyncExitStack()
        self.all: list[WatchingScreen] = []

    async def __aenter__(self) -> Self:
        try:
            clients = [await self._client(hubs) for hubs in placements(self._system.hubs)]
            for begin in range(0, self._number, OPEN_AT_ONCE):
                numbers = range(begin, min(begin + OPEN_AT_ONCE, self._number))
                await self._watch_at_once([clients[number % len(clients)] for number in numbers])
        except BaseException:
            await self._open.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    async def until(self, true_of: Callable[[WatchingScreen], bool], within_s: float) -> int:
        """How many are so, at the latest after ``within_s``; returns as soon as all are."""
        deadline = time.monotonic() + within_s
        while (so := sum(map(true_of, self.all))) < len(self.all) and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(POLL_S)  # bounded; an event for each change of each view would cost more than looking
        return so

    async def _client(self, hubs: Sequence[str]) -> AsyncClient:
        return await self._open.enter_async_context(AsyncClient(self._system.ledger, self._system.key, hubs=hubs))

    async def _watch_at_once(self, clients: Sequence[AsyncClient]) -> None:
        """When this ends, however, none of them is still being opened. Raises as the first that failed."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for client in clients:
                    tasks.create_task(self._watch(client), name="screen")
        except ExceptionGroup as group:
            raise group.exceptions[0] from group

    async def _watch(self, client: AsyncClient) -> None:
        subscription = client.subscribe(self._location, self._skus)
        self.all.append(WatchingScreen(subscription))
        await self._open.enter_async_context(subscription)
        await subscription.ready(READY_WITHIN_S)


def placements(hubs: Sequence[str]) -> list[Sequence[str]]:
    """Which hubs one client may use, then the next: pinned and free in turn, every hub pinned once."""
    return [choice for hub in hubs for choice in ([hub], hubs)]
