"""What ledgers remember of keys and locations, and hubs of keys."""

import asyncio

from server.lookups import Lookups
from server.problems import Unavailable


class Source:
    """Counts and can hold back the reads."""

    def __init__(self) -> None:
        self.reads: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.error: Exception | None = None

    async def load(self, key: str) -> int:
        self.reads.append(key)
        await self.gate.wait()
        if self.error:
            raise self.error
        return len(self.reads)


def for_5_s(_: int) -> float:
    return 5


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_an_answer_is_kept_for_its_time() -> None:
    source, clock = Source(), Clock()
    lookups = Lookups(source.load, entries_max=10, keep_s=for_5_s, clock=clock)
    assert [await lookups.get("a") for _ in range(3)] == [1, 1, 1]
    clock.now = 5
    assert await lookups.get("a") == 2


async def test_the_least_recently_used_goes_first() -> None:
    source = Source()
    lookups = Lookups(source.load, entries_max=2, keep_s=for_5_s)
    for key in ("a", "b", "a", "c", "a", "b"):
        await lookups.get(key)
    assert source.reads == ["a", "b", "c", "b"]


async def test_a_crowd_that_misses_costs_one_read() -> None:
    source = Source()
    source.gate.clear()
    lookups = Lookups(source.load, entries_max=2, keep_s=for_5_s)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(lookups.get("a")) for _ in range(50)]
        await asyncio.sleep(0)
        source.gate.set()
    assert {task.result() for task in tasks} == {1}
    assert source.reads == ["a"]


async def test_a_failure_reaches_the_crowd_and_is_not_kept() -> None:
    source = Source()
    source.gate.clear()
    source.error = Unavailable("away")
    lookups = Lookups(source.load, entries_max=2, keep_s=for_5_s)
    tasks = [asyncio.create_task(lookups.get("a")) for _ in range(5)]
    await asyncio.sleep(0)
    source.gate.set()
    assert await asyncio.gather(*tasks, return_exceptions=True) == [source.error] * 5
    assert source.reads == ["a"]
    source.error = None
    assert await lookups.get("a") == 2


async def test_a_reader_that_is_cancelled_leaves_the_work_to_the_next() -> None:
    source = Source()
    source.gate.clear()
    lookups = Lookups(source.load, entries_max=2, keep_s=for_5_s)
    first, second = asyncio.create_task(lookups.get("a")), asyncio.create_task(lookups.get("a"))
    await asyncio.sleep(0)
    first.cancel()
    source.gate.set()
    assert await second == 2
    assert first.cancelled()


async def test_what_was_forgotten_while_it_was_read_is_not_kept() -> None:
    """A revocation between the read and its answer."""
    source = Source()
    source.gate.clear()
    lookups = Lookups(source.load, entries_max=2, keep_s=for_5_s)
    first = asyncio.create_task(lookups.get("a"))
    await asyncio.sleep(0)
    lookups.forget("a")
    source.gate.set()
    await first
    assert await lookups.get("a") == 2
