"""Drift as it is stored: what is seen twice under one stamp is open; anything else begins anew."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from followers.database.database import Database
from followers.marketplaces.reconciling import drifts
from followers.marketplaces.reconciling.comparing import Difference, DriftClass, Repair
from followers.marketplaces.reconciling.drifts import LIVE, Seen

DIFFERENCE = Difference(DriftClass.QUANTITY, 8, 5, "3 fewer than we set", Repair.PUSH)
SEEN = Seen("listing:r1", "TEA-1", DIFFERENCE, "v1")


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[Any]:
    async with database.transaction() as connection:
        await connection.execute(
            "insert into channel (id, vendor, owner, settings, sealed, locations)"
            " values ('shop', 'none', 'k', '{}', '', '{berlin}')"
        )
        yield connection


async def states(connection: Any) -> list[tuple[str, int]]:
    found = await connection.fetch("select state, reads from drift order by id")
    return [(row["state"], row["reads"]) for row in found]


async def test_what_stands_in_two_reads_is_open(connection: Any) -> None:
    await drifts.seen(connection, "shop", [SEEN])
    assert await states(connection) == [("suspect", 1)]
    await drifts.seen(connection, "shop", [SEEN])
    (row,) = await drifts.rows(connection, "shop", LIVE)
    assert (row.state, row.reads, row.ours, row.theirs, row.kind, row.repair) == (
        *("open", 2, 8, 5, DriftClass.QUANTITY, Repair.PUSH),
    )
    assert row.stood_s >= 0
    assert await drifts.counts(connection) == {("shop", "quantity"): 1}


@pytest.mark.parametrize(
    "again",
    [
        replace(SEEN, stamp="v2"),
        replace(SEEN, difference=replace(DIFFERENCE, theirs=4)),
        replace(SEEN, difference=replace(DIFFERENCE, kind=DriftClass.BUFFER_NOT_KEPT)),
        replace(SEEN, difference=replace(DIFFERENCE, ours=None)),
    ],
    ids=["a version, order or push in between", "another number", "another class", "no number"],
)
@pytest.mark.parametrize("before", ["suspect", "open", "accepted", "dismissed"])
async def test_what_is_not_the_same_begins_anew(connection: Any, again: Seen, before: str) -> None:
    await drifts.seen(connection, "shop", [SEEN])
    await connection.execute("update drift set state = $1, first_seen = now() - interval '1 hour'", before)
    await drifts.seen(connection, "shop", [again])
    (row,) = await drifts.rows(connection, "shop", LIVE)
    assert (row.state, row.reads, row.stamp) == ("suspect", 1, again.stamp)
    assert row.stood_s < 3_000


@pytest.mark.parametrize("decided", ["accepted", "dismissed"])
async def test_what_was_decided_stands_while_the_difference_does(connection: Any, decided: str) -> None:
    await drifts.seen(connection, "shop", [SEEN, SEEN])
    await connection.execute("update drift set state = $1", decided)
    await drifts.seen(connection, "shop", [SEEN])
    assert await states(connection) == [(decided, 3)]


@pytest.mark.parametrize(("before", "after"), [("open", "gone"), ("accepted", "repaired"), ("suspect", "gone")])
async def test_what_differs_no_more_is_closed(connection: Any, before: str, after: str) -> None:
    await drifts.seen(connection, "shop", [SEEN, replace(SEEN, subject="listing:r2")])
    await connection.execute("update drift set state = $1", before)
    await drifts.agreed(connection, "shop", ["listing:r1"])
    now: datetime = await connection.fetchval("select clock_timestamp()")
    await drifts.not_seen_since(connection, "shop", now)
    assert [state for state, _ in await states(connection)] == [after, after]
    await drifts.seen(connection, "shop", [SEEN])  # it comes again: a new row, beside what became of the old one
    assert [state for state, _ in await states(connection)] == [after, after, "suspect"]
