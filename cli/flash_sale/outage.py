"""What a fault does to screens: views on every hub watch while a part is broken, until all of them have healed."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from cli.flash_sale.fault import BACK_WITHIN_S, Fault
from cli.flash_sale.verdict import HEALED_S_MAX
from cli.flash_sale.views import HEAL_WITHIN_S, Views
from cli.running_system import RunningSystem
from stockwire import AsyncClient

VIEWS_PER_HUB = 2  # one that stays with its hub, one that may go to another


@dataclass(frozen=True, slots=True)
class Outage:
    """``lasted_s``: None if the part did not come back. ``healed_s``: from the fault's beginning until every view was
    fresh; None if not all ended fresh and equal.

    ``equal``: views that hold what the ledger says, compared afterwards over ``levels``. ``longest_lag_ms``: from a
    commit to a view, of everything that came while the part was away; None if nothing did, or nothing could.
    """

    part: str
    done: str
    lasted_s: float | None
    views: int
    equal: int
    levels: int
    healed_s: float | None
    longest_lag_ms: float | None

    def text(self) -> str:
        lag = "" if self.longest_lag_ms is None else f"; longest lag {self.longest_lag_ms:,.0f} ms"
        screens = f"{self.equal} of {self.views} screens have healed{lag}"
        if self.lasted_s is None:
            return f"✗ {self.part} {self.done}: {self.part} did not come back within {BACK_WITHIN_S:.0f} s; {screens}"
        if self.healed_s is None:
            return f"✗ {self.part} {self.done}: only {screens}"
        sign = "✗" if self.healed_s > self.lasted_s + HEALED_S_MAX else "✓"
        return (
            f"{sign} {self.part} {self.done}, back after {self.lasted_s:.2f} s. All {self.views} screens fresh again "
            f"{self.healed_s:.2f} s after it began, {self.levels:,} levels equal to the ledger{lag}"
        )


async def break_part(system: RunningSystem, fault: Fault, location: str, told: Callable[[str], None]) -> Outage:
    """Raises StockwireError when there is no system to watch, psutil.Error when the process has gone by itself."""
    async with (
        AsyncClient(system.ledger, system.key) as client,
        Views(system, location, None, VIEWS_PER_HUB * len(system.hubs)) as views,
    ):
        told(f"{fault.name}: {fault.done}; {len(views.all)} screens on {len(system.hubs)} hubs are watching …")
        began = time.monotonic()
        lasted_s = await fault.strike()
        await views.until(lambda view: view.fresh, HEAL_WITHIN_S)
        fresh_at = max(view.fresh_since or math.inf for view in views.all)
        levels = [level async for level in client.levels(location)]
        equal = await views.until(lambda view: view.fresh and all(map(view.holds, levels)), HEAL_WITHIN_S)
        lags_ms = [lag for view in views.all for lag in view.latencies_ms] if fault.connections_stay else []
    return Outage(
        part=fault.name,
        done=fault.done,
        lasted_s=lasted_s,
        views=len(views.all),
        equal=equal,
        levels=len(levels),
        healed_s=fresh_at - began if equal == len(views.all) and fresh_at < math.inf else None,
        longest_lag_ms=max(lags_ms, default=None),
    )
