"""Where the orders of one channel are taken in, for as long as we hold its lease: notices, a queue, polls, bookings."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from followers.database.database import DatabaseAway
from followers.marketplaces.adapter import Adapter
from followers.marketplaces.errors import NoticeRefused, RemoteAway
from followers.marketplaces.leased import LEFT_OUT_MAX, LeasedChannel
from followers.marketplaces.orders.booker import Booker
from followers.marketplaces.orders.knowing import ID_CHARACTERS_MAX, sound
from followers.marketplaces.orders.notices import InboxFull, Notices, Stored
from followers.marketplaces.orders.polls import Polls
from followers.marketplaces.orders.shelf import Shelf
from followers.marketplaces.remote import QuotaSpent
from followers.marketplaces.terms import Order

POLL_EVERY_S = 300.0
OVERLAP = timedelta(minutes=2)
"""What a poll asks for again: clocks differ, and listings may lag behind."""
NOTICES_AT_ONCE = 100
BOOKED_AT_ONCE = 2
"""Orders of one channel; each is a few round trips to ledger and database."""
LOOK_S = 0.5
"""Between two looks for what another replica has received."""
AGAIN_S, AGAIN_S_MAX = 1.0, 60.0
"""After a failure; of one notice doubled each time."""
RENEW_S = 600.0
PAGES_MAX = 10_000
"""Of one poll: a channel whose cursor never ends is at fault."""

Loop = Callable[[], Coroutine[Any, Any, None]]

log = logging.getLogger(__name__)


class OrderWork:
    """The work on orders that is done for each channel that is held. ``poll_every_s``: while nobody asks for a poll."""

    def __init__(self, shelf: Shelf, notices: Notices, booker: Booker, poll_every_s: float = POLL_EVERY_S) -> None:
        self._shelf = shelf
        self._notices = notices
        self._booker = booker
        self._poll_every_s = poll_every_s

    def loops(self, leased: LeasedChannel) -> Mapping[str, Loop]:
        return Desk(leased, self._shelf, self._notices, self._booker, self._poll_every_s).loops()


class Desk:
    """Of one channel. Each of its loops may be cancelled at any point."""

    def __init__(
        self, leased: LeasedChannel, shelf: Shelf, notices: Notices, booker: Booker, poll_every_s: float
    ) -> None:
        self._leased = leased
        self._adapter = leased.adapter
        self._shelf = shelf
        self._notices = notices
        self._polls = Polls(shelf)
        self._booker = booker
        self._poll_every_s = poll_every_s
        self._learnt = asyncio.Event()

    def loops(self) -> Mapping[str, Loop]:
        loops = {"notices": self._apply_notices, "poll": self._poll_orders, "book": self._book, "renew": self._renew}
        if type(self._adapter).pull is not Adapter.pull:
            loops["pull"] = self._pull
        return {name: partial(self._for_good, loop) for name, loop in loops.items()}

    async def _for_good(self, turn: Callable[[], Awaitable[None]]) -> None:
        """Again and again, whatever is away."""
        while True:
            try:
                await turn()
            except DatabaseAway as error:
                log.warning("orders of a channel wait channel=%s reason=%r", self._leased.id, str(error))
                await asyncio.sleep(AGAIN_S)
            except QuotaSpent as spent:
                log.info("orders of a channel wait for its quota channel=%s reason=%r", self._leased.id, str(spent))
                await asyncio.sleep(min(max(AGAIN_S, spent.after_s), AGAIN_S_MAX))
            except RemoteAway as error:
                log.warning("orders of a channel wait channel=%s reason=%r", self._leased.id, str(error))
                await asyncio.sleep(AGAIN_S)

    # Notices

    async def _apply_notices(self) -> None:
        self._leased.apply.clear()
        waiting = await self._notices.waiting(self._leased, NOTICES_AT_ONCE)
        if not waiting:
            await _within(self._leased.apply, LOOK_S)
            return
        fetched: dict[str, Order] = {}
        ready = []
        for notice in waiting:
            if await self._fetch(notice, fetched):
                ready.append(notice)
        if await self._apply(ready, fetched):
            self._leased.poll.set()
        self._learnt.set()

    async def _fetch(self, notice: Stored, fetched: dict[str, Order]) -> bool:
        """The orders that it only names."""
        try:
            for identifier in notice.changed_orders:
                if (
                    identifier not in fetched
                    and (order := await self._leased.ask(self._adapter.order, identifier)) is not None
                ):
                    fetched[identifier] = order
        except RemoteAway as error:
            wait_s = min(AGAIN_S_MAX, AGAIN_S * 2.0 ** min(notice.attempt, 10))
            if not await self._notices.postpone(self._leased, notice.id, str(error), wait_s):
                log.error("a notice is given up channel=%s notice=%r reason=%r", self._leased.id, notice.id, str(error))
            return False
        return True

    async def _apply(self, ready: list[Stored], fetched: dict[str, Order]) -> bool:
        """All of it or nothing. Whether something stands there that is no echo of ours: then orders are on the way.

        What is unclear is fetched, and learnt before the notice is forgotten: the same notice says it again after a
        crash.
        """
        told = self._sound(order for notice in ready for order in notice.orders)
        known = self._sound(fetched.values())
        unclear = await self._learn(told, known)
        for identifier in unclear:
            if (order := await self._order(identifier)) is not None:
                known += self._sound([order])
        async with self._shelf.fenced(self._leased) as connection:
            await self._shelf.learn(connection, self._leased, known, fetched=True)
            await self._notices.applied(connection, self._leased, [notice.id for notice in ready])
            levels = {remote: quantity for notice in ready for remote, quantity in notice.levels.items()}
            return bool(levels) and await self._notices.differs(connection, self._leased, levels)

    async def _learn(self, told: list[Order], fetched: list[Order]) -> list[str]:
        async with self._shelf.fenced(self._leased) as connection:
            await self._shelf.learn(connection, self._leased, fetched, fetched=True)
            return await self._shelf.learn(connection, self._leased, told, fetched=False)

    def _sound(self, orders: Iterable[Order]) -> list[Order]:
        """Those that can be kept. That others are there is said, since somebody has to book them."""
        found = []
        for order in orders:
            if sound(order):
                found.append(order)
                self._leased.left_out.discard(order.id)
            else:
                identifier = str(order.id)[:ID_CHARACTERS_MAX]
                log.error("an order cannot be kept and is left out channel=%s order=%r", self._leased.id, identifier)
                if len(self._leased.left_out) < LEFT_OUT_MAX:
                    self._leased.left_out.add(identifier)
        return found

    async def _order(self, identifier: str) -> Order | None:
        return await self._leased.ask(self._adapter.order, identifier)

    async def _pull(self) -> None:
        """Of a queue of the channel's. It forgets a notice when we have it on disk, or it is not from the channel."""
        taken = []
        await self._leased.ready()
        for notice in await self._leased.ask(self._adapter.pull):
            try:
                await self._notices.store(self._leased.id, notice, await self._adapter.receive(notice))
            except NoticeRefused as error:
                log.warning("a notice in a queue is refused channel=%s reason=%r", self._leased.id, str(error))
            except InboxFull:
                break
            taken.append(notice)
        if taken:
            self._leased.apply.set()
            await self._leased.ask(self._adapter.pulled, taken)
        else:
            await asyncio.sleep(LOOK_S)

    # Polls

    async def _poll_orders(self) -> None:
        await self._leased.ready()
        self._leased.poll.clear()
        await self._read_all()
        self._learnt.set()
        await asyncio.sleep(self._adapter.polls_apart_s)
        await _within(self._leased.poll, self._poll_every_s)

    async def _read_all(self) -> None:
        """From where all is known, with some overlap. What was read counts only when all of it was."""
        since, complete_until = await self._polls.begin(self._leased)
        newest, cursor = since, None
        for _ in range(PAGES_MAX):
            page = await self._leased.ask(self._adapter.orders, since - OVERLAP, cursor)
            good = self._sound(page.orders)
            async with self._shelf.fenced(self._leased) as connection:
                await self._shelf.learn(connection, self._leased, good, fetched=True)
            newest = max([newest, *(order.updated_at for order in good)])
            self._learnt.set()
            complete_until = min(complete_until, page.complete_until or complete_until)
            if page.cursor is None:
                await self._polls.read(self._leased, complete_until, min(newest, max(since, complete_until)))
                return
            cursor = page.cursor
        raise RemoteAway(f"lists orders on more than {PAGES_MAX} pages")

    # Bookings

    async def _book(self) -> None:
        """Those that are due, a few at once; whoever waits longest first."""
        self._learnt.clear()
        due = await self._shelf.due(self._leased, NOTICES_AT_ONCE)
        places = asyncio.Semaphore(BOOKED_AT_ONCE)

        async def one(identifier: str) -> None:
            async with places:
                await self._booker.book(self._leased, identifier)

        booked = await asyncio.gather(*(one(identifier) for identifier in due), return_exceptions=True)
        for error in booked:
            if error is not None:
                raise error
        await self._polls.booked(self._leased)
        if not due:
            await _within(self._learnt, LOOK_S)

    async def _renew(self) -> None:
        await self._booker.renew(self._leased)
        await self._notices.forget_old(self._leased)
        await asyncio.sleep(RENEW_S)


async def _within(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
