"""A launch: everybody wants the same few units, on every replica at once."""

import asyncio
import logging
import secrets
from collections import Counter

import httpx
import pytest

from stockwire import AsyncClient
from tests.faults.replicas import add_catalog, line, metric, move, replicas, settled
from tests.faults.watcher import await_agreement, watching_hub
from tests.harness.size import SIZE
from tests.harness.system import ProcessSystem
from tests.ledger.commit_path import commit_path

pytestmark = [pytest.mark.timeout(SIZE.timeout_s), pytest.mark.usefixtures("campaign")]

logger = logging.getLogger(__name__)

UNITS = 2 * SIZE.of(25)
BUYERS = 4 * UNITS
TWINS = SIZE.of(1_000)
PAIRS_AT_ONCE = 40


async def test_four_buyers_for_each_unit_on_two_replicas(system: ProcessSystem) -> None:
    await system.start(ledgers=2, hubs=2)
    key = await system.admin_key()
    async with replicas(system) as ledgers, AsyncClient(system.ledger_url, key) as client:
        await add_catalog(ledgers[0], ["ticket"], ["berlin"])
        # Half came in at each replica, so what the first one remembers of the level is old when the sale begins.
        for number, ledger in enumerate(ledgers):
            (await move(ledger, f"delivery-{number}", line("ticket", UNITS // 2))).raise_for_status()
        async with (
            watching_hub(system.stream_urls[0], key, "berlin", ["ticket"]) as first,
            watching_hub(system.stream_urls[1], key, "berlin") as second,
        ):
            bought = await asyncio.gather(
                *(settled(ledgers[buyer % 2], secrets.token_hex(8), line("ticket", -1)) for buyer in range(BUYERS))
            )
            await await_agreement(client, "berlin", [first, second])
            assert first.figures["berlin", "ticket"][1] == 0
    answers = [answer for answer, _ in bought]
    assert Counter(answer.status_code for answer in answers) == {201: UNITS, 409: BUYERS - UNITS}
    refusals = [answer.json() for answer in answers if answer.status_code == 409]
    assert {(refusal["type"], refusal["available"]) for refusal in refusals} == {("insufficient-stock", 0)}
    conflicts = await metric(system, "stockwire_ledger_conflicts_total")
    assert conflicts > 0, "without a race this proved nothing"
    logger.info("%d sold, %d refused, %d version conflicts", UNITS, len(refusals), conflicts)
    async with commit_path(system.database_url) as path:
        assert await path.audit() == []


async def test_the_same_key_to_two_replicas_at_once_again_and_again(system: ProcessSystem) -> None:
    await asyncio.gather(system.start_ledger(), system.start_ledger())
    async with replicas(system) as ledgers:
        await add_catalog(ledgers[0], ["twin", "other"], ["berlin"])
        (await move(ledgers[0], "stock", line("twin", 10 * TWINS))).raise_for_status()
        limit = asyncio.Semaphore(PAIRS_AT_ONCE)
        answers = await asyncio.gather(*(_twins(ledgers, limit, number) for number in range(TWINS)))
        for (first, first_again), (second, second_again), (neighbour, neighbour_again) in answers:
            assert (first.status_code, second.status_code, neighbour.status_code) == (201, 201, 201)
            assert first.json() == second.json()
            replays = ["idempotency-replayed" in answer.headers for answer in (first, second, neighbour)]
            assert replays[:2].count(False) <= 1
            assert replays[:2].count(False) == 1 or first_again or second_again
            assert not replays[2] or neighbour_again
    async with commit_path(system.database_url) as path:
        assert await path.on_hand("twin", "berlin") == 9 * TWINS
        assert await path.on_hand("other", "berlin") == TWINS
        logger.info("%d keys sent to two replicas at once: one effect each, %d neighbours stand", TWINS, TWINS)
        assert await path.audit() == []


async def _twins(
    ledgers: list[httpx.AsyncClient], limit: asyncio.Semaphore, number: int
) -> list[tuple[httpx.Response, bool]]:
    """The same key on both replicas, and a neighbour beside them."""
    async with limit:
        return await asyncio.gather(
            *(settled(ledger, f"twin-{number}", line("twin", -1)) for ledger in ledgers),
            settled(ledgers[number % 2], f"other-{number}", line("other", 1)),
        )
