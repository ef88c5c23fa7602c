"""A channel beside a ledger, and whoever takes in its orders."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from followers.database.database import Database
from followers.marketplaces.leased import LeasedChannel
from followers.marketplaces.orders.booker import Booker
from followers.marketplaces.orders.desk import OrderWork
from followers.marketplaces.orders.notices import Notices
from followers.marketplaces.orders.shelf import Shelf
from followers.marketplaces.orders.till import Till
from followers.marketplaces.terms import Notice, Order
from stockwire import AsyncClient
from tests.followers.marketplaces.orders.stall import Stall
from tests.harness.system import ResidentSystem
from tests.harness.waiting import wait_until

PLACES = ("berlin", "hamburg")
NO_POLL_S = 3600.0


@dataclass
class Rig:
    """A channel with a mapping of its own, and whoever takes in its orders."""

    system: ResidentSystem
    database: Database
    client: AsyncClient
    leased: LeasedChannel
    sku: str

    def __post_init__(self) -> None:
        assert isinstance(self.leased.adapter, Stall)
        self.stall = self.leased.adapter
        self.shelf = Shelf(self.database)
        self.notices = Notices(self.database, self.shelf)
        self.booker = Booker(self.shelf, Till(self.client))

    @asynccontextmanager
    async def desk(self, poll_every_s: float = NO_POLL_S) -> AsyncIterator[LeasedChannel]:
        """As whoever holds the channel runs it."""
        work = OrderWork(self.shelf, self.notices, self.booker, poll_every_s)
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(loop(), name=name) for name, loop in work.loops(self.leased).items()]
            try:
                yield self.leased
            finally:
                for task in running:
                    task.cancel()

    async def stock(self, units: int, location: str = "berlin", sku: str | None = None) -> None:
        await self.client.stock.receive(sku or self.sku, location, units)

    async def map(self, remote: str, sku: str | None = None, location: str | None = None) -> None:
        async with self.database.transaction() as connection:
            await connection.execute(
                "insert into mapping (channel, remote, sku, location, by) values ($1, $2, $3, $4, 'o')",
                *(self.leased.id, remote, sku or self.sku, location),
            )

    async def send(self, notice: Notice) -> bool:
        return await self.notices.store(self.leased.id, notice, await self.stall.receive(notice))

    async def rows(self, query: str) -> list[Any]:
        async with self.database.transaction() as connection:
            rows: list[Any] = await connection.fetch(query, self.leased.id)
        return rows

    async def settled(self) -> None:
        async def there() -> bool:
            left = await self.rows(
                "select 1 from channel_order where channel = $1 and due_at is not null union all"
                " select 1 from channel_notice where channel = $1 and applied_at is null"
            )
            return not left

        await wait_until(there)

    async def available(self, location: str = "berlin") -> int:
        return (await self.client.stock.get(self.sku, location)).available

    async def on_hand(self, location: str = "berlin") -> int:
        return (await self.client.stock.get(self.sku, location)).on_hand

    async def events(self) -> list[str]:
        found = [event async for event in self.client.stock.history(self.sku, "berlin")]
        return [event.kind for event in found][1:]

    async def learn(self, order: Order) -> None:
        async with self.shelf.fenced(self.leased) as connection:
            await self.shelf.learn(connection, self.leased, [order], fetched=True)
