"""An older database behind a running system: everybody notices, drops what they hold, and agrees again."""

import asyncio
import logging

import httpx
import pytest

from stockwire import AsyncClient
from tests.faults.replicas import add_catalog, metric, replicas
from tests.faults.watcher import Figures, Watcher, await_agreement, watching_hub
from tests.harness.postgres import PostgresServer
from tests.harness.system import ProcessSystem
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.ledger.commit_path import commit_path

pytestmark = pytest.mark.usefixtures("processes")

logger = logging.getLogger(__name__)

SKUS = [f"S{number}" for number in range(20)]


async def test_hubs_and_clients_agree_with_a_restored_older_database(
    private_postgres: PostgresServer, private_system: ProcessSystem
) -> None:
    system = await private_system.start(ledgers=2, hubs=2)
    key = await system.admin_key()
    async with replicas(system) as ledgers, AsyncClient(system.ledger_url, key, max_retries=50) as client:
        await add_catalog(ledgers[0], SKUS, ["berlin"])
        await _receive(client, 10)
        await asyncio.to_thread(private_postgres.save, "older")
        await asyncio.to_thread(private_postgres.start)
        await _until_ready(system)
        async with (
            watching_hub(system.stream_urls[0], key, "berlin") as whole,
            watching_hub(system.stream_urls[1], key, "berlin", SKUS[:5]) as some,
            watching_hub(system.stream_urls[1], key, "*") as everything,
        ):
            for _ in range(5):
                await _receive(client, 1)
            await await_agreement(client, "berlin", [whole, everything])
            before = whole.subscription.view.position
            await asyncio.to_thread(private_postgres.restore, "older")
            await asyncio.to_thread(private_postgres.start)
            await _until_ready(system)
            await client.stock.sell("S0", "berlin", 3)
            await await_agreement(client, "berlin", [whole, everything])
            await _await_figures(some, whole.figures["berlin", "S0"])
            assert whole.figures["berlin", "S0"][:2] == (2, 7)
            assert whole.figures["berlin", "S1"][:2] == (1, 10)
            after = whole.subscription.view.position
    assert before is not None
    assert after is not None
    assert before.epoch != after.epoch
    logger.info("epoch %s seq %s became %s seq %s", before.epoch, before.seq, after.epoch, after.seq)
    assert await metric(system, "stockwire_ledger_history_rewritten_total") >= 1
    async with commit_path(system.database_url) as path:
        assert await path.audit() == []


async def _receive(client: AsyncClient, units: int) -> None:
    for sku in SKUS:
        await client.stock.receive(sku, "berlin", units)


async def _await_figures(watcher: Watcher, figures: Figures) -> None:
    """Of S0 at berlin."""

    async def shown() -> bool:
        return watcher.figures.get(("berlin", "S0")) == figures

    await wait_until(shown, what=f"S0 at berlin is {figures}")


async def _until_ready(system: ProcessSystem) -> None:
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=PATIENCE_S) as http:

        async def ready() -> bool:
            answers = [await http.get(f"{url}/readyz") for url in system.ledger_urls]
            return all(answer.status_code == 200 for answer in answers)

        await wait_until(ready, what="the ledgers are ready", swallow=httpx.HTTPError)
