"""One ledger process: how it starts, refuses to start, and stops."""

import asyncio
import socket
from pathlib import Path

import asyncpg
import httpx
import pytest

from ledger import migrations
from tests.conftest import StartLedger
from tests.harness.postgres import PostgresServer
from tests.harness.processes import ledger_process
from tests.harness.servers import Server, free_port
from tests.harness.system import System
from tests.harness.waiting import wait_until
from tests.ledger.api import Api, problem, receipt
from tests.ledger.held_rows import is_waiting, locked

pytestmark = pytest.mark.usefixtures("processes")

GOOD = {
    "STOCKWIRE_DATABASE_URL": "postgresql://127.0.0.1:1/nothing",
    "STOCKWIRE_REDIS_URL": "redis://127.0.0.1:1",
    "STOCKWIRE_TOKEN_SECRET": "x" * 32,
    "STOCKWIRE_BEHIND_PROXY": 1,
}


@pytest.mark.parametrize(
    ("name", "value"), [("STOCKWIRE_TOKEN_SECRET", "short"), ("STOCKWIRE_LEDGER_ADMIN_HOST", "192.0.2.1")]
)
async def test_a_setting_that_makes_no_sense_stops_the_start(tmp_path: Path, name: str, value: str) -> None:
    """One that is read, and one that is only tried; which they are, ``test_senseless_settings`` says."""
    await refuses(ledger_process("ledger", tmp_path, {**GOOD, name: value}), 78, name)


async def test_a_port_in_use_stops_the_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = {**GOOD, "STOCKWIRE_LEDGER_PORT": taken.getsockname()[1]}
        await refuses(ledger_process("ledger", tmp_path, settings), 78, "STOCKWIRE_LEDGER_PORT")


async def test_a_database_that_never_comes_stops_the_start(tmp_path: Path) -> None:
    settings = {**GOOD, "STOCKWIRE_LEDGER_DATABASE_WAIT_S": "0.3"}
    await refuses(ledger_process("ledger", tmp_path, settings), 69, "STOCKWIRE_DATABASE_URL")


async def test_a_database_that_was_contracted_for_later_versions_stops_the_start_at_once(
    tmp_path: Path, database_url: str
) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("update ledger_meta set bears = '9999', bears_version = '9.0.0'")
    await connection.close()
    settings = {**GOOD, "STOCKWIRE_DATABASE_URL": database_url, "STOCKWIRE_LEDGER_DATABASE_WAIT_S": "3600"}
    await refuses(ledger_process("old", tmp_path, settings), 69, "start 9.0.0 or later")


async def refuses(process: Server, status: int, named: str) -> None:
    """One line that names the setting."""
    process.launch()
    assert await process.wait() == status
    last = process.stderr().splitlines()[-1]
    assert last.startswith("stockwire: ")
    assert named in last
    assert "Traceback" not in process.stderr()


async def test_before_the_database_is_there_it_says_so_and_then_starts(
    tmp_path: Path, system: System, empty_database_url: str
) -> None:
    port = free_port()
    settings = {**GOOD, "STOCKWIRE_DATABASE_URL": empty_database_url, "STOCKWIRE_LEDGER_PORT": port}
    process = ledger_process("early", tmp_path, {**settings, "STOCKWIRE_REDIS_URL": system.redis_url})
    process.launch()
    try:
        async with Api(f"http://127.0.0.1:{port}", "sw_nothing") as api:

            async def waits() -> bool:
                answer = await api.get("/readyz")
                return answer.status_code == 503 and "stockwire migrate" in answer.json()["detail"]

            await wait_until(waits, swallow=httpx.TransportError)
            assert (await api.get("/healthz")).is_success
            answer = await api.post("/v1/movements", receipt("berlin", "A", 1), headers={"Idempotency-Key": "a"})
            assert problem(answer) == (503, "unavailable")
            await migrations.expand(empty_database_url)
            await process.await_ready()
            assert (await api.get("/readyz")).is_success
    finally:
        assert await process.stop() == 0


async def test_sigterm_while_waiting_for_the_database_ends_it(tmp_path: Path) -> None:
    process = ledger_process("early", tmp_path, GOOD)
    process.launch()

    async def waits() -> bool:
        return "waiting for the database until=" in process.stderr()

    await wait_until(waits)
    process.terminate()
    assert await process.wait() == 0


@pytest.mark.usefixtures("patient_commits")
async def test_sigterm_finishes_what_was_taken(
    start_ledger: StartLedger, system: System, postgres: PostgresServer
) -> None:
    """A commit that waits for a row lock has been taken: it is answered before the process ends."""
    answer = await moved_by_one_that_ends(await start_ledger(), system, postgres)
    assert answer.status_code == 201


async def moved_by_one_that_ends(ledger: Server, system: System, postgres: PostgresServer) -> httpx.Response:
    async with Api(ledger.url, await system.admin_key()) as api:
        await api.stock("berlin", "A", 1)
        async with locked(system.database_url):
            sale = asyncio.create_task(api.move(receipt("berlin", "A", 1)))
            await wait_until(lambda: is_waiting(postgres, system.database_url))
            ledger.terminate()

            async def closed() -> bool:
                with socket.socket() as probe:
                    return probe.connect_ex((api.client.base_url.host, api.client.base_url.port or 0)) != 0

            await wait_until(closed)
        answer = await sale
    assert await ledger.wait() == 0
    return answer
