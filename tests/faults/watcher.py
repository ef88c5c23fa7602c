"""A client that watches and remembers what must never happen: a version that goes back within an epoch."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from stockwire import AsyncClient, AsyncSubscription, Level, LevelChanged, Snapshot, StreamEvent
from stockwire.kind import LEVELS
from tests.harness.waiting import PATIENCE_S, wait_until

Figures = tuple[int, int, int]
"""version, on_hand, reserved"""


class Watcher:
    """``went_back`` lists every level that came with a lower version than one already shown, within one epoch."""

    def __init__(self, subscription: AsyncSubscription) -> None:
        self.subscription = subscription
        self.went_back: list[tuple[Level, int]] = []
        self.changes = 0
        self._shown: dict[tuple[str | None, str, str], int] = {}
        subscription.listen(self._hear)

    @property
    def figures(self) -> dict[tuple[str, str], Figures]:
        return {key: _figures(level) for key, level in self.subscription.view.items() if level.version > 0}

    def _hear(self, event: StreamEvent) -> None:
        if isinstance(event, LevelChanged):
            self.changes += 1
            self._show(event.level)
        elif isinstance(event, Snapshot):
            for level in event.levels:
                self._show(level)

    def _show(self, level: Level) -> None:
        position = self.subscription.view.position
        key = (position.epoch if position else None, level.location, level.sku)
        shown = self._shown.get(key, 0)
        if level.version < shown:
            self.went_back.append((level, shown))
        self._shown[key] = max(shown, level.version)


@asynccontextmanager
async def watching(client: AsyncClient, location: str, skus: Sequence[str] | None = None) -> AsyncIterator[Watcher]:
    """On any of the hubs. Ready: its first snapshot is complete."""
    async with _ready(client.subscribe(location, skus)) as watcher:
        yield watcher


@asynccontextmanager
async def watching_hub(
    stream_url: str, key: str, location: str, skus: Sequence[str] | None = None
) -> AsyncIterator[Watcher]:
    """On this hub and no other."""

    async def hubs() -> Sequence[str]:
        return [stream_url]

    async def token() -> str:
        return key

    subscription = AsyncSubscription(
        LEVELS, location, skus, hubs=hubs, token=token, token_changes=False, connect_timeout_s=10.0
    )
    async with _ready(subscription) as watcher:
        yield watcher


@asynccontextmanager
async def _ready(subscription: AsyncSubscription) -> AsyncIterator[Watcher]:
    watcher = Watcher(subscription)
    async with subscription:
        await subscription.ready(PATIENCE_S)
        yield watcher


async def truth(client: AsyncClient, location: str) -> dict[tuple[str, str], Figures]:
    """Every level of ``location`` as the ledger has it."""
    return {level.key: _figures(level) async for level in client.levels(location)}


async def await_agreement(
    client: AsyncClient, location: str, watchers: Iterable[Watcher], deadline_s: float = PATIENCE_S
) -> None:
    """Until every watcher shows what the ledger has. Raises AssertionError naming the levels that differ."""
    watched = list(watchers)

    async def agree() -> bool:
        expected = await truth(client, location)
        shown = [(number, watcher.figures) for number, watcher in enumerate(watched)]  # once: it copies the whole view
        differing = [
            (number, key, figures.get(key), expected.get(key))
            for number, figures in shown
            for key in expected.keys() | figures.keys()
            if figures.get(key) != expected.get(key)
        ]
        if differing:
            raise DifferError(f"{len(differing)} levels, such as {differing[:5]}")
        return True

    await wait_until(agree, deadline_s, what="every view equals the ledger", swallow=DifferError)
    for watcher in watched:
        assert watcher.went_back == [], "a version went back"


class DifferError(Exception):
    """A view and the ledger differ, for now."""


def _figures(level: Level) -> Figures:
    return level.version, level.on_hand, level.reserved
