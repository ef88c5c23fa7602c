"""A channel in the test's own process, with listings and orders, and whoever compares it with the ledger."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from followers.log.ledger import Ledger
from followers.marketplaces.channels import COLUMNS, channel_of
from followers.marketplaces.leased import LeasedChannel
from followers.marketplaces.reconciling import drifts, runs
from followers.marketplaces.reconciling.drifts import Row
from followers.marketplaces.reconciling.reconciling import Reconciling
from followers.marketplaces.reconciling.runs import Run
from followers.marketplaces.terms import Listing, Listings
from tests.followers.marketplaces.orders.rig import Rig
from tests.followers.marketplaces.orders.stall import Stall
from tests.harness.waiting import PATIENCE_S, wait_until

PAGE = 4


class Shop(Stall):
    """``listings``: as they stand there, by their id."""

    batch = 3

    def __init__(self) -> None:
        super().__init__()
        self.listings: dict[str, Listing] = {}

    def offer(self, remote: str, quantity: int | None, sku: str) -> None:
        self.listings[remote] = Listing(remote, quantity, sku)

    def set(self, remote: str, quantity: int) -> None:
        self.listings[remote] = replace(self.listings[remote], quantity=quantity)

    async def levels(self, cursor: str | None) -> Listings:
        await asyncio.sleep(0)
        self._here()
        begin, there = int(cursor or 0), list(self.listings.values())
        return Listings(there[begin : begin + PAGE], str(begin + PAGE) if begin + PAGE < len(there) else None)

    async def read(self, remotes: Sequence[str]) -> Sequence[Listing]:
        self._here()
        assert 0 < len(remotes) <= self.batch
        return [self.listings[remote] for remote in remotes if remote in self.listings]


class Bench:
    """``shop`` and the ledger side by side. What is sent to listings here is said by the test: nothing is pushed."""

    def __init__(self, rig: Rig, shop: Shop | None = None) -> None:
        self.rig = rig
        self.shop = rig.stall = rig.leased.adapter = shop or Shop()

    async def listing(self, remote: str, sku: str, quantity: int | None, *, sent: int | None = None) -> None:
        """Mapped, at rest, ``sent`` or ``quantity`` last applied there."""
        self.shop.offer(remote, quantity, sku)
        await self.execute(
            "insert into mapping (channel, remote, sku, by, at) values ($1, $2, $3, 'o', now() - interval '1 hour')"
            " on conflict (channel, remote) do update set sku = excluded.sku, at = excluded.at",
            *(remote, sku),
        )
        await self.execute(
            "insert into outgoing (channel, remote, state, sent_quantity, sent_at) values ($1, $2, 'rest', $3, now())",
            *(remote, quantity if sent is None else sent),
        )

    async def execute(self, statement: str, *values: Any) -> None:
        async with self.rig.database.transaction() as connection:
            await connection.execute(statement, self.rig.leased.id, *values)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Its loops, as whoever holds the channel runs them."""
        held = self.rig.leased
        async with self.rig.database.transaction() as connection:
            row = await connection.fetchrow(f"select {COLUMNS} from channel c where c.id = $1", held.id)
        leased = LeasedChannel(channel_of(row), self.shop, held.remote, held.lease)
        async with Ledger(self.rig.system.ledger_url, await self.rig.system.key("channels", "hub")) as ledger:
            work = Reconciling(self.rig.database, ledger, self.rig.shelf, settle_s=0.0)
            loops = [asyncio.create_task(loop()) for loop in work.loops(leased).values()]
            try:
                yield
            finally:
                for loop in loops:
                    loop.cancel()
                ended = await asyncio.gather(*loops, return_exceptions=True)
                assert [one for one in ended if not isinstance(one, asyncio.CancelledError)] == []

    async def run(self, *, repairs: bool = False, deadline_s: float = PATIENCE_S) -> Run:
        """One run, to its end; the loops must be running."""
        channel = self.rig.leased.id
        async with self.rig.database.transaction() as connection:
            asked = await runs.ask(connection, channel, "o", repairs=repairs)

        async def ended() -> Run | None:
            async with self.rig.database.transaction() as connection:
                run = await runs.get(connection, channel, asked.id)
            return run if run and run.ended_at else None

        run = await wait_until(ended, deadline_s)
        assert run is not None
        return run

    async def drift(self, *states: str) -> list[Row]:
        async with self.rig.database.transaction() as connection:
            return await drifts.rows(connection, self.rig.leased.id, states or ("open",))

    async def accept(self, *, kind: str | None = None, identifiers: Sequence[int] = ()) -> None:
        async with self.rig.database.transaction() as connection:
            await drifts.accept(connection, self.rig.leased.id, identifiers, kind, "o", "because")

    async def mended(self) -> list[Row]:
        """All that was accepted, once something was done about it."""

        async def done() -> list[Row]:
            rows = await self.drift("accepted")
            return rows if all(row.outcome for row in rows) else []

        return await wait_until(done)
