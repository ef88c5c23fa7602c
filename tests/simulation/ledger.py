"""The ledger as one hub asks it: late, away, or read before what the hub hears in the meantime."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

import hub.feed.pages
from hub.errors import LedgerRefused, LedgerUnavailable
from hub.feed.ledger_client import Heads, LedgerClient, LevelsPage, LogPage, ShardHead
from tests.simulation.history import read_level
from tests.simulation.stock import Stock
from wire.messages import LevelState

T = TypeVar("T")

QUICK_S, SLOW_S = 0.004, 0.3
POLL_S = 0.25
LOG_PAGE = 6
OLDER_RATIO = 0.3
"""Of the pages, those of a ledger of the release before: it does not say early where the next begins, and has none
larger than a first page.
"""
BROKEN_RATIO = 0.1
"""Of the pages, those that a ledger breaks off, so that another has to be asked."""
KEYS_MAX = 3


class LedgerLine(LedgerClient):
    """``away``: no request is answered. ``slow``: up to ``SLOW_S`` each way."""

    def __init__(self, stock: Stock, random: Random, counts: Counter[str]) -> None:
        self.away = False
        self.slow = False
        self._stock = stock
        self._random = random
        self._counts = counts

    async def heads(self) -> Heads:
        return await self._ask(self._heads)

    async def events(self, shard: int, after: int, wait_s: int) -> LogPage:
        for _ in range(int(wait_s / POLL_S)):
            if len(self._stock.history.events[shard]) != after:
                break
            await asyncio.sleep(POLL_S)
        return await self._ask(lambda: self._events(shard, after))

    async def query(self, keys: Sequence[tuple[str, str]]) -> LevelsPage:
        if len(keys) > KEYS_MAX:
            self._counts["query too large"] += 1
            raise LedgerRefused(413, "too many keys")
        return await self._ask(lambda: self._levels(keys))

    async def page(
        self, location: str | None, after: str | None, limit: int, tell: Callable[[str], None]
    ) -> LevelsPage:
        chance = self._random.random()
        older, broken_off = chance < OLDER_RATIO, chance > 1 - BROKEN_RATIO

        def read() -> LevelsPage:
            if older and limit > hub.feed.pages.FIRST_LEVELS:
                self._counts["page too large"] += 1
                raise LedgerRefused(400, "limit")
            page = self._page(location, after, limit)
            if page.next is not None and not older:
                self._counts["next page told early"] += 1
                tell(page.next)
            return page

        if broken_off:
            self._counts["page broken off"] += 1
            await self._ask(read)
        return await self._ask(read)

    async def _ask(self, read: Callable[[], T]) -> T:
        """Asked, read and answered at different times, so that much may happen between them."""
        if self.slow:
            await self._on_the_way(self._random.uniform(0, SLOW_S))
        answer = read()
        await self._on_the_way(self._random.uniform(0, SLOW_S) if self.slow else QUICK_S)
        return answer

    async def _on_the_way(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        if self.away:
            self._counts["ledger not reached"] += 1
            raise LedgerUnavailable("away")
        if self._stock.fallen:
            self._counts["ledger read while fallen"] += 1

    # what the database says

    def _heads(self) -> Heads:
        history = self._stock.history
        return Heads(history.epoch, [ShardHead(shard, head) for shard, head in history.heads().items()])

    def _events(self, shard: int, after: int) -> LogPage:
        history = self._stock.history
        events = history.events[shard]
        return LogPage(history.epoch, shard, len(events), events[after : after + LOG_PAGE])

    def _levels(self, keys: Sequence[tuple[str, str]]) -> LevelsPage:
        history = self._stock.history
        return _page_of(history.epoch, self._by_name(), [history.state(*key) for key in keys])

    def _page(self, location: str | None, after: str | None, limit: int) -> LevelsPage:
        history = self._stock.history
        states = history.at(location)
        if location is not None and not states:
            raise LedgerRefused(404, "no such location")
        states = [state for state in states if f"{state.sku}/{state.location}" > (after or "")]
        last = states[limit - 1] if len(states) > limit else None
        following = f"{last.sku}/{last.location}" if last else None
        return _page_of(history.epoch, self._by_name(), states[:limit], following)

    def _by_name(self) -> dict[str, int]:
        return {str(shard): head for shard, head in self._stock.history.heads().items()}


def _page_of(epoch: str, heads: dict[str, int], levels: list[LevelState], following: str | None = None) -> LevelsPage:
    return LevelsPage(epoch, heads, levels, [read_level(state).view_version for state in levels], following)
