"""Where orders are booked: one step of an order is one operation of the ledger, under its own key.

StepRefused      the ledger has decided, and not as was asked: nothing of the step was done
"""

import hashlib
import re
from collections.abc import Iterable

from followers.marketplaces.orders.booking import Booked, Hold, Level, Step, Units
from followers.marketplaces.orders.forms import Booking
from stockwire import AsyncClient, Line, Reservation, Wanted, errors, held

HOLD_S = 7 * 24 * 3600
"""What a ledger allows by default. A hold is given as long again whenever half of it is over."""
_PLAIN = re.compile(r"[\x21-\x7e]{1,120}\Z")


class StepRefused(Exception):
    """``booked``: what the order has now, if it is not what was believed. ``no_hold``: a limit on holds is in the way.

    The message is the ledger's.
    """

    def __init__(self, reason: str, *, booked: Booked | None = None, no_hold: bool = False) -> None:
        super().__init__(reason)
        self.booked = booked
        self.no_hold = no_hold


def key_of(channel: str, order: str, revision: int) -> str:
    """``order:<channel>:<id>``, from the second booking on with its number, so that no two are ever the same."""
    plain = order if _PLAIN.match(order) else f"sha256.{hashlib.sha256(order.encode()).hexdigest()}"
    return f"order:{channel}:{plain}" if revision == 1 else f"order.{revision}:{channel}:{plain}"


class Till:
    """``client``: of a key that may write at every location of the channels, the same owner for as long as there are
    orders: a ledger knows an operation by its owner and key.

    Raises stockwire.errors.Later where nothing is known: the same booking is sent again. Raises StepRefused.
    """

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def available(self, levels: Iterable[Level]) -> Units:
        found = await self._client.levels_of([(location, sku) for sku, location in levels])
        return {(level.sku, level.location): level.available for level in found}

    async def book(self, booking: Booking, booked: Booked, *, reference: str, reason: str) -> Booked:
        """``reference``: the order's number. ``reason``: where it comes from; both for the audit trail."""
        step = booking.step
        try:
            if step.kind == "move":
                lines = [_line(level, quantity, reference, reason) for level, quantity in step.lines]
                await self._client.operation(lines, key=booking.key)
                return booked.moved(step.lines)
            return booked.seen(_hold(await self._hold_step(step, booking.key, reference)))
        except errors.IdempotencyMismatch:
            raise
        except (errors.HoldLimit, errors.Invalid) as error:
            no_hold = isinstance(error, errors.HoldLimit) or error.field == "ttl_s"
            raise StepRefused(str(error), no_hold=no_hold and step.kind in ("reserve", "change")) from error
        except (errors.Refused, errors.NotFound, errors.Forbidden) as error:
            raise StepRefused(str(error), booked=await self._as_it_is(step, booked)) from error

    async def extend(self, booked: Booked, hold: Hold) -> Booked:
        """Raises StepRefused with what is left of it, if its time is over."""
        try:
            return booked.seen(_hold(await self._client.reservations.extend(hold.id, HOLD_S)))
        except (errors.Refused, errors.Invalid, errors.NotFound, errors.Forbidden) as error:
            raise StepRefused(str(error), booked=await self._seen(booked, hold.id)) from error

    async def _hold_step(self, step: Step, key: str, reference: str) -> Reservation:
        holds, wanted = self._client.reservations, _wanted(step)
        if step.hold is None:
            return await holds.reserve(wanted, ttl_s=HOLD_S, reference=reference, key=key)
        if step.kind == "change":
            return await holds.change(step.hold, wanted, key=key)
        if step.kind == "cancel":
            return await holds.cancel(step.hold, wanted, key=key)
        return await holds.commit(step.hold, fulfil=True, key=key)

    async def _as_it_is(self, step: Step, booked: Booked) -> Booked | None:
        return None if step.hold is None else await self._seen(booked, step.hold)

    async def _seen(self, booked: Booked, hold: str) -> Booked:
        return booked.seen(_hold(await self._client.reservations.get(hold)))


def _line(level: Level, quantity: int, reference: str, reason: str) -> Line:
    sku, location = level
    kind = "sale" if quantity < 0 else "return"
    return Line(sku, location, quantity, kind, reference=reference, reason=reason)


def _wanted(step: Step) -> list[Wanted]:
    return [held(sku, location, quantity) for (sku, location), quantity in step.lines]


def _hold(reservation: Reservation) -> Hold:
    return Hold(
        reservation.id,
        {(line.sku, line.location): line.reserved for line in reservation.lines if line.reserved},
        {(line.sku, line.location): line.fulfilled for line in reservation.lines if line.fulfilled},
    )
