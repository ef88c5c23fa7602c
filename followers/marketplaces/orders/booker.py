"""Takes orders to where they are booked, step by step, until nothing is left to be done."""

import logging

from followers.marketplaces.leased import LeasedChannel
from followers.marketplaces.orders.booking import Decision, Demand, decide
from followers.marketplaces.orders.forms import Booking
from followers.marketplaces.orders.shelf import KeptOrder, Shelf
from followers.marketplaces.orders.till import HOLD_S, StepRefused, Till, key_of
from stockwire import errors

STEPS_MAX = 8
"""In one go; an order that is edited all the time comes again."""
RACES_MAX = 5
"""Refusals after which an order waits before it is tried again: others sold what was there a moment ago."""
WAIT_S_MAX = 300.0
"""Between two tries at an order that cannot be booked."""
AWAY_WAIT_S_MAX = 5.0
"""While the ledger is away."""
RENEWED_AT_ONCE = 100

log = logging.getLogger(__name__)


class Booker:
    """Raises LeaseLost and DatabaseAway; whatever the ledger says is the order's own matter."""

    def __init__(self, shelf: Shelf, till: Till) -> None:
        self._shelf = shelf
        self._till = till

    async def book(self, leased: LeasedChannel, identifier: str) -> None:
        """One order, as far as it goes. Safe to repeat, and to be killed at any point."""
        kept = None
        try:
            for _ in range(STEPS_MAX):
                kept = await self._shelf.order(leased, identifier)
                if kept is None or not await self._next(leased, kept):
                    return
        except errors.StockwireError as error:
            attempt = kept.attempt if kept else 0
            most_s = AWAY_WAIT_S_MAX if isinstance(error, errors.Later) else WAIT_S_MAX
            log.warning("an order waits channel=%s order=%r reason=%r", leased.id, identifier, str(error))
            await self._shelf.postpone(leased, identifier, str(error), min(2.0**attempt, most_s))

    async def renew(self, leased: LeasedChannel) -> None:
        """Holds of which half the time is over get it again."""
        for identifier in await self._shelf.renewable(leased, HOLD_S / 2, RENEWED_AT_ONCE):
            kept = await self._shelf.order(leased, identifier)
            if kept is None or kept.booked.hold is None or kept.booking is not None:
                continue
            try:
                booked = await self._till.extend(kept.booked, kept.booked.hold)
            except StepRefused as error:
                log.warning(
                    "the hold of an order is over channel=%s order=%r reason=%r", leased.id, identifier, str(error)
                )
                booked = error.booked or kept.booked
            except errors.StockwireError as error:
                log.warning(
                    "the hold of an order is not renewed channel=%s order=%r reason=%r",
                    leased.id,
                    identifier,
                    str(error),
                )
                return
            await self._shelf.renewed(leased, identifier, booked)

    async def _next(self, leased: LeasedChannel, kept: KeptOrder) -> bool:
        """One step. False: nothing is left to be done, or not now."""
        booking = kept.booking
        if booking is None:
            unmapped, decision = await self._decide(leased, kept)
            if decision.step is None:
                return not await self._shelf.settle(leased, kept, unmapped, decision)
            booking = Booking(key_of(leased.id, kept.order.id, kept.revision + 1), decision.step)
            await self._shelf.begin(leased, kept, booking)
        reason = f"channel {leased.id}"
        try:
            booked = await self._till.book(booking, kept.booked, reference=kept.order.number, reason=reason)
        except StepRefused as error:
            wait_s = min(2.0 ** (kept.attempt - RACES_MAX), WAIT_S_MAX) if kept.attempt >= RACES_MAX else 0.0
            await self._shelf.refused(
                leased, kept.order.id, str(error), booked=error.booked, no_hold=error.no_hold, wait_s=wait_s
            )
            return not wait_s
        await self._shelf.done(leased, kept.order.id, booked)
        return True

    async def _decide(self, leased: LeasedChannel, kept: KeptOrder) -> tuple[list[str], Decision]:
        """Remote ids of lines that nobody has mapped yet, and what to do with the others."""
        order, demands = kept.order, _demands(leased, kept)
        lines = () if order.state == "cancelled" else order.lines
        unmapped = sorted({line.remote for line in lines if line.remote not in kept.mapped})
        levels = dict.fromkeys((one.sku, place) for one in demands for place in one.places)
        available = await self._till.available(levels) if lines and levels else {}
        state = "paid" if order.state == "unpaid" and kept.no_hold else order.state
        return unmapped, decide(state, demands, kept.booked, available, kept.waived)


def _demands(leased: LeasedChannel, kept: KeptOrder) -> list[Demand]:
    demands = []
    for line in kept.order.lines:
        if line.remote in kept.mapped:
            sku, location = kept.mapped[line.remote]
            demands.append(Demand(sku, (location,) if location else leased.channel.locations, line.quantity))
    return demands
