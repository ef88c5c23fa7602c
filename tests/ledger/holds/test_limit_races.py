"""Limits on the commit path: exact over all levels, shards and ledgers, and never about what is overdue."""

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from sqlalchemy import text

from ledger.commit.operation import Operation, Outcome, operation_id
from ledger.commit.stock import LevelKey
from ledger.errors import ReservationLimit
from ledger.holds.decide import Commit
from ledger.holds.reserve import Reserve, Wanted
from ledger.limits import HoldLimits
from server.problems import Problem
from tests.ledger.commit_path import SHARDS, CommitPath, commit_path, line, operation
from wire.shards import shard_of

LOCATIONS = ("berlin", "hamburg", "paris", "rome", "oslo")
LEDGERS = 3
ASKED = 60


@asynccontextmanager
async def ledgers(database_url: str, limits: HoldLimits) -> AsyncIterator[list[CommitPath]]:
    async with AsyncExitStack() as stack:
        paths = [await stack.enter_async_context(commit_path(database_url, limits=limits)) for _ in range(LEDGERS)]
        await paths[0].add_catalog(["A"], LOCATIONS)
        await paths[0].writers.submit(operation(*(line("A", location, 100) for location in LOCATIONS)))
        yield paths


def reserving(location: str, units: int = 1, customer: str | None = "ada", key: str | None = None) -> Operation:
    key = key or secrets.token_hex(8)
    level = LevelKey(shard_of(location, SHARDS), location, "A")
    hold = operation_id("shop", key)
    return Operation(hold, "shop", key, b"", (), Reserve(hold, "shop", (Wanted((level,), units),), 900, customer))


async def done(path: CommitPath, asked: Operation) -> Outcome | Problem:
    try:
        return await path.writers.submit(asked)
    except Problem as error:
        return error


@pytest.mark.parametrize(
    ("limits", "held"),
    [
        (HoldLimits(customer_units=7), 7),
        (HoldLimits(customer_reservations=7), 7),
        (HoldLimits(owner_units=7), 7),
        (HoldLimits(owner_reservations=7), 7),
    ],
)
async def test_nobody_holds_more_by_asking_every_ledger_for_every_level_at_once(
    database_url: str, limits: HoldLimits, held: int
) -> None:
    async with ledgers(database_url, limits) as paths:
        asked = zip(itertools.cycle(paths), itertools.cycle(LOCATIONS), range(ASKED), strict=False)
        outcomes = await asyncio.gather(*(done(path, reserving(location)) for path, location, _ in asked))
        refused = [outcome for outcome in outcomes if isinstance(outcome, ReservationLimit)]
        assert (len(outcomes) - len(refused), len(refused)) == (held, ASKED - held), outcomes
        assert await paths[0].scalar("select sum(reserved) from stock_level") == held
        assert await paths[0].audit() == []


async def test_the_limit_of_an_item_counts_its_customers_units_at_all_locations(database_url: str) -> None:
    async with ledgers(database_url, HoldLimits()) as paths:
        async with paths[0].engine.begin() as connection:
            await connection.execute(text("update item set hold_customer_units = 3"))
            await connection.execute(text("update ledger_meta set items_limited = true"))
        for path in paths:
            await path.heads.refresh()
        asked = zip(itertools.cycle(paths), itertools.cycle(LOCATIONS), range(ASKED), strict=False)
        outcomes = await asyncio.gather(*(done(path, reserving(location)) for path, location, _ in asked))
        assert sum(isinstance(outcome, Outcome) for outcome in outcomes) == 3
        others = await asyncio.gather(*(done(paths[0], reserving("berlin", 3, name)) for name in ("bob", "eve", None)))
        assert all(isinstance(outcome, Outcome) for outcome in others), others


async def overdue(path: CommitPath) -> None:
    """The time of every hold is over."""
    async with path.engine.begin() as connection:
        for table in ("hold", "hold_line"):
            await connection.execute(text(f"update {table} set expires_at = now() - interval '1 s'"))
    path.writers.remembered_holds.clear()


async def test_what_is_overdue_is_not_held_and_what_was_paid_for_is(database_url: str) -> None:
    limits = HoldLimits(customer_units=5, owner_units=9, customer_reservations=2, owner_reservations=2)
    async with ledgers(database_url, limits) as (path, *_):
        first = await path.writers.submit(reserving("berlin", 3))
        level = LevelKey(shard_of("berlin", SHARDS), "berlin", "A")
        commit = Commit(first.operation, [level], {level: 1})
        await path.writers.submit(Operation(operation_id("shop", "paid"), "shop", "paid", b"", (), commit))
        await path.writers.submit(reserving("oslo", 2))
        with pytest.raises(ReservationLimit):
            await path.writers.submit(reserving("paris", 1))
        await overdue(path)
        with pytest.raises(ReservationLimit) as refused:
            await path.writers.submit(reserving("paris", 5))
        assert refused.value.numbers["held"] == 1
        await path.writers.submit(reserving("paris", 4))
        assert await path.audit() == []


async def test_overdue_units_are_let_go_of_before_a_share_refuses_anybody(database_url: str) -> None:
    async with ledgers(database_url, HoldLimits(share_percent=10)) as (path, *_):
        await path.writers.submit(reserving("berlin", 8))
        with pytest.raises(ReservationLimit):
            await path.writers.submit(reserving("berlin", 3))
        await overdue(path)
        outcome = await path.writers.submit(reserving("berlin", 10))
        assert [(event["kind"], event["reserved"]) for event in outcome.events] == [("hold", 10)]
        assert await path.audit() == []


async def test_the_key_that_reached_the_limit_is_answered_as_before_and_one_that_was_refused_may_come_again(
    database_url: str,
) -> None:
    async with ledgers(database_url, HoldLimits(customer_units=5)) as (path, other, _):
        first = await path.writers.submit(reserving("berlin", 5, key="first"))
        assert isinstance(await done(path, reserving("oslo", 1, key="second")), ReservationLimit)
        again = await other.writers.submit(reserving("berlin", 5, key="first"))
        assert (again.replayed, again.hold) == (True, first.hold)
        await overdue(path)
        later = await path.writers.submit(reserving("oslo", 1, key="second"))
        assert not later.replayed
