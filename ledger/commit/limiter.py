"""What limits the holds of a batch, and who holds how much: read before it is decided.

Limits are exact. Whoever counts holds of a customer or an owner has locked them before, and writes in the same
transaction: the next one counts behind that, in whatever ledger, for whatever level.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any

from ledger.commit.held import Held, Holder, ItemLimits, Tally
from ledger.commit.operation import Operation
from ledger.database.connector import CheckedConnection
from ledger.feed.heads import Heads
from ledger.limits import HoldLimits

_SQL = files("ledger.commit") / "sql"
ITEM_LIMITS = (_SQL / "item_limits.sql").read_text()
LOCK_HOLDERS = (_SQL / "lock_holders.sql").read_text()
HELD = (_SQL / "held.sql").read_text()

LOCK_CLASS = 0x486F6C64
"""Of the advisory locks of holders: nobody else of ours uses it."""

LOCKS = 64
"""Holders share so many locks. One each would be more than PostgreSQL has room for (its ``max_locks_per_transaction``)
where many writers have batches of hundreds of customers; with fewer, other customers are waited for more often."""


@dataclass(frozen=True, slots=True)
class Limited:
    """Of one batch: the limits that apply to it. ``holders``: whose holds would grow. ``wanted``:
    customers, each with a sku that it wants more of.
    """

    limits: HoldLimits
    items: Mapping[str, ItemLimits]
    holders: frozenset[Holder]
    wanted: frozenset[tuple[str, str]]

    @property
    def counted(self) -> bool:
        """Whether it has to be known who holds how much: then only under locks."""
        return self.limits.counted or bool(self._counted_skus)

    @property
    def _counted_skus(self) -> list[str]:
        return [sku for sku, item in self.items.items() if item.customer_units is not None]

    @property
    def _customers(self) -> list[str]:
        return sorted({holder.customer for holder in self.holders if holder.customer is not None})

    @property
    def _owners(self) -> list[str]:
        limited = self.limits.owner_units or self.limits.owner_reservations
        return sorted({holder.owner for holder in self.holders}) if limited else []

    async def lock(self, connection: CheckedConnection) -> None:
        """Until the transaction ends. Before holds and levels are locked."""
        if self.counted:
            names = (*(f"owner {name}" for name in self._owners), *(f"customer {name}" for name in self._customers))
            await connection.fetch(LOCK_HOLDERS, LOCK_CLASS, sorted({_lock_of(name) for name in names}))

    async def tally(self, connection: CheckedConnection, moment: datetime | None) -> Tally:
        """``moment``: when the holds of the batch were read, by the database's clock: under the locks all of them are.
        None if no hold is about to be decided, since all of it was done before.
        """
        if not self.counted or moment is None:
            return Tally(self.limits, self.items)
        limits, counted = self.limits, set(self._counted_skus)
        pairs = sorted(pair for pair in self.wanted if pair[1] in counted)
        rows: Sequence[Any] = await connection.fetch(
            HELD,
            moment,
            self._owners,
            1 + max(limits.owner_units, limits.owner_reservations),
            self._customers if limits.customer_units or limits.customer_reservations else [],
            1 + max(limits.customer_units, limits.customer_reservations),
            [name for name, _ in pairs],
            [sku for _, sku in pairs],
        )
        found: dict[str, dict[str, Held]] = {
            "owner": {name: Held() for name in self._owners},
            "customer": {name: Held() for name in self._customers},
        }
        for row in rows:
            held = found[row["kind"]][row["name"]]
            if row["sku"] is None:
                held.holds, held.units = row["holds"], row["units"]
            else:
                held.of_sku[row["sku"]] = row["units"]
        return Tally(limits, self.items, found["customer"], found["owner"])


class Limiter:
    """``limits``: the ledger's own. What items say is asked for once one of them says anything."""

    def __init__(self, limits: HoldLimits, heads: Heads) -> None:
        self._limits = limits
        self._heads = heads
        self._limits_all = limits.counted or bool(limits.share_percent)

    async def of(self, connection: CheckedConnection, operations: Iterable[Operation]) -> Limited | None:
        """None if nothing limits them: then nothing was asked."""
        if not (self._limits_all or self._heads.items_limited):
            return None
        plans = [
            (operation.plan.holder, operation.plan.levels)
            for operation in operations
            if operation.plan is not None and operation.plan.holder is not None
        ]
        if not plans:
            return None
        items: dict[str, ItemLimits] = {}
        if self._heads.items_limited:
            skus = {key.sku for _, levels in plans for key in levels}
            rows: Sequence[Any] = await connection.fetch(ITEM_LIMITS, sorted(skus))
            items = {row[0]: ItemLimits(row[1], row[2], row[3]) for row in rows}
        if not (self._limits_all or items):
            return None
        holders = frozenset(holder for holder, _ in plans)
        wanted = frozenset((who.customer, key.sku) for who, levels in plans if who.customer for key in levels)
        return Limited(self._limits, items, holders, wanted)


def _lock_of(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % LOCKS
