"""Where the orders of one channel are taken in, for as long as we hold its lease: notices, a queue, polls, bookings."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from followers.database.database import DatabaseAway
from followers.marketplaces.adapter import Adapter
from followers.marketplaces.errors import NoticeRefused, RemoteAway
from followers.marketplaces.orders.booker import Booker
from followers.marketplaces.orders.knowing import sound
from followers.marketplaces.orders.notices import InboxFull, Notices, Stored
from followers.marketplaces.orders.polls import Polls
from followers.marketplaces.orders.shelf import Leased, LeaseLost, Shelf
from followers.marketplaces.terms import Order

OVERLAP = timedelta(minutes=2)
"""What a poll asks for again: clocks differ, and listings may lag behind."""
NOTICES_AT_ONCE = 100
BOOKED_AT_ONCE = 4
"""Orders of one channel; each is a few round trips to ledger and database."""
LOOK_S = 0.5
"""Between two looks for what another replica has received."""
AGAIN_S, AGAIN_S_MAX = 1.0, 60.0
"""After a failure, doubled each time."""
RENEW_S = 600.0
PAGES_MAX = 10_000
"""Of one poll: a channel whose cursor never ends is at fault."""

log = logging.getLogger(__name__)


class Desk:
    """``run`` once. ``poll_every_s``: while nobody asks for one sooner. ``on_away``: is told of every failure of the
    channel's, and of its end with None.
    """

    def __init__(
        self,
        leased: Leased,
        adapter: Adapter,
        shelf: Shelf,
        notices: Notices,
        booker: Booker,
        *,
        poll_every_s: float,
        on_away: Callable[[RemoteAway | None], None] = lambda _: None,
    ) -> None:
        self._leased = leased
        self._adapter = adapter
        self._shelf = shelf
        self._notices = notices
        self._polls = Polls(shelf)
        self._booker = booker
        self._poll_every_s = poll_every_s
        self._on_away = on_away
        self._poll = asyncio.Event()
        self._noticed = asyncio.Event()
        self._learnt = asyncio.Event()

    def poll_soon(self) -> None:
        """At once, if none is under way: somebody needs to know what was sold there."""
        self._poll.set()

    def look(self) -> None:
        """A notice was stored."""
        self._noticed.set()

    async def run(self) -> None:
        """Until the lease is lost, or cancelled: safe at any point."""
        loops: dict[str, Callable[[], Awaitable[None]]] = {
            "notices": self._apply_notices,
            "poll": self._poll_orders,
            "book": self._book,
            "renew": self._renew,
        }
        if type(self._adapter).pull is not Adapter.pull:
            loops["pull"] = self._pull
        try:
            async with asyncio.TaskGroup() as tasks:
                for name, loop in loops.items():
                    tasks.create_task(self._for_good(loop), name=f"{name} of {self._leased.channel}")
        except* LeaseLost:
            log.info("channel %s is another replica's now", self._leased.channel)

    async def _for_good(self, turn: Callable[[], Awaitable[None]]) -> None:
        """Again and again; after a failure of channel or database it waits, longer each time."""
        wait_s = AGAIN_S
        while True:
            try:
                await turn()
                wait_s = AGAIN_S
            except DatabaseAway as error:
                log.warning("orders of channel %s wait: %s", self._leased.channel, error)
                await asyncio.sleep(AGAIN_S)
            except RemoteAway as error:
                log.warning("orders of channel %s wait: it %s", self._leased.channel, error)
                self._on_away(error)
                await asyncio.sleep(wait_s)
                wait_s = min(AGAIN_S_MAX, wait_s * 2)

    # Notices

    async def _apply_notices(self) -> None:
        self._noticed.clear()
        waiting = await self._notices.waiting(self._leased, NOTICES_AT_ONCE)
        if not waiting:
            await _within(self._noticed, LOOK_S)
            return
        fetched: dict[str, Order] = {}
        ready = []
        for notice in waiting:
            if await self._fetch(notice, fetched):
                ready.append(notice)
        if await self._apply(ready, fetched):
            self.poll_soon()
        self._learnt.set()

    async def _fetch(self, notice: Stored, fetched: dict[str, Order]) -> bool:
        """The orders that it only names."""
        try:
            for identifier in notice.changed_orders:
                if identifier not in fetched and (order := await self._adapter.order(identifier)) is not None:
                    fetched[identifier] = order
        except RemoteAway as error:
            self._on_away(error)
            wait_s = min(AGAIN_S_MAX, AGAIN_S * 2.0 ** min(notice.attempt, 10))
            await self._notices.postpone(self._leased, notice.id, str(error), wait_s)
            return False
        return True

    async def _apply(self, ready: list[Stored], fetched: dict[str, Order]) -> bool:
        """All of it or nothing. Whether something stands there that is no echo of ours: then orders are on the way.

        What is unclear is fetched, and learnt before the notice is forgotten: the same notice says it again after a
        crash.
        """
        told = [order for notice in ready for order in notice.orders if sound(order)]
        known = [order for order in fetched.values() if sound(order)]
        unclear = await self._learn(told, known)
        for identifier in unclear:
            if (order := await self._adapter.order(identifier)) is not None and sound(order):
                known.append(order)
        async with self._shelf.fenced(self._leased) as connection:
            await self._shelf.learn(connection, self._leased, known, fetched=True)
            await self._notices.applied(connection, self._leased, [notice.id for notice in ready])
            levels = {remote: quantity for notice in ready for remote, quantity in notice.levels.items()}
            return bool(levels) and await self._notices.differs(connection, self._leased, levels)

    async def _learn(self, told: list[Order], fetched: list[Order]) -> list[str]:
        async with self._shelf.fenced(self._leased) as connection:
            await self._shelf.learn(connection, self._leased, fetched, fetched=True)
            return await self._shelf.learn(connection, self._leased, told, fetched=False)

    async def _pull(self) -> None:
        """Of a queue of the channel's. It forgets a notice when we have it on disk, or it is not from the channel."""
        taken = []
        for notice in await self._adapter.pull():
            try:
                await self._notices.store(self._leased.channel, notice, await self._adapter.receive(notice))
            except NoticeRefused as error:
                log.warning("a notice in the queue of channel %s is refused: %s", self._leased.channel, error)
            except InboxFull:
                break
            taken.append(notice)
        if taken:
            self.look()
            await self._adapter.pulled(taken)
        else:
            await asyncio.sleep(LOOK_S)

    # Polls

    async def _poll_orders(self) -> None:
        self._poll.clear()
        await self._read_all()
        self._on_away(None)
        self._learnt.set()
        await _within(self._poll, self._poll_every_s)

    async def _read_all(self) -> None:
        """From where all is known, with some overlap. What was read counts only when all of it was."""
        since, complete_until = await self._polls.begin(self._leased)
        newest, cursor = since, None
        for _ in range(PAGES_MAX):
            page = await self._adapter.orders(since - OVERLAP, cursor)
            good = [order for order in page.orders if sound(order)]
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
