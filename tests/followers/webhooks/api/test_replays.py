"""Where in a shard a moment is: found with a few looks, whatever the log is like."""

import random
from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from followers.webhooks.api.replays import first_from

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
EVENTS = 200_000
LOOKS_MAX = 2 * EVENTS.bit_length()


def evenly() -> list[float]:
    return [at * 10.0 for at in range(EVENTS)]


def by_day() -> list[float]:
    """Nothing at night."""
    return [at // 10_000 * 86_400 + at % 10_000 * 3.0 for at in range(EVENTS)]


def all_at_the_end() -> list[float]:
    """A shop that was opened years ago, and a launch today."""
    return [at * 1e-3 + (0 if at < 10 else 1e8) for at in range(EVENTS)]


def at_once() -> list[float]:
    return [at // 50_000 * 1.0 for at in range(EVENTS)]


async def looks_for(seconds: Sequence[float], moment_s: float, low: int = 1) -> int:
    """How many it takes; what is found is held to halving."""
    looks = 0

    async def read(after: int, limit: int) -> list[tuple[int, datetime]]:
        nonlocal looks
        looks += 1
        seqs = range(after + 1, min(after + limit, len(seconds)) + 1)
        return [(seq, BEGAN + timedelta(seconds=seconds[seq - 1])) for seq in seqs]

    found = await first_from(read, low, len(seconds), BEGAN + timedelta(seconds=moment_s))
    assert found == max(low, bisect_left(seconds, moment_s) + 1), moment_s
    return looks


@pytest.mark.parametrize("log", [evenly, by_day, all_at_the_end, at_once], ids=lambda log: log.__name__)
async def test_a_moment_is_found_with_a_bounded_number_of_looks(log: object) -> None:
    assert callable(log)
    seconds = log()
    chance = random.Random(5)
    moments = [-1.0, 0.0, seconds[-1], seconds[-1] + 1, *(chance.choice(seconds) for _ in range(50))]
    looks = [await looks_for(seconds, moment) for moment in moments]
    assert max(looks) <= LOOKS_MAX
    if log is evenly:
        assert sorted(looks)[len(looks) // 2] <= 4
    for moment in moments:
        await looks_for(seconds, moment, low=EVENTS // 2)


async def test_of_no_events_none_is_looked_at() -> None:
    assert await looks_for([], 1.0) == 0
