"""Compares a channel with the ledger, listing by listing and order by order, and mends what may be mended.

A run reads everything once, a page at a time, so that a hundred thousand listings cost no more memory than a page. What
differs is read a second time, after a pause; what then differs in the same way, with no version, order or push in
between, is open drift.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from followers.channel_types import DRIFT
from followers.database.database import Connection, Database, DatabaseAway
from followers.database.notices import tell
from followers.log.ledger import Ledger, LedgerAway
from followers.marketplaces.adapter import RemoteAway
from followers.marketplaces.leased import LeasedChannel
from followers.marketplaces.listings import all_of, store
from followers.marketplaces.orders.knowing import sound
from followers.marketplaces.orders.shelf import Shelf
from followers.marketplaces.reconciling import drifts, runs
from followers.marketplaces.reconciling.comparing import Difference, KnownOrder, Repair, compare, compare_order
from followers.marketplaces.reconciling.drifts import Row, Seen
from followers.marketplaces.reconciling.policy import Drift, chosen, is_mass, policy_of
from followers.marketplaces.reconciling.repairs import LISTING, ORDER, mend, order_of, said_of
from followers.marketplaces.reconciling.runs import Run
from followers.marketplaces.reconciling.standings import Page, Standings, known_orders
from followers.marketplaces.terms import Listing, Order

LOOK_EVERY_S = 1.0
"""For what somebody asked for or accepted."""
SETTLE_S = 10.0
"""Between the two reads: longer than a push, and than the way of a sale to both sides."""
ORDERS_BACK = timedelta(days=2)
"""Orders that were changed in this time are compared."""
PAGES_MAX = 100_000
"""Of one run: a channel whose cursor never ends is at fault."""
AT_ONCE = 200
BY_POLICY = "the policy"

log = logging.getLogger(__name__)


class Reconciling:
    """A Work. ``settle_s``: between the two reads."""

    def __init__(self, database: Database, ledger: Ledger, shelf: Shelf, settle_s: float = SETTLE_S) -> None:
        self._database = database
        self._standings = Standings(database, ledger)
        self._shelf = shelf
        self._settle_s = settle_s

    def loops(self, leased: LeasedChannel) -> Mapping[str, Callable[[], Coroutine[Any, Any, None]]]:
        return {"reconciling": lambda: self._reconcile(leased), "repairing": lambda: self._repair(leased)}

    # Runs

    async def _reconcile(self, leased: LeasedChannel) -> None:
        while True:
            await leased.ready()
            try:
                async with leased.writing(self._database) as connection:
                    run = await runs.begin(connection, leased.id, policy_of(leased.channel.policy).every_s)
                if run is not None:
                    await self._run(leased, run)
                    continue
            except DatabaseAway as error:
                log.warning("a comparison waits channel=%s reason=%r", leased.id, str(error))
            await asyncio.sleep(LOOK_EVERY_S)

    async def _run(self, leased: LeasedChannel, run: Run) -> None:
        """To its end, or to why it was broken off: then all that was known stays as it was."""
        assert run.started_at is not None
        log.info("a comparison begins channel=%s", leased.id)
        try:
            await self._listings(leased, run)
            await self._missing(leased, run)
            await self._orders(leased, run)
            await asyncio.sleep(self._settle_s)
            await self._again(leased, run.started_at)
        except (RemoteAway, LedgerAway) as error:
            log.warning("a comparison is broken off channel=%s reason=%r", leased.id, str(error))
            async with leased.writing(self._database) as connection:
                await runs.end(connection, run.id, 0, 0, f"broken off: {error}")
            return
        await self._conclude(leased, run)

    async def _listings(self, leased: LeasedChannel, run: Run) -> None:
        async for listings in all_of(leased):
            if listings:
                await self._compare(leased, run.id, listings)

    async def _compare(self, leased: LeasedChannel, run: int, listings: Sequence[Listing]) -> None:
        here = await self._standings.page(leased.channel, listings)
        async with leased.writing(self._database) as connection:
            await store(connection, leased.id, listings)
            await _keep(connection, leased.id, ((one.remote, one) for one in listings), here)
            await runs.compared(connection, run, len(listings))

    async def _missing(self, leased: LeasedChannel, run: Run) -> None:
        """Mapped here, and not among all that was read."""
        after = ""
        while True:
            async with leased.writing(self._database) as connection:
                rows = await connection.fetch(_MISSING, leased.id, after, run.started_at, AT_ONCE)
            missing = [row["remote"] for row in rows]
            here = await self._standings.page(leased.channel, (), missing)
            async with leased.writing(self._database) as connection:
                await _keep(connection, leased.id, ((remote, None) for remote in missing), here)
                await runs.compared(connection, run.id, len(missing))
            if len(missing) < AT_ONCE:
                return
            after = missing[-1]

    async def _orders(self, leased: LeasedChannel, run: Run) -> None:
        since = max(leased.channel.created_at, leased.remote.now() - ORDERS_BACK)
        cursor: str | None = None
        for _ in range(PAGES_MAX):
            page = await leased.ask(leased.adapter.orders, since, cursor)
            ours = [one for one in page.orders if sound(one) and one.placed_at >= leased.channel.created_at]
            async with leased.writing(self._database) as connection:
                await self._compare_orders(connection, leased.id, ours)
                await runs.compared(connection, run.id, len(ours))
            cursor = page.cursor
            if cursor is None:
                return
        raise RemoteAway(f"has more than {PAGES_MAX} pages of orders")

    async def _compare_orders(self, connection: Connection, channel: str, there: Sequence[Order]) -> None:
        known = await known_orders(connection, channel, [one.id for one in there])
        found: list[Seen] = []
        agreed: list[str] = []
        for one in there:
            subject, difference = f"{ORDER}{one.id}", compare_order(known.get(one.id), one)
            if difference is None:
                agreed.append(subject)
            else:
                found.append(Seen(subject, "", difference, _stamp_of(known.get(one.id), one)))
        await drifts.agreed(connection, channel, agreed)
        await drifts.seen(connection, channel, found)

    async def _again(self, leased: LeasedChannel, since: datetime) -> None:
        """The second read, of what the first found to differ."""
        after = 0
        while True:
            async with leased.writing(self._database) as connection:
                rows = await drifts.rows(connection, leased.id, drifts.LIVE, after, AT_ONCE)
            suspects = [row for row in rows if row.last_seen >= since]
            await self._listings_again(leased, [row for row in suspects if row.subject.startswith(LISTING)])
            for row in suspects:
                if row.subject.startswith(ORDER):
                    await self._order_again(leased, row)
            if len(rows) < AT_ONCE:
                return
            after = rows[-1].id

    async def _listings_again(self, leased: LeasedChannel, suspects: Sequence[Row]) -> None:
        remotes = [row.subject.removeprefix(LISTING) for row in suspects]
        for begin in range(0, len(remotes), leased.adapter.batch):
            asked = remotes[begin : begin + leased.adapter.batch]
            there = {one.remote: one for one in await leased.ask(leased.adapter.read, asked)}
            here = await self._standings.page(leased.channel, there.values(), asked)
            async with leased.writing(self._database) as connection:
                await _keep(connection, leased.id, ((remote, there.get(remote)) for remote in asked), here)

    async def _order_again(self, leased: LeasedChannel, suspect: Row) -> None:
        order = await leased.ask(leased.adapter.order, order_of(suspect))
        async with leased.writing(self._database) as connection:
            if order is None or not sound(order):
                await drifts.agreed(connection, leased.id, [suspect.subject])
            else:
                await self._compare_orders(connection, leased.id, [order])

    async def _conclude(self, leased: LeasedChannel, run: Run) -> None:
        policy = policy_of(leased.channel.policy)
        async with leased.writing(self._database) as connection:
            assert run.started_at is not None
            await drifts.not_seen_since(connection, leased.id, run.started_at)
            found = await runs.get(connection, leased.id, run.id)
            assert found is not None
            open_now = await drifts.rows(connection, leased.id, ("open",))
            differing = await drifts.count(connection, leased.id)
            stopped, accepted = None, list[int]()
            if is_mass(found.compared, differing, policy):
                stopped = (
                    f"{differing} of {found.compared} differ, more than {policy.stop_share:.0%}: that is no drift but "
                    "a fault of the channel, its mapping or its locations; nothing is repaired without a person"
                )
                log.error("a comparison repairs nothing channel=%s reason=%r", leased.id, stopped)
            elif run.repairs:
                quiet = await _quiet_s(connection, leased.id, open_now)
                accepted = chosen([_drift(row, quiet) for row in open_now], policy)
                await drifts.accept(connection, leased.id, accepted, None, BY_POLICY, "within its limits")
            await runs.end(connection, run.id, differing, len(accepted), stopped)
            if differing:
                by_class = await drifts.by_class(connection, leased.id)
                data = {"compared": found.compared, "differing": by_class, "stopped": stopped}
                await tell(connection, DRIFT, leased.id, data)

    # Repairs

    async def _repair(self, leased: LeasedChannel) -> None:
        while True:
            await leased.ready()
            try:
                await self._repair_accepted(leased)
            except (DatabaseAway, RemoteAway) as error:
                log.warning("what was accepted is not repaired yet channel=%s reason=%r", leased.id, str(error))
            await asyncio.sleep(LOOK_EVERY_S)

    async def _repair_accepted(self, leased: LeasedChannel) -> None:
        async with leased.writing(self._database) as connection:
            accepted = await drifts.to_be_mended(connection, leased.id)
            for row in accepted:
                if row.repair is not Repair.BOOK:
                    await drifts.mended(connection, row.id, await mend(connection, leased.id, row))
        for row in accepted:
            if row.repair is Repair.BOOK:
                order = await leased.ask(leased.adapter.order, order_of(row))
                async with leased.writing(self._database) as connection:
                    if order is not None and sound(order):
                        await self._shelf.learn(connection, leased, [order], fetched=True)
                        await connection.execute(_BOOK, leased.id, order.id)
                    await drifts.mended(connection, row.id, said_of(order))
        if accepted:
            leased.due.set()


async def _keep(connection: Connection, channel: str, there: Iterable[tuple[str, Listing | None]], here: Page) -> None:
    found: list[Seen] = []
    agreed: list[str] = []
    for remote, listing in there:
        ours, subject = here.standings.get(remote), f"{LISTING}{remote}"
        difference: Difference | None = None
        if ours is not None or listing is not None:
            difference = compare(ours, listing, here.known_skus)
        if difference is None:
            agreed.append(subject)
        else:
            sku = ours.sku if ours else listing.sku if listing else ""
            found.append(Seen(subject, sku, difference, ours.stamp if ours else "unmapped"))
    await drifts.agreed(connection, channel, agreed)
    await drifts.seen(connection, channel, found)


def _stamp_of(known: KnownOrder | None, there: Order) -> str:
    return f"{there.updated_at.isoformat()}/{known.told.updated_at.isoformat() if known else ''}"


def _drift(row: Row, quiet_s: Mapping[str, float]) -> Drift:
    units = abs((row.ours or 0) - (row.theirs or 0))
    quiet = quiet_s.get(row.subject, float("inf"))
    return Drift(row.id, row.kind, units, row.stood_s, quiet, can_be_repaired=row.repair is not None)


async def _quiet_s(connection: Connection, channel: str, rows: Sequence[Row]) -> dict[str, float]:
    """Seconds since the last order that had the listing, by subject."""
    remotes = [row.subject.removeprefix(LISTING) for row in rows if row.subject.startswith(LISTING)]
    found = await connection.fetch(_QUIET, channel, remotes)
    return {f"{LISTING}{row['remote']}": row["quiet_s"] for row in found}


_BOOK = "update channel_order set due_at = clock_timestamp(), attempt = 0 where channel = $1 and id = $2 and is_ours"
_MISSING = """
select m.remote from mapping m left join listing l on l.channel = m.channel and l.remote = m.remote
 where m.channel = $1 and m.remote > $2 and (l.read_at is null or l.read_at < $3) and m.at < $3
 order by m.remote limit $4
"""
_QUIET = """
select r.remote, extract(epoch from clock_timestamp() - max(o.told_at))::float8 as quiet_s
  from unnest($2::text[]) as r(remote)
  join channel_order o on o.channel = $1 and o.told_at > now() - interval '7 days'
   and o.told -> 'lines' @> jsonb_build_array(jsonb_build_array(r.remote))
 group by r.remote
"""
