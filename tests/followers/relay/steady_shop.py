"""A shop that sells at a steady rate, and how long its tills and whoever watches a hub wait."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median

from stockwire import AsyncClient, Item, LevelChanged, Snapshot, receipt
from tests.harness.system import System
from tests.harness.waiting import wait_until

LOCATIONS = tuple(f"shop-{number}" for number in range(6))
"""Of several shards."""
SOLD = "S000"
STOCKED = 10**6
LINES_MAX = 500
"""Of one operation."""


@dataclass(frozen=True, slots=True)
class Waited:
    """Seconds: of each sale until it was answered, and of each level from its commit until it was on a screen."""

    sales_s: list[float]
    levels_s: list[float]

    @property
    def sale_s(self) -> float:
        return median(self.sales_s)

    @property
    def level_s(self) -> float:
        return median(self.levels_s)


@dataclass
class Shop:
    """``sold``: units of ``SOLD`` at each location; ``shown``: those that a screen shows there now."""

    client: AsyncClient
    sold: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LOCATIONS, 0))
    shown: dict[str, int] = field(default_factory=dict)
    _levels_s: list[float] = field(default_factory=list)

    async def stock_up(self, lines: int) -> None:
        """So many skus at each location, an event each."""
        skus = [f"S{number:03}" for number in range(lines)]
        await self.client.items.put_many([Item(sku, sku) for sku in skus])
        for location in LOCATIONS:
            await self.client.locations.put(location, location)
            for at in range(0, lines, LINES_MAX):
                await self.client.operation([receipt(sku, location, STOCKED) for sku in skus[at : at + LINES_MAX]])

    async def sell(self, per_s: float, for_s: float) -> Waited:
        """One till at each location; what one sale is late, the next ones are not. Raises what a till raises: none may
        fail. Returns when all levels are on the screens."""
        self._levels_s = []
        async with asyncio.TaskGroup() as tasks:
            tills = [tasks.create_task(self._sell(one, per_s / len(LOCATIONS), for_s)) for one in LOCATIONS]

        async def shown() -> bool:
            return self.shown == {location: STOCKED - sold for location, sold in self.sold.items()}

        await wait_until(shown, what=f"{self.sold} are sold, and shown is not what is left")
        return Waited([s for till in tills for s in till.result()], self._levels_s)

    async def watch(self, location: str) -> None:
        """Until cancelled."""
        async with self.client.subscribe(location, [SOLD]) as subscription:
            async for event in subscription:
                if isinstance(event, LevelChanged):
                    self.shown[location] = event.level.on_hand
                    if (committed_at := event.level.committed_at) is not None:
                        self._levels_s.append((datetime.now(UTC) - committed_at).total_seconds())
                elif isinstance(event, Snapshot):
                    self.shown.update((level.location, level.on_hand) for level in event.levels)

    async def _sell(self, location: str, per_s: float, for_s: float) -> list[float]:
        took_s: list[float] = []
        began_s = time.monotonic()
        while (due_s := began_s + len(took_s) / per_s) < began_s + for_s:
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            asked_s = time.monotonic()
            await self.client.stock.sell(SOLD, location)
            took_s.append(time.monotonic() - asked_s)
            self.sold[location] += 1
        return took_s


@asynccontextmanager
async def steady_shop(system: System) -> AsyncIterator[Shop]:
    """Of a system with a ledger and a hub. Each location has a screen, over one connection."""
    async with (
        AsyncClient(system.ledger_url, await system.admin_key()) as client,
        asyncio.TaskGroup() as tasks,
    ):
        shop = Shop(client)
        watching = [tasks.create_task(shop.watch(location)) for location in LOCATIONS]
        yield shop
        for one in watching:
            one.cancel()
