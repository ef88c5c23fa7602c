"""Ledgers that share a database do not fight: they hear of each other, go in turns, and lock when neither helps."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from ledger.commit.contention import LOCKED_BATCHES, TURN_S_MAX, Contention
from ledger.commit.counters import Counters
from ledger.commit.line import key_of
from ledger.commit.remembered import RememberedLevels
from ledger.commit.stock import Stock
from ledger.feed.rivals import UNUSED_MAX, Rivals
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.ledger.commit_path import NO_BROKER, CommitPath, commit_path, line, operation

SKUS = [f"S{number:02d}" for number in range(40)]
A, B = (key_of(line(sku, "berlin", 1)) for sku in "AB")
RACING, CALLERS = 600, 16


@pytest.fixture
async def path(database_url: str, redis_url: str) -> AsyncIterator[CommitPath]:
    async with commit_path(database_url, redis_url) as path:
        await path.add_catalog(["A", "B", *SKUS], ["berlin"])
        yield path


@pytest.fixture
async def rival(database_url: str, redis_url: str, path: CommitPath) -> AsyncIterator[CommitPath]:
    async with commit_path(database_url, redis_url) as rival:
        yield rival


async def test_two_that_fight_over_a_level_go_in_turns_and_without_locks(path: CommitPath, rival: CommitPath) -> None:
    await _listening(path, rival)
    before = _batches(path, rival)
    await asyncio.gather(*(_sell(replica, "A", RACING // 2) for replica in (path, rival)))
    batches, conflicts, locked = (now - then for now, then in zip(_batches(path, rival), before, strict=True))
    assert path.writers.counters.turns + rival.writers.counters.turns > batches / 4
    assert conflicts + locked < batches / 2, f"{conflicts} conflicts and {locked} under locks in {batches} batches"
    assert await path.on_hand("A") == await path.scalar("select version from stock_level where sku = 'A'")
    assert await path.audit() == []


@pytest.mark.parametrize("broker", [True, False], ids=["with a broker", "without"])
async def test_one_that_is_alone_after_others_wrote_its_levels_meets_that_once(
    database_url: str, redis_url: str, broker: bool
) -> None:
    """Each level that it had remembered wrongly was a race lost, and eight batches under the locks."""
    url = redis_url if broker else NO_BROKER
    async with commit_path(database_url, url) as path, commit_path(database_url, url) as other:
        await path.add_catalog(SKUS, ["berlin"])
        for replica in (path, other):
            for sku in SKUS:
                await replica.writers.submit(operation(line(sku, "berlin", 1)))
        before = _batches(path)
        for sku in SKUS * 2:
            await path.writers.submit(operation(line(sku, "berlin", 1)))
        batches, conflicts, locked = (now - then for now, then in zip(_batches(path), before, strict=True))
        assert batches == 2 * len(SKUS)
        assert conflicts <= 1
        assert locked <= LOCKED_BATCHES
        assert await path.audit() == []


async def test_a_level_that_another_has_moved_costs_nothing_once_it_is_told(
    path: CommitPath, rival: CommitPath
) -> None:
    await _listening(path, rival)
    skus = SKUS[: UNUSED_MAX // 2]
    for sku in skus:
        await path.writers.submit(operation(line(sku, "berlin", 1)))
    conflicts = path.writers.counters.conflicts
    for sku in skus:
        await rival.writers.submit(operation(line(sku, "berlin", 1)))
    await _told(path, skus[-1], 2)
    for sku in skus:
        await path.writers.submit(operation(line(sku, "berlin", 1)))
    assert path.writers.counters.conflicts == conflicts


def test_a_race_that_is_lost_costs_the_levels_of_its_batch_where_the_others_are_heard() -> None:
    remembered = RememberedLevels()
    contention = Contention(remembered, Counters())
    contention.rivals = rivals = Rivals((NO_BROKER, "prefix"), A.shard, "us", str, contention)
    rivals.subscribed()
    remembered.keep({A: Stock(1, 0, 1), B: Stock(2, 0, 1)})
    locked = []
    for _ in range(2):
        contention.lost([A])
        assert remembered.of([A, B]) == {B: Stock(2, 0, 1)}
        locked.append(contention.locked)
    assert locked == [False, True], "twice in a row: hearing them does not help"
    rivals.unsubscribed()
    remembered.keep({A: Stock(1, 0, 1), B: Stock(2, 0, 1)})
    contention.lost([A])
    assert not remembered.of([A, B]), "nobody says what else has moved"


async def test_one_that_is_gone_is_waited_for_no_longer_because_a_third_commits() -> None:
    contention = Contention(RememberedLevels(), Counters())
    contention.lost([])
    for seq, by in enumerate(("third", "gone")):
        contention.heard(by, A.shard, seq, [])
    contention.committed(2)
    contention.took(10 * TURN_S_MAX)  # so that no pause of this process is taken for the end of a turn
    turn = asyncio.create_task(contention.turn())
    async with asyncio.timeout(PATIENCE_S):
        seq = 2
        while not turn.done():
            contention.heard("third", A.shard, seq := seq + 1, [])
            await asyncio.sleep(0)


async def test_what_the_broker_says_wrongly_is_never_written(path: CommitPath) -> None:
    """Right in its version and wrong in all else: a check of versions alone would let it pass."""
    first = (await path.writers.submit(operation(line("A", "berlin", 5)))).events[0]
    version = first["version"] + 1
    wrong = {"location": "berlin", "sku": "A", "on_hand": 1_000, "reserved": 0, "version": version, "view_version": 1}
    message = {"epoch": path.heads.epoch, "shard": A.shard, "first": 10_000, "writer": "nobody", "events": [wrong]}
    writer = path.writers._by_shard[A.shard]
    assert writer._contention.rivals
    writer._contention.rivals.message("", json.dumps(message).encode())
    assert writer.remembered.of([A])[A].on_hand == 1_000
    async with path.connected() as connection:
        await connection.execute("update stock_level set version = version + 1 where sku = 'A'")
    answer = await path.writers.submit(operation(line("A", "berlin", -1)))
    assert answer.events[0]["on_hand"] == first["on_hand"] - 1


async def _listening(*paths: CommitPath) -> None:
    """Until each has lost a race, and hears the others."""

    async def all_listen() -> bool:
        for path in paths:
            await path.writers.submit(operation(line("A", "berlin", 1)))
        return all(path.writers.listened_shards for path in paths)

    await wait_until(all_listen)


async def _told(path: CommitPath, sku: str, version: int) -> None:
    """Until it knows of ``version`` without having read it, or will read it: after 2 s of silence it forgets all."""
    key = key_of(line(sku, "berlin", 1))
    remembered = path.writers._by_shard[key.shard].remembered

    async def known() -> bool:
        return all(stock.version >= version for stock in remembered.of([key]).values())

    await wait_until(known)


async def _sell(path: CommitPath, sku: str, many: int) -> None:
    """By callers who send their next one as soon as they are answered."""
    upcoming = iter(range(many))

    async def caller() -> None:
        for _ in upcoming:
            await path.writers.submit(operation(line(sku, "berlin", 1)))

    await asyncio.gather(*(caller() for _ in range(CALLERS)))


def _batches(*paths: CommitPath) -> tuple[int, int, int]:
    """Of all of them: batches, races lost, batches under locks."""
    counters = [path.writers.counters for path in paths]
    return (
        sum(one.batches for one in counters),
        sum(one.conflicts for one in counters),
        sum(one.locked_batches for one in counters),
    )
