"""A flash sale on a running system: an item of its own, views on every hub, more buyers than units, perhaps a fault.

It disturbs nobody: the location is its own, and each run has a sku of its own, so that its history is this sale alone
and two runs at once do not meet.
"""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from cli.figures import percentile
from cli.flash_sale.buyers import Outcome, Purchase, buy, callers
from cli.flash_sale.fault import Fault
from cli.flash_sale.level_audit import LevelAudit, audit_level
from cli.flash_sale.naive_sale import sell_naively
from cli.flash_sale.shoppers import hold_and_pay
from cli.flash_sale.verdict import FaultFound, HoldsFound, NaiveFound, Sale, ScreensFound, Verdict, sale_of
from cli.flash_sale.views import HEAL_WITHIN_S, Views, WatchingScreen
from cli.running_system import RunningSystem
from server.settings.environment import SettingsError
from stockwire import AsyncClient, Level

LOCATION = "flash-sale"
LOCATION_NAME = "Flash sale"
BUYERS_MAX = 20_000
UNITS_MAX = 1_000_000
EXPIRED_WITHIN_S = 10.0  # after the sale: its holds last 2 s, and end within a second of that
POLL_S = 0.1
WATCHERS_MAX = 1_000  # all of them in this one process


@dataclass(frozen=True, slots=True)
class Asked:
    """``hold``: in two steps, held and then paid for, and every third never pays."""

    buyers: int
    units: int
    watchers: int
    hold: bool = False

    def __post_init__(self) -> None:
        """Raises SettingsError."""
        for option, value, most in (
            ("--buyers", self.buyers, BUYERS_MAX),
            ("--units", self.units, UNITS_MAX),
            ("--watchers", self.watchers, WATCHERS_MAX),
        ):
            if not 1 <= value <= most:
                raise SettingsError(f"{option} {value} is out of range: choose 1 to {most}")


class FlashSale:
    """``told``: called with one line at each step. Run it once."""

    def __init__(self, system: RunningSystem, asked: Asked, fault: Fault | None, told: Callable[[str], None]) -> None:
        self._system = system
        self._asked = asked
        self._fault = fault
        self._told = told
        self._sku = f"FLASH-{secrets.token_hex(4)}"
        self._sold = 0
        self._selling = asyncio.Event()

    async def run(self) -> Verdict:
        """Raises StockwireError, psutil.Error, asyncpg's errors and OSError when the system is not all there."""
        asked, hubs = self._asked, len(self._system.hubs)
        async with AsyncClient(self._system.ledger, self._system.key) as client:
            await self._stock(client)
            self._told(f"opening {asked.watchers:,} screens on {hubs} hubs")
            async with Views(self._system, LOCATION, [self._sku], asked.watchers) as views:
                self._told(f"{asked.buyers:,} buyers, {asked.units:,} units")
                sale, fault, over_at, after = await self._sell()
                holds = await self._holds(client) if asked.hold else None
                if asked.hold and asked.buyers - sale.never_paid < asked.units:  # what is left came back since
                    over_at, after = time.monotonic(), "the last hold ended"
                level = await client.stock.get(self._sku, LOCATION)
                screens = await self._settle(views, level, over_at, after)
            audit = await self._audit(client, level)
        self._told("the same sale, done naively")
        naive = await sell_naively(self._system.database_url, asked.buyers, asked.units)
        compared = NaiveFound(sale_of(naive.purchases, asked.units, naive.connections, naive.took_s), naive.on_hand)
        return Verdict(self._sku, LOCATION, sale, screens, audit, compared, fault, holds)

    async def _stock(self, client: AsyncClient) -> None:
        await client.locations.put(LOCATION, LOCATION_NAME)
        await client.items.put(self._sku, f"Flash sale of {self._asked.units:,}")
        await client.stock.receive(self._sku, LOCATION, self._asked.units, key=f"{self._sku}:stock")

    async def _sell(self) -> tuple[Sale, FaultFound | None, float, str]:
        """The sale, the fault in the middle of it, the moment from which screens should heal (monotonic seconds), and
        which that is."""
        async with asyncio.TaskGroup() as tasks:
            striking = tasks.create_task(self._strike(), name="fault")
            purchases = await self._purchases()
            self._selling.set()
        answered_at = max(purchase.answered_at for purchase in purchases)
        began_at = min(purchase.answered_at - purchase.took_s for purchase in purchases)
        sale = sale_of(purchases, self._asked.units, callers(self._asked.buyers), answered_at - began_at)
        fault, ended_at = striking.result()
        after = "the end of the fault" if ended_at > answered_at else "the last answer"
        return sale, fault, max(answered_at, ended_at), after

    async def _purchases(self) -> list[Purchase]:
        asked, sold = self._asked, (self._system, self._sku, LOCATION, self._asked.buyers)
        if asked.hold:
            return await hold_and_pay(*sold, asked.units, self._answered)
        return await buy(*sold, self._answered)

    def _answered(self, purchase: Purchase) -> None:
        if purchase.outcome is Outcome.SOLD:
            self._sold += 1
            self._selling.set()

    async def _strike(self) -> tuple[FaultFound | None, float]:
        """With the first unit sold: the others go within milliseconds."""
        await self._selling.wait()
        if self._fault is None:
            return None, 0.0
        sold_before = self._sold
        lasted_s = await self._fault.strike()
        return FaultFound(self._fault.name, self._fault.done, sold_before, lasted_s), time.monotonic()

    async def _settle(self, views: Views, level: Level, over_at: float, after: str) -> ScreensFound:
        def healed(watched: WatchingScreen) -> bool:
            return watched.fresh and watched.equals(level)

        equal = await views.until(healed, HEAL_WITHIN_S)
        healed_s = None
        if equal == len(views.all):
            healed_at = max(max(watched.since(level.key), watched.fresh_since or 0.0) for watched in views.all)
            healed_s = max(0.0, healed_at - over_at)
        latencies_ms = sorted(latency for watched in views.all for latency in watched.latencies_ms)
        return ScreensFound(
            views=len(views.all),
            hubs=len(self._system.hubs),
            equal=equal,
            healed_s=healed_s,
            healed_after=after,
            went_back=sum(watched.went_back for watched in views.all),
            p50_ms=percentile(latencies_ms, 0.50),
            p99_ms=percentile(latencies_ms, 0.99),
        )

    async def _audit(self, client: AsyncClient, level: Level) -> LevelAudit:
        return audit_level(level, [event async for event in client.stock.history(self._sku, LOCATION)])

    async def _holds(self, client: AsyncClient) -> HoldsFound:
        """When nothing of it moves any more: the last of those that were never paid for may have a moment left."""
        ends = time.monotonic() + EXPIRED_WITHIN_S
        while True:
            count = Counter([hold.state async for hold in client.reservations.list(reference=self._sku)])
            still_open = count["pending"] + count["committed"]
            if not still_open or time.monotonic() > ends:
                return HoldsFound(count.total(), count["fulfilled"], count["expired"], still_open)
            await asyncio.sleep(POLL_S)
