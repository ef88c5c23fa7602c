"""Mends drift that was accepted: in the transaction that says so, or, for an order, by what books orders."""

from followers.database.database import Connection
from followers.marketplaces.reconciling.comparing import Repair
from followers.marketplaces.reconciling.drifts import Row
from followers.marketplaces.terms import Order

LISTING, ORDER = "listing:", "order:"
"""Of ``Row.subject``."""


async def mend(connection: Connection, channel: str, drift: Row) -> str:
    """What was done, in words. ``drift``: accepted, and its repair is none of an order."""
    remote = drift.subject.removeprefix(LISTING)
    match drift.repair:
        case Repair.PUSH:
            await connection.execute(_PUSH, channel, remote, drift.theirs)
            return "our number is sent again"
        case Repair.MAP:
            await connection.execute(_MAP, channel, remote, drift.repair_sku, drift.decided_by or "")
            return f"mapped to {drift.repair_sku}"
        case Repair.UNMAP:
            await connection.execute("delete from mapping where channel = $1 and remote = $2", channel, remote)
            return "the mapping is dropped"
    raise AssertionError(f"drift {drift.id} has the repair {drift.repair}")


def order_of(drift: Row) -> str:
    """The id of the order that ``Repair.BOOK`` is about."""
    return drift.subject.removeprefix(ORDER)


def said_of(order: Order | None) -> str:
    return "the channel has no such order any more" if order is None else "the order was fetched, and is booked"


# What stands there is known now: whoever compares and sets says it, and a raise is told from a decrease by it. It may
# be a sale that nobody told us of: orders are polled before more than that is offered.
_PUSH = """
update outgoing set sent_quantity = $3, state = 'due', due_at = clock_timestamp(), attempt = 0,
       polled_after = clock_timestamp()
 where channel = $1 and remote = $2
"""
_MAP = """
with mapped as (
  insert into mapping (channel, remote, sku, by) values ($1, $2, $3, $4)
  on conflict (channel, remote) do update set sku = excluded.sku, by = excluded.by, at = now()
  returning channel, remote)
insert into outgoing (channel, remote) select channel, remote from mapped
on conflict (channel, remote) do update
   set state = 'due', due_at = clock_timestamp(), attempt = 0, changed_at = clock_timestamp()
"""
