"""A shop that is killed at every step of its orders, with a provider that lies: what it sold and was paid for agree.

The shops are processes with SIGKILL, the provider is that of docs/how-to/orders.md, to the letter.
"""

import asyncio
import contextlib
import logging
import os
import random
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from stockwire import AsyncClient, ReservationExpired
from stockwire.orders import Order, OrderState, SqliteJournal
from tests.client.orders.shop_process import NOWHERE, POINTS, Attempt, Task
from tests.docs.pages import block
from tests.harness.processes import clean_environment
from tests.harness.size import SIZE
from tests.harness.source import ROOT
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S
from tests.ledger.commit_path import commit_path

pytestmark = [pytest.mark.timeout(SIZE.timeout_s), pytest.mark.usefixtures("processes", "sized")]

logger = logging.getLogger(__name__)

KILLS = SIZE.of(200)
SHOPS = 3
"""At the same time, each with other orders."""
UNITS_MAX = 3
LIES = ("honest", "times-out", "answers-late", "answers-twice", "crashes-before", "crashes-after")
SHORT_S = 2
"""Held for less than it takes until somebody goes on with an order."""
FINISHES_MAX = 8
"""Attempts that nobody kills: the provider has lied by then as often as its cards say."""
SOLD = {OrderState.COMMITTED, OrderState.FULFILLED}
NOTHING = {OrderState.REFUSED, OrderState.DECLINED, OrderState.EXPIRED, OrderState.CANCELLED}
REPORTED = {OrderState.UNRESOLVED, OrderState.CHARGED_WITHOUT_STOCK}


@dataclass(frozen=True)
class Killed:
    """An order and where its shops die, one after the other. ``gone``: its stock is, before the last of them."""

    first: Attempt
    points: tuple[str, ...]
    gone: bool = False

    def attempts(self, points: Sequence[str]) -> list[Attempt]:
        return [replace(self.first, point=point) for point in points]


def orders_of(seed: int) -> list[Killed]:
    """So many that `KILLS` shops die, at each point in turn; some orders of its kind first have to come there."""
    chance = random.Random(seed)
    found: list[Killed] = []
    while sum(len(one.points) for one in found) < KILLS:
        point = POINTS[len(found) % len(POINTS)]
        side, _, name = point.partition(" ")
        card = " ".join(chance.choices(LIES, k=2))
        gone = name in ("provider.refund", "provider.find") or (name == "ledger.cancel" and chance.random() < 0.5)
        before: tuple[str, ...] = ()
        if name == "ledger.extend":
            before = ("after ledger.reserve",)
        elif name == "provider.find":
            before = (f"{'after' if side == 'before' else 'before'} provider.charge",)
        elif gone:
            card, before = "honest", ("before ledger.commit",)
        elif name == "ledger.cancel":
            card = "declined"
        key = f"order-{seed}-{len(found)}-{side}-{name}"
        ttl_s = SHORT_S if name == "provider.find" else 900
        first = Attempt(
            key, chance.randint(1, UNITS_MAX), ttl_s, card, fulfil=name in ("ledger.fulfil", "journal.claim")
        )
        found.append(Killed(first, (*before, point), gone))
    return found


@dataclass
class World:
    folder: Path
    task: Task
    deaths: list[str]

    async def attempt(self, attempts: Sequence[Sequence[Sequence[Attempt]]]) -> None:
        """Of each order one after the other, of several orders at the same time."""
        shares = [[together for order in attempts[number::SHOPS] for together in order] for number in range(SHOPS)]
        await asyncio.gather(*(self._shop(replace(self.task, attempts=share)) for share in shares if share))

    async def _shop(self, task: Task) -> None:
        shop = await started(self.folder, "-m", "tests.client.orders.shop_process")
        try:
            async with asyncio.timeout(PATIENCE_S + SIZE.timeout_s / 2):
                told, complaints = await shop.communicate(task.to_json().encode())
        finally:
            await ended(shop)
        assert shop.returncode == 0, complaints.decode()
        self.deaths += [line.split(" ", 1)[1] for line in told.decode().splitlines()]

    def orders(self) -> list[Order]:
        with contextlib.closing(sqlite3.connect(self.folder / "orders.db")) as journal:
            rows = journal.execute("SELECT key, document FROM stockwire_order ORDER BY key").fetchall()
        return [Order.read(key, document) for key, document in rows]

    def done(self, what: str) -> dict[str, int]:
        """What the provider did, by its key."""
        with contextlib.closing(sqlite3.connect(self.folder / "provider.db")) as provider:
            return dict(provider.execute("SELECT key, cents FROM done WHERE what = ?", (what,)).fetchall())


