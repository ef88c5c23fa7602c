"""A ledger that stops: what it says meanwhile, and that it leaves nothing behind."""

import asyncio

import httpx

from tests.conftest import StartLedger
from tests.harness.postgres import PostgresServer
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.ledger.api import Api, receipt
from tests.ledger.held_rows import database_of, is_waiting, locked

LOCKED_S = 8.0
"""With ``patient_commits`` a ledger waits for rows for 10 s."""


async def test_a_ledger_that_still_answers_while_it_stops_is_not_ready(
    start_ledger: StartLedger, system: System, postgres: PostgresServer, patient_commits: None
) -> None:
    """Or a balancer would send it what it no longer takes."""
    ledger = await start_ledger()
    async with (
        Api(ledger.url, await system.admin_key()) as api,
        httpx.AsyncClient(trust_env=False, verify=False, timeout=PATIENCE_S) as probe,
    ):
        await api.stock("berlin", "A", 1)
        assert (await probe.get(f"{ledger.admin}/readyz")).status_code == 200
        async with locked(system.database_url):
            sale = asyncio.create_task(api.move(receipt("berlin", "A", 1)))
            await wait_until(lambda: is_waiting(postgres, system.database_url), PATIENCE_S)
            ledger.terminate()

            async def refusal() -> httpx.Response | None:
                answer = await probe.get(f"{ledger.admin}/readyz")
                return answer if answer.status_code == 503 else None

            refused = await wait_until(refusal, LOCKED_S, swallow=httpx.HTTPError)
        assert (await sale).status_code == 201
    assert refused is not None
    assert refused.json()["detail"] == "the ledger is stopping"
    assert await ledger.wait() == 0


async def test_a_ledger_that_was_away_while_the_database_was_contracted_stops_and_says_what_to_start(
    start_ledger: StartLedger, system: System, postgres: PostgresServer
) -> None:
    """It could only ask for a connection again and again, and none of its answers would be another one."""
    ledger = await start_ledger()
    async with Api(ledger.url, await system.admin_key()) as api:
        await api.stock("berlin", "A", 1)
    database = database_of(system.database_url)
    await postgres.query("update ledger_meta set bears = '9999', bears_version = '9.0.0'", database)
    await postgres.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", "postgres", database
    )
    assert await ledger.wait() != 0
    assert "start 9.0.0 or later" in ledger.stderr().splitlines()[-1]
    assert "Traceback" not in ledger.stderr()


async def test_a_ledger_that_has_stopped_has_no_connection_to_the_database(
    start_ledger: StartLedger, system: System, postgres: PostgresServer
) -> None:
    """Both its pools are closed: PostgreSQL has few places, and a ledger that is restarted needs its own again."""
    ledger = await start_ledger()
    async with Api(ledger.url, await system.admin_key()) as api:
        await api.stock("berlin", "A", 1)
    connected = "select 1 from pg_stat_activity where datname = $1 and application_name like 'stockwire ledger%'"

    async def connections() -> int:
        return len(await postgres.query(connected, "postgres", database_of(system.database_url)))

    assert await connections() > 1
    assert await ledger.stop() == 0

    async def none() -> bool:
        return await connections() == 0

    await wait_until(none)  # a backend is a moment late to end
