"""Shoppers of a flash sale in two steps: each holds one unit and pays for it, but for every third, who never pays.

Who is refused stays in line and asks again when a unit is free, which a screen tells. What nobody paid for comes back
when its time is over, and somebody else pays for it.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from contextlib import AsyncExitStack

from cli.flash_sale.buyers import POOLS_MAX, RETRY_FOR_S, Outcome, Purchase, callers, client_of
from cli.running_system import RunningSystem
from stockwire import AsyncClient, StreamEvent, held
from stockwire.errors import HoldLimit, Later, OutOfStock, ReservationExpired, UnexpectedAnswer

TTL_S = 2
NEVER_PAYS = 3  # of so many shoppers one
LOOK_S = 1.0  # who waits for a free unit asks after so long all the same: the hub of the screen may be killed
PATIENCE_S = 2 * RETRY_FOR_S  # in line: units come back every TTL_S seconds, and any fault of ours is over by then


def never_pays(number: int) -> bool:
    return number % NEVER_PAYS == NEVER_PAYS - 1


async def hold_and_pay(
    system: RunningSystem, sku: str, location: str, shoppers: int, units: int, answered: Callable[[Purchase], None]
) -> list[Purchase]:
    """Returns when everybody has paid, has left, or knows that all is sold. ``answered``: called with each, at once."""
    at_once = callers(shoppers)
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(client_of(system)) for _ in range(min(at_once, POOLS_MAX))]
        line = Line(sku, location, shoppers, units, answered)
        screen = clients[0].subscribe(location, [sku])
        screen.listen(line.seen)
        await stack.enter_async_context(screen)
        start = asyncio.Barrier(at_once)

        async def serve(client: AsyncClient) -> None:
            await client.stock.get(sku, location)  # its connection is open before anybody asks
            await start.wait()
            await line.serve(client)

        async with asyncio.TaskGroup() as tasks:
            for number in range(at_once):
                tasks.create_task(serve(clients[number % len(clients)]), name="shoppers")
    return line.purchases


class Line:
    """All shoppers of one sale. ``units``: with so many paid for, whoever is still in line has been refused."""

    def __init__(
        self, sku: str, location: str, shoppers: int, units: int, answered: Callable[[Purchase], None]
    ) -> None:
        self.purchases: list[Purchase] = []
        self._sku = sku
        self._location = location
        self._waiting = deque(range(shoppers))
        self._units = units
        self._answered = answered
        self._sold = 0
        self._stirred = asyncio.Event()
        self._ends_at = time.monotonic() + PATIENCE_S

    def seen(self, event: StreamEvent) -> None:
        """Something has moved on the screen: perhaps a unit is free."""
        self._stirred.set()

    async def serve(self, client: AsyncClient) -> None:
        """One shopper after the other, until nobody is in line. Many of these at once."""
        while self._waiting:
            number = self._waiting.popleft()
            began = time.monotonic()
            outcome = await self._outcome(client, number)
            if outcome is Outcome.REFUSED and self._sold < self._units and began < self._ends_at:
                self._waiting.append(number)
                await self._something_moves()
                continue
            now = time.monotonic()
            self._sold += outcome is Outcome.SOLD
            self.purchases.append(Purchase(outcome, now - began, now))
            self._answered(self.purchases[-1])

    async def _outcome(self, client: AsyncClient, number: int) -> Outcome:
        """Under a new key each time: a refusal is kept with its key."""
        wanted, name = [held(self._sku, self._location)], f"shopper {number}"
        try:
            hold = await client.reservations.reserve(wanted, ttl_s=TTL_S, customer=name, reference=self._sku)
            if never_pays(number):
                return Outcome.NEVER_PAID
            await client.reservations.commit(hold.id, fulfil=True)
        except (OutOfStock, ReservationExpired, HoldLimit):
            return Outcome.REFUSED
        except (Later, UnexpectedAnswer):
            return Outcome.UNKNOWN
        return Outcome.SOLD

    async def _something_moves(self) -> None:
        self._stirred.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):
                await self._stirred.wait()