@pytest.fixture
async def world(
    shared_system: System, shared_client: AsyncClient, unique_name: str, tmp_path: Path
) -> AsyncIterator[World]:
    page = ROOT / "docs" / "how-to" / "orders.md"
    for name in ("provider.py", "payment.py"):
        (tmp_path / name).write_text(block(page, "python", name))
    SqliteJournal(tmp_path / "orders.db").close()
    await shared_client.locations.put(unique_name, "Berlin")
    await shared_client.items.put(unique_name, "Kettle")
    key = await shared_system.admin_key()
    provider = await started(tmp_path, "provider.py")
    try:
        assert provider.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            assert await provider.stdout.readline() == b"provider: open\n"
        yield World(tmp_path, Task(shared_system.ledger_url, key, unique_name, unique_name, ()), [])
    finally:
        await ended(provider)


async def started(folder: Path, *command: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, *command),
        cwd=folder,
        env=clean_environment({}),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )


async def ended(process: asyncio.subprocess.Process) -> None:
    """With its children."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    async with asyncio.timeout(PATIENCE_S):
        await process.communicate()


async def test_a_killed_shop_leaks_a_unit_sells_it_twice_or_takes_money_for_nothing(
    world: World, shared_system: System, shared_client: AsyncClient, unique_name: str
) -> None:
    seed = random.randrange(1_000_000)
    logger.info("seed %d", seed)
    killed = orders_of(seed)
    stocked = sum(one.first.units for one in killed) * 9 // 10
    await shared_client.stock.receive(unique_name, unique_name, stocked)

    await world.attempt(
        [[[attempt] for attempt in one.attempts(one.points[:-1] if one.gone else one.points)] for one in killed]
    )
    sold_to_others = await take_away(shared_client, unique_name, {one.first.order for one in killed if one.gone})
    chance = random.Random(seed)
    await world.attempt([[racing(one, chance)] for one in killed])
    orders = world.orders()
    for _ in range(FINISHES_MAX):
        left = {order.key for order in orders if order.is_open and order.state is not OrderState.UNRESOLVED}
        if not left:
            break
        await world.attempt([[[replace(one.first, point="")]] for one in killed if one.first.order in left])
        orders = world.orders()

    states = Counter(order.state for order in orders)
    logger.info("%d killed, %s; orders %s", len(world.deaths), dict(Counter(world.deaths)), dict(states))
    assert len(world.deaths) >= KILLS
    assert SIZE.share < 1 or (set(world.deaths) == set(POINTS) and states[OrderState.UNRESOLVED])
    assert_paid_for(orders, world)
    async with asyncio.timeout(PATIENCE_S):
        while [one async for one in shared_client.reservations.list(location=unique_name, state="pending")]:
            pass  # what has expired is let go of by the ledger's sweeper, within a second or two
    level = await shared_client.stock.get(unique_name, unique_name)
    fulfilled, committed = (
        sum(line.quantity or 0 for order in orders if order.state is state for line in order.lines)
        for state in (OrderState.FULFILLED, OrderState.COMMITTED)
    )
    assert level.on_hand == stocked - sold_to_others - fulfilled
    assert level.reserved == committed
    async with commit_path(shared_system.database_url) as path:
        assert await path.audit() == []


def racing(one: Killed, chance: random.Random) -> list[Attempt]:
    """The last of a gone order's shops; of the others two at the same time, of which one may die anywhere."""
    if one.gone:
        return one.attempts(one.points[-1:])
    return [
        replace(one.first, point=chance.choice(POINTS), nth=chance.choice((1, 1, 2))),
        replace(one.first, point=NOWHERE),
    ]


async def take_away(client: AsyncClient, name: str, gone: set[str]) -> int:
    """The holds of these orders end, and others buy all that is free. How many units."""
    for reference in gone:
        async for one in client.reservations.list(reference=reference, state="pending"):
            with contextlib.suppress(ReservationExpired):  # it has ended meanwhile, as it shall
                await client.reservations.extend(one.id, 1)
    async with asyncio.timeout(PATIENCE_S):
        for reference in gone:
            while [one async for one in client.reservations.list(reference=reference, state="pending")]:
                pass  # the ledger's sweeper, within a second or two
    level = await client.stock.get(name, name)
    if level.available:
        await client.stock.sell(name, name, level.available)
    return level.available


def assert_paid_for(orders: Sequence[Order], world: World) -> None:
    """Whoever was charged has the goods or the money, or the order says that it is not so."""
    charges, refunds = world.done("charges"), world.done("refunds")
    assert charges.keys() <= {order.charge_key for order in orders}, "charged for no order"
    for order in orders:
        charged, refunded = order.charge_key in charges, order.refund_key in refunds
        if order.state in SOLD:
            assert (charged, refunded) == (True, False), order
            assert charges[order.charge_key] == order.data["cents"]
        elif order.state is OrderState.REFUNDED:
            assert (charged, refunded) == (True, True), order
        elif order.state in NOTHING:
            assert (charged, refunded) == (False, False), order
        else:
            assert order.state in REPORTED, order
            assert not refunded, order
