"""The ledger's HTTP API against a plain dictionary: every answer, number and version, at both of two replicas."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import ExitStack

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.harness.chance import ROUNDS
from tests.harness.system import Grounds, ResidentSystem, System
from tests.harness.waiting import PATIENCE_S
from tests.ledger.commit_path import commit_path
from tests.model.holding import BasketMachine
from tests.model.machine import OWNERS, ShopMachine
from tests.model.movements import LedgerMachine

EXAMPLES = 40 * ROUNDS
STEPS = 30
# Shrinking asks the servers thousands of times: a longer run has the time, the suite reports the example as found.
PHASES = tuple(phase for phase in Phase if phase is not Phase.shrink or ROUNDS > 1)

logger = logging.getLogger(__name__)


@pytest.fixture
def two_replicas(grounds: Grounds) -> Iterator[System]:
    with grounds.system(ResidentSystem, _two_ledgers) as system:
        yield system


async def _two_ledgers(system: System) -> None:
    await system.start(ledgers=2, hubs=0)


@pytest.mark.timeout(300 * ROUNDS)
@pytest.mark.parametrize("machine", [LedgerMachine, BasketMachine])
def test_two_replicas_answer_as_a_dictionary_would(two_replicas: System, machine: type[ShopMachine]) -> None:
    ShopMachine.answers.clear()
    ShopMachine.end_time_of[:] = [lambda hold: asyncio.run(_end_time_of(two_replicas, hold))]
    with ExitStack() as stack:
        for owner in OWNERS:
            key = asyncio.run(two_replicas.key(owner, "stock:read:*", "stock:write:*"))
            headers = {"Authorization": f"Bearer {key}"}
            ShopMachine.clients[owner] = [
                stack.enter_context(httpx.Client(base_url=url, headers=headers, timeout=PATIENCE_S, trust_env=False))
                for url in two_replicas.ledger_urls
            ]
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=EXAMPLES // 2,
                stateful_step_count=STEPS,
                deadline=None,
                phases=PHASES,
                suppress_health_check=[HealthCheck.too_slow],  # it speaks to real servers
            ),
        )
    logger.info("answers: %s", ShopMachine.answers)
    assert asyncio.run(_violations(two_replicas)) == []


async def _end_time_of(system: System, hold: str) -> None:
    connection = await asyncpg.connect(system.database_url)
    try:
        async with connection.transaction():
            for table, column in (("hold", "id"), ("hold_line", "hold")):
                pending = "state = 'pending'" if table == "hold" else "pending > 0"
                ended = f"update {table} set expires_at = now() - interval '1 s' where {column} = $1 and {pending}"
                await connection.execute(ended, hold)
    finally:
        await connection.close()


async def _violations(system: System) -> list[object]:
    async with commit_path(system.database_url) as path:
        return [*await path.audit()]
