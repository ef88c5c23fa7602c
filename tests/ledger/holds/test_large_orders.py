"""Orders of hundreds of lines at once, over all shards, on overlapping skus: each whole or not at all, no deadlocks."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import text

from ledger.commit.operation import Operation, Outcome
from ledger.commit.stock import LevelKey
from ledger.errors import InsufficientStock
from ledger.holds.decide import Cancel, Commit, Fulfil, Resize
from ledger.holds.reserve import Wanted
from server.problems import Later
from tests.harness.size import SIZE
from tests.ledger.commit_path import SHARDS, CommitPath, commit_path, line, operation
from tests.ledger.hold_requests import asking, at, reserving
from wire.shards import shard_of

pytestmark = pytest.mark.usefixtures("sized")

LEDGERS, ORDERS, LINES = 3, SIZE.of(50), 600
BASKETS = 4
"""Small ones beside them, on one shard each, whose writers do without the locks if they can."""
SKUS = [f"S{number:03d}" for number in range(250)]
PLACES = [next(f"place{n}" for n in range(100) if shard_of(f"place{n}", SHARDS) == shard) for shard in range(SHARDS)]
UNITS = max(2, 2 * ORDERS // 3)
"""Of each level: an order has 600 of the 1,000 levels, so that some of them find nothing left."""
TRIES_MAX = 20
DEADLOCKS_MAX = 0.05
"""Of the batches that were written, as in the races of small operations."""

logger = logging.getLogger(__name__)


@pytest.fixture
async def ledgers(database_url: str, redis_url: str) -> AsyncIterator[list[CommitPath]]:
    async with AsyncExitStack() as stack:
        paths = [await stack.enter_async_context(commit_path(database_url, redis_url)) for _ in range(LEDGERS)]
        await paths[0].add_catalog(SKUS, PLACES)
        for place in PLACES:
            await paths[0].writers.submit(operation(*(line(sku, place, UNITS) for sku in SKUS)))
        yield paths


async def test_large_orders_at_once_stand_whole_or_not_at_all(ledgers: list[CommitPath]) -> None:
    baskets = [asyncio.create_task(_small_baskets(ledgers)) for _ in range(BASKETS)]
    orders = await asyncio.gather(*(_order(number, ledgers) for number in range(ORDERS)))
    assert not any(basket.done() for basket in baskets)
    for basket in baskets:
        basket.cancel()
    await asyncio.wait(baskets)
    path = ledgers[0]
    deadlocks = await path.scalar("select deadlocks from pg_stat_database where datname = current_database()")
    counters = [ledger.writers.counters for ledger in ledgers]
    batches, locked = (sum(getattr(one, name) for one in counters) for name in ("batches", "locked_batches"))
    refused = sum(order is None for order in orders)
    logger.info(
        "%d of %d orders refused; %d batches, %d tried under locks, %d deadlocks",
        refused,
        ORDERS,
        batches,
        locked,
        deadlocks,
    )
    async with path.engine.connect() as connection:
        rows = await connection.execute(
            text(
                "select id::text, state, count(*) from hold join hold_line on hold = id group by id having count(*) > 2"
            )
        )
        stand = {row[0]: (row[1], row[2]) for row in rows}
    assert {order: (state, LINES) for order, state in filter(None, orders)} == stand
    assert stand, "all orders were refused"
    assert deadlocks <= DEADLOCKS_MAX * batches
    assert await path.audit() == []


async def _order(number: int, ledgers: list[CommitPath]) -> tuple[str, str] | None:
    """Its id, and the state that it ends in; None if there was not enough of something."""
    levels = random.sample([at(sku, place) for sku in SKUS for place in PLACES], LINES)
    made = await _settled(ledgers, reserving(*(Wanted((level,), 1) for level in levels)))
    if isinstance(made, InsufficientStock):
        return None
    hold, end = made.operation, ("pending", "committed", "fulfilled", "cancelled")[number % 4]
    if end == "pending":
        await _settled(ledgers, asking(Resize(hold, levels, dict.fromkeys(levels[:100], 1))))
    if end in ("committed", "fulfilled"):
        await asyncio.gather(*(_settled(ledgers, asking(Commit(hold, levels, part))) for part in _halves(levels)))
    if end == "fulfilled":
        await _settled(ledgers, asking(Fulfil(hold, levels)))
    if end == "cancelled":
        await asyncio.gather(*(_settled(ledgers, asking(Cancel(hold, levels, part))) for part in _halves(levels)))
    return hold, end


async def _small_baskets(ledgers: list[CommitPath]) -> None:
    """Until cancelled."""
    while True:
        place = random.choice(PLACES)
        levels = [at(sku, place) for sku in random.sample(SKUS, 2)]
        made = await _settled(ledgers, reserving(*(Wanted((level,), 1) for level in levels)))
        if isinstance(made, Outcome):
            await _settled(ledgers, asking(Commit(made.operation, levels, {levels[0]: 1})))
            await _settled(ledgers, asking(Cancel(made.operation, levels)))


def _halves(levels: list[LevelKey]) -> tuple[dict[LevelKey, int | None], dict[LevelKey, int | None]]:
    """They overlap: what both ask for is done once."""
    half = len(levels) // 2
    return dict.fromkeys(levels[: half + 50]), dict.fromkeys(levels[half - 50 :])


async def _settled(ledgers: list[CommitPath], asked: Operation) -> Outcome | InsufficientStock:
    for _ in range(TRIES_MAX):
        try:
            return await random.choice(ledgers).writers.submit(asked)
        except InsufficientStock as refused:
            return refused
        except Later:
            await asyncio.sleep(0.05)
    raise AssertionError("not settled")
