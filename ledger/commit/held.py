"""Who holds how much, and what limits it: counted in the database, and on with what the batch itself decides. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from ledger.commit.hold import Hold
from ledger.limits import HoldLimits


class Holder(NamedTuple):
    """Whose open holds are counted together: all of one owner, and all of one customer, whoever makes them.

    ``customer``: None if nobody said for whom; such a hold is counted by itself.
    """

    owner: str
    customer: str | None


class ItemLimits(NamedTuple):
    """What an item says for itself. None: nothing.

    ``customer_units``: of this sku, over all locations. ``share_percent`` stands instead of the ledger's.
    """

    customer_units: int | None = None
    ttl_s: int | None = None
    share_percent: int | None = None


NO_LIMITS = ItemLimits()


@dataclass(slots=True)
class Held:
    """Of one holder: units and holds that are open and not overdue. ``of_sku``: where an item limits its customers."""

    units: int = 0
    holds: int = 0
    of_sku: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a plan that would hold more is held to, as the operations before it left it."""

    limits: HoldLimits
    items: Mapping[str, ItemLimits]
    holder: Holder
    customer: Held
    owner: Held

    def of_item(self, sku: str) -> ItemLimits:
        return self.items.get(sku, NO_LIMITS)


class Tally:
    """Of one batch. ``customers`` and ``owners``: as they were counted; none, if no limit is about them."""

    def __init__(
        self,
        limits: HoldLimits,
        items: Mapping[str, ItemLimits],
        customers: dict[str, Held] | None = None,
        owners: dict[str, Held] | None = None,
    ) -> None:
        self._limits = limits
        self._items = items
        self._customers = customers or {}
        self._owners = owners or {}

    def bounds(self, holder: Holder, hold: Hold | None, moment: datetime | None) -> Bounds:
        """``hold``: the one that would grow, if it is there."""
        if holder.customer is None:
            of_sku = {} if hold is None else _open_units(hold, moment)
            customer = Held(sum(of_sku.values()), int(bool(of_sku)), of_sku)
        else:
            customer = self._customers.get(holder.customer) or Held()
        return Bounds(self._limits, self._items, holder, customer, self._owners.get(holder.owner) or Held())

    def moved(self, before: Hold | None, after: Hold, moment: datetime | None) -> None:
        """An operation of the batch made ``after`` of ``before``."""
        counted = (self._owners.get(after.owner), self._customers.get(after.customer or ""))
        if counted == (None, None) or after.is_transfer:  # what is on its way is held from nobody
            return
        was, is_now = ({} if before is None else _open_units(before, moment)), _open_units(after, moment)
        for held in counted:
            if held is not None:
                held.holds += bool(is_now) - bool(was)
                held.units += sum(is_now.values()) - sum(was.values())
                for sku in is_now.keys() | was.keys():
                    held.of_sku[sku] = held.of_sku.get(sku, 0) + is_now.get(sku, 0) - was.get(sku, 0)


def _open_units(hold: Hold, moment: datetime | None) -> dict[str, int]:
    """By sku, what counts of a hold: what is pending only as long as its time is not over."""
    overdue = hold.overdue(moment)
    units: dict[str, int] = {}
    for key, line in hold.lines.items():
        counted = line.committed if overdue else line.reserved
        if counted:
            units[key.sku] = units.get(key.sku, 0) + counted
    return units
