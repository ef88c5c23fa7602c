"""Two ledger processes that go in turns over one level: one that stops answering is waited for once."""

import asyncio
import secrets
from collections import Counter

import httpx
import pytest

from tests.faults.replicas import add_catalog, line, move, replicas, settled
from tests.harness.metrics import metric_of
from tests.harness.servers import Server
from tests.harness.system import ProcessSystem
from tests.harness.waiting import wait_until
from tests.ledger.commit_path import commit_path

pytestmark = pytest.mark.usefixtures("processes")

CALLERS = 8
"""Of each ledger."""
STOCK, FURTHER = 100_000, 300
MISSED_MAX = 2
"""One for the turn that the stopped one does not take, and one for a batch that is told after it was stopped."""


class Till:
    """Sells one unit after the other at one ledger, until ``closed``."""

    def __init__(self, ledger: httpx.AsyncClient) -> None:
        self.closed = False
        self.answers: Counter[int] = Counter()
        self._ledger = ledger

    async def run(self) -> None:
        await asyncio.gather(*(self._sell() for _ in range(CALLERS)))

    async def _sell(self) -> None:
        while not self.closed:
            answer, _ = await settled(self._ledger, secrets.token_hex(8), line("A", -1))
            self.answers[answer.status_code] += 1


async def test_a_ledger_that_is_stopped_in_a_race_holds_up_the_other_once(system: ProcessSystem) -> None:
    one, other = await asyncio.gather(*(system.start_ledger() for _ in range(2)))
    async with replicas(system) as ledgers:
        await add_catalog(ledgers[0], ["A"], ["berlin"])
        (await move(ledgers[0], "stock", line("A", STOCK))).raise_for_status()
        tills = [Till(ledger) for ledger in ledgers]
        selling = [asyncio.create_task(till.run()) for till in tills]
        await wait_until(lambda: _take_turns(one, other))
        other.pause()
        try:
            missed, sold = await _missed(one), tills[0].answers[201]
            await wait_until(lambda: _reached(tills[0], sold + FURTHER))
            assert await _missed(one) - missed <= MISSED_MAX
        finally:
            other.resume()
        sold = tills[1].answers[201]
        await wait_until(lambda: _reached(tills[1], sold + FURTHER))
        for till in tills:
            till.closed = True
        await asyncio.gather(*selling)
    answers = tills[0].answers + tills[1].answers
    assert answers.keys() == {201}
    async with commit_path(system.database_url) as path:
        assert await path.on_hand("A") == STOCK - answers[201]
        assert await path.audit() == []


async def _take_turns(*ledgers: Server) -> bool:
    return all([await metric_of(ledger, "stockwire_ledger_turns_total") > 0 for ledger in ledgers])


async def _missed(ledger: Server) -> float:
    return await metric_of(ledger, "stockwire_ledger_missed_turns_total")


async def _reached(till: Till, sold: int) -> bool:
    return till.answers[201] >= sold
