"""A hold as the commit path knows it: units that are reserved, with a state. Pure data.

Most are of an order, a reservation: what may become of it is decided in ``ledger.holds.decide``. Some are of a transfer
from one location to another: ``ledger.holds.transfer``.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from ledger.commit.event import timestamp
from ledger.commit.stock import LevelKey

PENDING = "pending"
COMMITTED = "committed"
FULFILLED = "fulfilled"
CANCELLED = "cancelled"
EXPIRED = "expired"
STATES = (PENDING, COMMITTED, FULFILLED, CANCELLED, EXPIRED)
"""Of a hold, and of each of its units."""
TRANSFER_STATES = {COMMITTED: "in_transit", FULFILLED: "received", CANCELLED: "returned", EXPIRED: "lost"}
"""What the states are called of a transfer, and of each of its units: one that is on its way is nobody else's, and one
that was lost ended as nobody meant it to.
"""


class HoldLine(Struct, frozen=True, gc=False):
    """How many units of one level are in which state. Those that are pending or committed are reserved at the level."""

    pending: int = 0
    committed: int = 0
    fulfilled: int = 0
    cancelled: int = 0
    expired: int = 0

    @property
    def quantity(self) -> int:
        return self.pending + self.committed + self.fulfilled + self.cancelled + self.expired

    @property
    def reserved(self) -> int:
        return self.pending + self.committed


class Hold(Struct, frozen=True):
    """``lines`` by level, in the order in which they were asked for.

    ``version`` counts its changes: the optimistic lock. ``created_at`` is None until its first commit. ``expires_at``:
    when its pending units are let go, by the database's clock; ``ttl_s``: counted from the commit that it waits for.

    ``source`` and ``target``: the locations of a transfer, None of a reservation. The lines of a transfer are at the
    level where its units are on their way.
    """

    id: str
    owner: str
    lines: Mapping[LevelKey, HoldLine]
    customer: str | None = None
    reference: str | None = None
    version: int = 0
    created_at: datetime | None = None
    expires_at: datetime | None = None
    ttl_s: int | None = None
    source: str | None = None
    target: str | None = None

    @property
    def is_transfer(self) -> bool:
        return self.target is not None

    @property
    def state(self) -> str:
        """Of its units the state that is furthest from its end: open as long as one of them is."""
        furthest = CANCELLED
        for line in self.lines.values():
            if line.pending:
                return PENDING
            if line.committed:
                furthest = COMMITTED
            elif line.fulfilled and furthest != COMMITTED:
                furthest = FULFILLED
            elif line.expired and furthest == CANCELLED:
                furthest = EXPIRED
        return furthest

    @property
    def open(self) -> bool:
        return any(line.reserved for line in self.lines.values())

    def overdue(self, moment: datetime | None) -> bool:
        """Whether its time is over at ``moment``. One that this very batch has just given more time is not."""
        if self.ttl_s is not None or self.expires_at is None or moment is None:
            return False
        return self.expires_at <= moment


def stored_hold(hold: Hold) -> dict[str, Any]:
    """What is kept of it with the operation that left it so, for ``answer_of_stored``."""
    stored = document(hold)
    stored["ttl_s"] = hold.ttl_s
    return stored


def answer_of_stored(stored: dict[str, Any], committed_at: datetime | None) -> dict[str, Any]:
    """As it is answered, now and whenever it is asked for again: the times that its commit gave it are those of the
    operation. ``committed_at``: None of a batch of which nothing counts from there.
    """
    ttl_s = stored.pop("ttl_s")
    if committed_at is not None:
        if stored["created_at"] is None:
            stored["created_at"] = timestamp(committed_at)
        if ttl_s is not None and stored["state"] == PENDING:
            stored["expires_at"] = timestamp(committed_at + timedelta(seconds=ttl_s))
    return stored


def complete(hold: Hold, at: datetime | None) -> Hold:
    """The hold with the times that its commit gave it. ``at``: None of a batch of which nothing counts from there."""
    if at is None:
        return hold
    expires_at = hold.expires_at if hold.ttl_s is None else at + timedelta(seconds=hold.ttl_s)
    return replace(hold, created_at=hold.created_at or at, expires_at=expires_at, ttl_s=None)


def document(hold: Hold) -> dict[str, Any]:
    """As it is answered. ``expires_at`` stands there as long as something of it can expire."""
    if hold.is_transfer:
        return _transfer_document(hold)
    state = hold.state
    return {
        "id": hold.id,
        "state": state,
        "owner": hold.owner,
        "customer": hold.customer,
        "reference": hold.reference,
        "version": hold.version,
        "created_at": timestamp(hold.created_at),
        "expires_at": timestamp(hold.expires_at) if state == PENDING else None,
        "lines": [
            {
                "sku": key.sku,
                "location": key.location,
                "quantity": line.quantity,
                "pending": line.pending,
                "committed": line.committed,
                "fulfilled": line.fulfilled,
                "cancelled": line.cancelled,
                "expired": line.expired,
            }
            for key, line in hold.lines.items()
        ],
    }


def _transfer_document(transfer: Hold) -> dict[str, Any]:
    return {
        "id": transfer.id,
        "state": TRANSFER_STATES[transfer.state],
        "owner": transfer.owner,
        "from": transfer.source,
        "to": transfer.target,
        "reference": transfer.reference,
        "version": transfer.version,
        "created_at": timestamp(transfer.created_at),
        "lines": [
            {
                "sku": key.sku,
                "quantity": line.quantity,
                **{name: getattr(line, state) for state, name in TRANSFER_STATES.items()},
            }
            for key, line in transfer.lines.items()
        ],
    }
