"""A hub node: the product's own feed, loader, ticker and heartbeats, on simulated lines to broker and ledger."""

import asyncio
from collections import Counter
from random import Random
from typing import TYPE_CHECKING

from hub.endings import Ending
from hub.errors import Ended
from hub.fanout.fanout import Bounds, Fanout
from hub.feed.feed import Feed
from hub.feed.feed_parts import FeedParts
from hub.feed.heartbeats import Heartbeats
from hub.feed.loader import Loader
from hub.feed.ticker import Ticker
from tests.simulation.broker import BrokerLine, SimulatedBroker
from tests.simulation.ledger import LedgerLine
from tests.simulation.loop import VirtualLoop
from tests.simulation.stock import Stock
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.link import Link

HEARTBEAT_S = 0.8
BOUNDS = (Bounds(1_000, 0), Bounds(1_000, 3), Bounds(1_000, 1_000), Bounds(29, 1_000))
"""The last has to make room now and then, and has it: of 20 levels and 12 ghosts all four screens watch 29 at most."""


class SimulatedFeed(Feed):
    """The product's, with a simulated broker."""

    def __init__(self, parts: FeedParts, line: BrokerLine, loop: VirtualLoop, counts: Counter[str]) -> None:
        super().__init__(parts)
        self._line = line
        self._loop = loop
        self._counts = counts

    def _broker(self, shards: int) -> SimulatedBroker:
        return SimulatedBroker(self._line, self._loop, self._counts, self)


class Node:
    """``run`` within a running virtual loop; ``vanish`` takes everything it remembers with it."""

    def __init__(self, name: str, stock: Stock, loop: VirtualLoop, random: Random, counts: Counter[str]) -> None:
        self.name = name
        self.loop = loop
        self.counts = counts
        self.alive = True
        self._stock = stock
        self.broker = BrokerLine(loop, random, counts)
        self.ledger = LedgerLine(stock, random, counts)
        self.ticker = Ticker(lambda: self.feed.fanout, lambda: self._loader.notice())
        parts = FeedParts(
            ledger=self.ledger,
            redis_url="",
            channel_prefix="stockwire",
            bounds=random.choice(BOUNDS),
            schedule_flush=self.ticker.schedule_flush,
            applied=lambda _events, _transit_s, _trace: None,
            revoked=lambda _: None,
            doubted=lambda: None,
            rewritten=self._rewritten,
        )
        self.feed = SimulatedFeed(parts, self.broker, loop, counts)
        self.links: dict[Link, None] = {}
        self._loader = Loader(self.ledger, lambda: self.feed.fanout, self.ticker.schedule_flush, self.feed.rewrite)
        self._heartbeats = Heartbeats(self.feed, self.ticker, HEARTBEAT_S)
        self._held = 0
        self._conflated = 0
        self._tasks = [
            loop.create_task(part, name=f"{what} of {name}")
            for what, part in {
                "feed": self.feed.run(),
                "loader": self._loader.run(),
                "heartbeats": self._heartbeats.run(),
            }.items()
        ]
        for task in self._tasks:
            task.add_done_callback(self._ended)

    def vanish(self) -> None:
        self.alive = False
        self.feed.fanout = None
        for task in self._tasks:
            task.cancel()
        for link in list(self.links):
            link.vanish()

    def look(self) -> None:
        """The deadlines of its connections, as the stream port looks after them; and what is to be counted."""
        for link in list(self.links):
            link.look()
        conflated, self._conflated = self._conflated, self.feed.counts.conflated
        self.counts["change conflated"] += self._conflated - conflated
        fanout = self.feed.fanout
        if fanout is not None:
            held, self._held = self._held, fanout.levels.count
            self.counts["level let go"] += max(0, held - self._held)
            self.counts["position asked about"] += len(fanout.confirming)

    def missing(self) -> str | None:
        """What it lacks to be equal to the ledger."""
        fanout, history = self.feed.fanout, self._stock.history
        if fanout is None or fanout.shards.epoch != history.epoch:
            return f"{self.name} does not follow {history.epoch}"
        applied = dict(enumerate(fanout.shards.lasts()))
        if applied != history.heads():
            return f"{self.name} has {applied}, the ledger {history.heads()}"
        levels = fanout.levels
        loading = [
            f"{held.location}/{held.sku}"
            for at in levels.locations.values()
            for held in at.values()
            if held.state is None
        ]
        loading += [str(found.name) for found in levels.areas.values() if found.order is None]
        return f"{self.name} has not loaded {loading}" if loading else None

    def _rewritten(self, _: Fanout) -> None:
        self.counts["history dropped by a hub"] += 1
        self._held = 0
        for link in list(self.links):
            link.end(Ended(Ending.REWRITTEN))

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (self.alive or task.exception() is not None):
            raise Violation("task-ended", f"{task.get_name()}: {task.exception()!r}")
