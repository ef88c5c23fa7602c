"""Watches every level through one hub: one subscription, however many people look."""

import asyncio
import logging
import time

from console.watched.arrivals import Arrivals
from console.watched.stock_table import StockTable
from stockwire import AsyncClient, LevelChanged, Snapshot, State
from stockwire.errors import StockwireError

AGAIN_S = 2.0

log = logging.getLogger(__name__)


class Levels:
    """``state``: as far as ``table`` can be trusted: connecting, live or stale."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self.table = StockTable()
        self.arrivals = Arrivals()
        self.state = "connecting"
        self.lag_ms: int | None = None
        self.changes = 0

    async def run(self) -> None:
        """Until cancelled. Who is sent away for good (a key that ended) comes again: another key may be there."""
        while True:
            try:
                await self._watch()
            except StockwireError as error:
                log.warning("the hub sent the console away reason=%r", str(error))
            self.state = "connecting"
            await asyncio.sleep(AGAIN_S)

    async def _watch(self) -> None:
        async with self._client.subscribe("*") as subscription:
            first = True
            async for event in subscription:
                if isinstance(event, LevelChanged):
                    self._changed(event)
                elif isinstance(event, Snapshot):
                    if first or not event.recovered:
                        self.table.replace(subscription.view.values())
                        first = False
                    self.changes += 1
                self.state = _STATES[subscription.view.state]
                self.lag_ms = subscription.view.lag_ms

    def _changed(self, event: LevelChanged) -> None:
        level = event.level
        known = self.table.level(level.sku, level.location)
        if level.committed_at is not None and (known is None or known.version < level.version):
            self.arrivals.arrived(level.committed_at.timestamp(), time.time())
        self.table.put(level)
        self.changes += 1


_STATES = {State.CONNECTING: "connecting", State.FRESH: "live", State.STALE: "stale", State.CLOSED: "connecting"}
