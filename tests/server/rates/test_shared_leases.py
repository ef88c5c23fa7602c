"""One owner's limit over several processes, on a virtual clock: the library's counter in memory stands for Redis."""

import asyncio
import logging
from types import SimpleNamespace

import pytest
from limits.aio.storage import MemoryStorage, memory

from server.rates.allowance import Policy
from server.rates.rate_limits import AGAIN_S, LATE_S, RENEW_DEADLINE_S, RateLimits
from tests.simulation.loop import on_virtual_clock

RATES = [20, 200]
ANSWER_S = 0.003
PAUSE = 0.4
"""Between two requests of a caller, as a part of what the limit allows: it offers more."""
SHARE_MIN = 0.9
LASTS_S = 10.0


@pytest.fixture(autouse=True)
def _time_of_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the library, which looks at the clock by itself."""

    def now() -> float:
        return asyncio.get_running_loop().time()

    monkeypatch.setattr(memory, "time", SimpleNamespace(time=now))
    monkeypatch.setattr("limits.aio.strategies.time", SimpleNamespace(time=now))


class Counts(MemoryStorage):
    """``away``: asked, it does not answer. ``asked``: how often somebody wanted to count."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.asked = 0

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        self.asked += 1
        await asyncio.sleep(3600 if self.away else ANSWER_S)
        return await super().acquire_sliding_window_entry(key, limit, expiry, amount)


class Process:
    """Of a ledger or hub, with one owner's requests. ``taken``: how many it has answered."""

    def __init__(self, rate: float, counts: Counts) -> None:
        loop = asyncio.get_running_loop()
        self.limits = RateLimits(rate, "redis://127.0.0.1:1", "test", "ledger", loop.time)
        self.taken = 0
        self._running = asyncio.create_task(self.limits.lease_from(counts))

    def is_shared(self) -> bool:
        return self.limits.shared

    async def call(self, seconds: float) -> None:
        """Requests without end, for so long."""
        loop = asyncio.get_running_loop()
        ends, allowance = loop.time() + seconds, self.limits.allowance("owner")
        assert allowance is not None
        while loop.time() < ends:
            self.taken += not self.limits.take(allowance)
            await asyncio.sleep(PAUSE / allowance.policy.per_second)


async def taken_by(processes: list[Process], seconds: float) -> int:
    before = sum(process.taken for process in processes)
    await asyncio.gather(*(process.call(seconds) for process in processes))
    return sum(process.taken for process in processes) - before


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("number", [1, 2, 5])
@on_virtual_clock
async def test_processes_share_one_owners_limit_and_take_nothing_of_it_away(rate: int, number: int) -> None:
    policy, counts = Policy(rate), Counts()
    processes = [Process(rate, counts) for _ in range(number)]
    taken = await taken_by(processes, LASTS_S)
    allowed = policy.quota + rate * LASTS_S
    assert taken <= allowed + number * policy.overshoot
    assert taken >= SHARE_MIN * rate * LASTS_S
    later = await taken_by(processes, LASTS_S)
    assert SHARE_MIN * rate * LASTS_S <= later <= rate * LASTS_S * 1.05 + policy.quota, "no burst without a rest"
    assert all(process.is_shared() and process.limits.counters.leases for process in processes)


@pytest.mark.parametrize("rate", RATES)
@on_virtual_clock
async def test_while_redis_does_not_answer_the_limit_is_local_and_not_absent(
    rate: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "server.rates.rate_limits")
    counts = Counts()
    process = Process(rate, counts)
    await taken_by([process], 1.0)
    counts.away = True
    await taken_by([process], LATE_S + RENEW_DEADLINE_S + 0.5)
    assert not process.is_shared()
    asked, failed = counts.asked, process.limits.counters.failed
    taken = await taken_by([process], LASTS_S)
    assert SHARE_MIN * rate * LASTS_S <= taken <= Policy(rate).quota + rate * LASTS_S + 1
    assert failed >= 1
    assert counts.asked - asked <= LASTS_S / AGAIN_S + 1, "Redis is asked no oftener while it is away"
    counts.away = False
    await taken_by([process], AGAIN_S + RENEW_DEADLINE_S + 0.1)
    assert process.is_shared()
    leases = process.limits.counters.leases
    await taken_by([process], 3.0)
    assert process.limits.counters.leases > leases
    said = [record.getMessage() for record in caplog.records]
    assert ["local" in line for line in said] == [True, False], said


@on_virtual_clock
async def test_a_redis_that_is_late_holds_up_nobody_who_has_tokens_of_its_own() -> None:
    """After ``LATE_S`` and not only when it is given up: more is sent until then than is taken on credit."""
    rate, counts = 1_000, Counts()
    process = Process(rate, counts)
    await process.call(5.0)
    counts.away, before = True, process.taken
    await asyncio.gather(*(process.call(RENEW_DEADLINE_S) for _ in range(4)))
    credit = 2 * Policy(rate).overshoot
    assert process.taken - before > max(credit, SHARE_MIN * rate * (RENEW_DEADLINE_S - 2 * LATE_S))
