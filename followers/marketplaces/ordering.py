"""Orders of each channel that is held: polled, received and booked."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from followers.database.database import Database
from followers.marketplaces.adapter import AccessRefused, RemoteAway
from followers.marketplaces.leased import LeasedChannel
from followers.marketplaces.orders.booker import Booker
from followers.marketplaces.orders.desk import Desk
from followers.marketplaces.orders.notices import Notices
from followers.marketplaces.orders.shelf import Leased, Shelf
from followers.marketplaces.orders.till import Till
from stockwire import AsyncClient


class Ordering:
    """A Work. ``poll_every_s``: how long an order may stay unknown whose notice was lost."""

    def __init__(self, database: Database, client: AsyncClient, poll_every_s: float) -> None:
        self._shelf = Shelf(database)
        self.notices = Notices(database, self._shelf)
        self._booker = Booker(self._shelf, Till(client))
        self._poll_every_s = poll_every_s

    def loops(self, leased: LeasedChannel) -> Mapping[str, Callable[[], Coroutine[Any, Any, None]]]:
        desk = Desk(
            Leased(leased.id, leased.lease.fence, leased.channel.locations),
            leased.adapter,
            self._shelf,
            self.notices,
            self._booker,
            poll_every_s=self._poll_every_s,
            on_away=lambda error: _on_away(leased, error),
        )
        return {
            "orders": desk.run,
            "polls asked for": lambda: _pass_on(leased.poll.wait, leased.poll.clear, desk.poll_soon),
            "notices": lambda: _pass_on(leased.apply.wait, leased.apply.clear, desk.look),
        }


async def _pass_on(
    wait: Callable[[], Coroutine[Any, Any, Any]], clear: Callable[[], None], tell: Callable[[], None]
) -> None:
    while True:
        await wait()
        clear()
        tell()


def _on_away(leased: LeasedChannel, error: RemoteAway | None) -> None:
    if error is None:
        leased.breaker.succeeded()
        leased.due.set()
    elif isinstance(error, AccessRefused):
        leased.refused = leased.refused or str(error)
        leased.recheck.set()
    else:
        leased.breaker.failed()
