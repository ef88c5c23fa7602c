"""Whether a flash sale went as it must, and every figure of it. Pure: computed from what was measured, nothing else."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from cli.figures import percentile
from cli.flash_sale.buyers import Outcome, Purchase
from cli.flash_sale.level_audit import LevelAudit

HEALED_S_MAX = 10.0
"""docs/design.md, I4: what a screen holds is what the ledger has, so long after faults end."""


@dataclass(frozen=True, slots=True)
class Sale:
    """``unknown``: without an answer after all retries. ``never_paid``: held a unit and let its time go by.
    ``at_once``: requests under way at the same time at most.

    ``took_s``: from the first request to the last answer. Percentiles are of the answered purchases.
    """

    buyers: int
    units: int
    at_once: int
    sold: int
    refused: int
    unknown: int
    took_s: float
    p50_ms: float | None
    p99_ms: float | None
    never_paid: int = 0

    @property
    def oversold(self) -> int:
        return max(0, self.sold - self.units)

    @property
    def due(self) -> int:
        """How many must be sold: every buyer wants one, and most pay."""
        return min(self.buyers - self.never_paid, self.units)


def sale_of(purchases: Sequence[Purchase], units: int, at_once: int, took_s: float) -> Sale:
    took_ms = sorted(purchase.took_s * 1000 for purchase in purchases if purchase.outcome is not Outcome.UNKNOWN)
    count = {outcome: sum(purchase.outcome is outcome for purchase in purchases) for outcome in Outcome}
    return Sale(
        buyers=len(purchases),
        units=units,
        at_once=at_once,
        sold=count[Outcome.SOLD],
        refused=count[Outcome.REFUSED],
        unknown=count[Outcome.UNKNOWN],
        took_s=took_s,
        p50_ms=percentile(took_ms, 0.50),
        p99_ms=percentile(took_ms, 0.99),
        never_paid=count[Outcome.NEVER_PAID],
    )


@dataclass(frozen=True, slots=True)
class HoldsFound:
    """What the database says of the sale's holds, each of one unit: what became of them, and how many are open."""

    made: int
    paid: int
    expired: int
    open: int

    def complaints(self, sale: Sale) -> list[str]:
        found = []
        if self.open:
            found.append(f"holds: {self.open} are still open")
        if self.paid > sale.units:
            found.append(f"holds: {self.paid} were paid for, of {sale.units} units")
        if not sale.sold <= self.paid <= sale.sold + sale.unknown:
            found.append(f"holds: {self.paid} were paid for, {sale.sold} buyers were told so")
        if not sale.never_paid <= self.expired <= self.made - self.paid:
            found.append(f"holds: {self.expired} expired, {sale.never_paid} buyers never paid")
        return found


@dataclass(frozen=True, slots=True)
class ScreensFound:
    """``equal``: views that ended equal to the ledger, and fresh. ``healed_s``: until all were, counted from what
    ``healed_after`` says; None if they never were. ``went_back``: how many versions did.

    Latencies are from the commit to a view's callback, over all changes that a view was connected for.
    """

    views: int
    hubs: int
    equal: int
    healed_s: float | None
    healed_after: str
    went_back: int
    p50_ms: float | None
    p99_ms: float | None


@dataclass(frozen=True, slots=True)
class FaultFound:
    """``sold_before``: units sold when it struck. ``lasted_s``: until the part was back; None if it did not
    come back while somebody waited."""

    part: str
    done: str
    sold_before: int
    lasted_s: float | None


@dataclass(frozen=True, slots=True)
class NaiveFound:
    """``on_hand``: what its table says is left."""

    sale: Sale
    on_hand: int


@dataclass(frozen=True, slots=True)
class Verdict:
    sku: str
    location: str
    sale: Sale
    screens: ScreensFound
    audit: LevelAudit
    naive: NaiveFound
    fault: FaultFound | None = None
    holds: HoldsFound | None = None

    @property
    def good(self) -> bool:
        return not self.reasons()

    def reasons(self) -> list[str]:
        """Why it is not good; what the naive sale did is no part of it."""
        lost = [f"{self.fault.part} did not come back"] if self.fault and self.fault.lasted_s is None else []
        held = self.holds.complaints(self.sale) if self.holds else []
        return [*lost, *self._sale_reasons(), *held, *self._screen_reasons(), *self.audit.complaints()]

    def _sale_reasons(self) -> list[str]:
        sale, found = self.sale, []
        if sale.oversold:
            found.append(f"oversold: {sale.sold} sold of {sale.units} units")
        elif sale.sold < sale.due:
            found.append(f"undersold: {sale.sold} sold where {sale.due} could be")
        if sale.unknown:
            found.append(f"{sale.unknown} buyers got no answer")
        if not sale.sold <= self.audit.sold <= sale.sold + sale.unknown:
            found.append(f"audit: {self.audit.sold} units left by sales, {sale.sold} buyers were told so")
        return found

    def _screen_reasons(self) -> list[str]:
        screens, found = self.screens, []
        if screens.equal < screens.views:
            found.append(f"{screens.views - screens.equal} of {screens.views} screens differ from the ledger")
        elif screens.healed_s is not None and screens.healed_s > HEALED_S_MAX:
            after = f"{screens.healed_s:.1f} s after {screens.healed_after}"
            found.append(f"screens equal only {after}; {HEALED_S_MAX:.0f} s are allowed")
        if screens.went_back:
            found.append(f"{screens.went_back} times a version went back on a screen")
        return found

    def as_json(self) -> str:
        found = asdict(self)
        found["sale"]["oversold"] = self.sale.oversold
        found["naive"]["sale"]["oversold"] = self.naive.sale.oversold
        return json.dumps({"good": self.good, "reasons": self.reasons(), **found}, indent=1)
