"""Races about holds on two ledgers, and deaths in the middle: each hold is in one of its states, and nothing is let go
of twice."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence

import pytest
from sqlalchemy import text

from ledger.commit.contention import LOCKED_BATCHES
from ledger.commit.operation import Operation, Outcome
from ledger.commit.stock import LevelKey
from ledger.errors import OutcomeUnknown, ReservationExpired, ReservationState
from ledger.holds.decide import Cancel, Commit, Expire, Extend, Fulfil, Resize
from ledger.holds.reserve import Wanted
from ledger.holds.sweeper import OLDEST_MAX, TAKEN_MAX, Sweeper
from server.problems import Problem
from tests.harness.postgres import PostgresServer
from tests.harness.size import SIZE
from tests.harness.waiting import wait_until
from tests.ledger.commit_path import CommitPath, commit_path, line, operation
from tests.ledger.held_rows import is_waiting, locked, waiting_backends
from tests.ledger.hold_requests import asking, at, overdue, reserving

SKUS = ["A", "B", *(f"S{number}" for number in range(8))]
OVER = "state = 'pending' and expires_at <= now()"
RACED, OVERDUE = SIZE.of(600), SIZE.of(10_000)
"""Holds: whose end several want at once, and that are overdue when an outage of an hour ends."""


@pytest.fixture
async def path(database_url: str) -> AsyncIterator[CommitPath]:
    async with commit_path(database_url) as path:
        await path.add_catalog(SKUS, ["berlin", "paris"])
        lines = [line(sku, place, 100_000) for sku in SKUS for place in ("berlin", "paris")]
        await path.writers.submit(operation(*lines))
        yield path


@pytest.fixture
async def rival(database_url: str, path: CommitPath) -> AsyncIterator[CommitPath]:
    """Another ledger over the same database."""
    async with commit_path(database_url) as rival:
        yield rival


async def held(path: CommitPath, *levels: LevelKey, units: int = 2) -> str:
    return (await path.writers.submit(reserving(*(Wanted((level,), units) for level in levels)))).operation


async def answered(path: CommitPath, asked: Operation) -> Outcome | Problem:
    try:
        return await path.writers.submit(asked)
    except Problem as problem:
        return problem


async def states(path: CommitPath, holds: Sequence[str]) -> list[str]:
    async with path.engine.connect() as connection:
        rows = await connection.execute(text("select id::text, state from hold where id = any(:ids)"), {"ids": holds})
        found = {row[0]: row[1] for row in rows}
    return [found.get(hold, "none") for hold in holds]


async def test_who_waits_for_a_hold_keeps_no_level_from_others(
    path: CommitPath, postgres: PostgresServer, database_url: str
) -> None:
    """A batch that takes its levels first, and one that took its holds first, would wait for each other."""
    hold = await held(path, at("A"))
    async with locked(database_url, "select from hold where id = $1 for update", hold):
        paying = asyncio.create_task(path.writers.submit(asking(Commit(hold, [at("A")]))))
        await wait_until(lambda: is_waiting(postgres, database_url))
        async with locked(database_url, "select from stock_level where sku = 'A' for update nowait"):
            pass
    assert isinstance(await paying, Outcome)


async def test_what_is_left_of_an_overdue_hold_is_let_go_of_although_a_part_is_paid_for_at_that_moment(
    path: CommitPath,
) -> None:
    hold = await held(path, at("A"), units=100_000)
    await overdue(path, hold)
    asked = [asking(Commit(hold, [at("A")], {at("A"): 1})), operation(line("A", "berlin", -99_999))]
    paid, sold = await asyncio.gather(*(answered(path, one) for one in asked))
    assert isinstance(paid, Outcome)
    assert isinstance(sold, Outcome), sold
    assert await path.audit() == []


async def test_nobody_is_refused_for_an_overdue_hold_that_is_cancelled_at_that_moment(path: CommitPath) -> None:
    """In the same batch, behind who needs its units."""
    hold = await held(path, at("A"), units=100_000)
    await overdue(path, hold)
    asked = [operation(line("A", "berlin", -100_000)), asking(Cancel(hold, [at("A")]))]
    sold, cancelled = await asyncio.gather(*(answered(path, one) for one in asked))
    assert isinstance(sold, Outcome), sold
    assert isinstance(cancelled, Outcome)
    assert (await states(path, [hold])) == ["cancelled"]
    assert await path.audit() == []


async def test_a_hold_that_another_ledger_gave_less_time_is_let_go_of_by_who_remembers_more(
    path: CommitPath, rival: CommitPath
) -> None:
    """Not overdue is what nothing is written for, so that no statement finds out what was remembered."""
    hold, other = await held(path, at("A")), await held(path, at("B"))
    for one, level in ((hold, at("A")), (other, at("B"))):
        await rival.writers.submit(asking(Extend(one, [level], ttl_s=1)))
    for _ in range(1 + LOCKED_BATCHES):  # then it remembers the level as it is, and does without the locks again
        await path.writers.submit(operation(line("A", "berlin", 1)))

    async def are_overdue() -> bool:
        return await path.scalar(f"select count(*) from hold where {OVER}") == 2

    await wait_until(are_overdue)
    await Sweeper(path.engine, path.writers).sweep()
    assert await states(path, [hold, other]) == ["expired"] * 2


async def test_a_ledger_that_dies_in_the_middle_leaves_each_hold_as_it_was_and_its_key_can_be_sent_again(
    path: CommitPath, rival: CommitPath, postgres: PostgresServer, database_url: str
) -> None:
    levels = [at("A"), at("A", "paris")]
    changed, extended, paid, left, cancelled, expired = holds = [await held(path, *levels) for _ in range(6)]
    await path.writers.submit(asking(Commit(left, levels)))
    await overdue(path, expired)
    before = ["pending", "pending", "pending", "committed", "pending", "pending", "none"]
    reserve = reserving(*(Wanted((level,), 2) for level in levels))
    asked = [
        asking(Resize(changed, levels, {at("A"): 5})),
        asking(Extend(extended, levels, ttl_s=99)),
        asking(Commit(paid, levels)),
        asking(Fulfil(left, levels, {at("A"): 1})),
        asking(Cancel(cancelled, levels)),
        asking(Expire(expired, levels)),
        reserve,
    ]
    async with locked(database_url, "select from shard for update"):
        answers = asyncio.gather(*(answered(path, one) for one in asked))
        await wait_until(lambda: is_waiting(postgres, database_url))
        for backend in await waiting_backends(postgres, database_url):
            await postgres.query("select pg_terminate_backend($1)", "postgres", backend)
        assert {type(answer) for answer in await answers} == {OutcomeUnknown}
    assert await states(rival, [*holds, reserve.id]) == before
    assert await path.audit() == []
    done = [await answered(rival, one) for one in asked]
    assert [answer.replayed for answer in done if isinstance(answer, Outcome)] == [False] * len(asked)
    after = ["pending", "pending", "committed", "committed", "cancelled", "expired", "pending"]
    assert await states(path, [*holds, reserve.id]) == after
    for one, first in zip(asked, done, strict=True):
        again = await answered(path, one)
        assert isinstance(again, Outcome)
        assert isinstance(first, Outcome)
        assert (again.replayed, again.events, again.hold) == (True, first.events, first.hold)
    assert await path.audit() == []


@pytest.mark.usefixtures("sized")
async def test_an_overdue_hold_that_is_paid_for_swept_and_cancelled_at_once_ends_once(
    path: CommitPath, rival: CommitPath
) -> None:
    levels = [at("A"), at("B"), at("A", "paris")]
    holds = [await held(path, *random.sample(levels, random.randint(1, 3))) for _ in range(RACED)]
    await overdue(path, *holds)
    sweepers = [asyncio.create_task(Sweeper(one.engine, one.writers).run()) for one in (path, rival)]
    asked: list[tuple[CommitPath, str, Operation]] = []
    for hold in holds:
        plans = random.sample((Commit(hold, levels), Cancel(hold, levels)), random.randint(0, 2))
        asked += [(random.choice((path, rival)), hold, asking(plan)) for plan in plans]
    random.shuffle(asked)
    answers = await asyncio.gather(*(answered(ledger, one) for ledger, _, one in asked))
    for sweeper in sweepers:
        await wait_until(lambda: _nothing_overdue(path))
        sweeper.cancel()
    expected = dict.fromkeys(holds, "expired")
    for (_, hold, one), answer in sorted(zip(asked, answers, strict=True), key=lambda pair: _is_cancel(pair[0][2])):
        assert isinstance(answer, Outcome | ReservationState | ReservationExpired), answer
        if isinstance(answer, Outcome):
            expected[hold] = "cancelled" if _is_cancel(one) else "committed"
    assert Counter(await states(path, holds)) == Counter(expected.values())
    assert await states(path, holds) == list(expected.values())
    assert await path.audit() == []


def _is_cancel(asked: Operation) -> bool:
    return isinstance(asked.plan, Cancel)


async def _nothing_overdue(path: CommitPath) -> bool:
    return not await path.scalar(f"select count(*) from hold where {OVER}")


@pytest.mark.usefixtures("sized")
async def test_after_an_outage_overdue_holds_go_in_bounded_batches_and_sales_go_between_them(
    path: CommitPath, rival: CommitPath
) -> None:
    skus = SKUS[2:]
    holds = []
    for _ in range(max(1, OVERDUE // 500)):
        made = (reserving(Wanted((at(random.choice(skus)),), 1)) for _ in range(500))
        holds += [outcome.operation for outcome in await asyncio.gather(*map(path.writers.submit, made))]
    await overdue(path, *holds)
    seq = await path.scalar(f"select head from shard where id = {at('A').shard}")
    sweepers = [Sweeper(one.engine, one.writers) for one in (path, rival)]
    sweeping = [asyncio.create_task(sweeper.run()) for sweeper in sweepers]
    sold = 0
    while not await _nothing_overdue(path):
        await path.writers.submit(operation(line("A", "berlin", -1)))
        sold += 1
    for task in sweeping:
        task.cancel()
    assert sum(sweeper.swept for sweeper in sweepers) == len(holds), "each is counted by who let go of it"
    async with path.engine.connect() as connection:
        rows = await connection.execute(
            text(
                "select kind, count(*) from stock_event where shard = :shard and seq > :seq"
                " group by kind, committed_at order by min(seq)"
            ),
            {"shard": at("A").shard, "seq": seq},
        )
        batches = [(kind, count) for kind, count in rows]
    releases = [count for kind, count in batches if kind == "release"]
    assert sum(releases) == len(holds)
    assert max(releases) <= TAKEN_MAX < OLDEST_MAX
    first, last = (position for position, (kind, _) in enumerate(batches) if kind == "release"), batches[::-1]
    between = batches[next(first) : len(batches) - [kind for kind, _ in last].index("release")]
    assert sum(kind == "sale" for kind, _ in between) > 0, "sales wait for all of them"
    assert await path.audit() == []
