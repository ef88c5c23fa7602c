"""Problems that only show when something is broken or held up on purpose, seen from outside."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from ledger.commit.operation import operation_id
from ledger.feed.long_polls import LongPolls
from server.problems import Overloaded
from tests.conftest import StartLedger
from tests.harness.postgres import PostgresServer
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.ledger.api import Api, problem, receipt
from tests.ledger.held_rows import database_of, is_waiting, locked

A_KEY_IN_FLIGHT = """
    insert into operation (id, owner, key, request_hash, lines, shards, first_seqs, events, committed_at)
    values ($1, 'admin', 'k', '', '[]', '{}', '{}', '{}', now())
"""
OURS = "from pg_stat_activity where datname = $1 and application_name like 'stockwire ledger%'"
KILL = f"select pg_terminate_backend(pid) {OURS}"


@asynccontextmanager
async def connected_to(postgres: PostgresServer) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(postgres.url("postgres"))
    try:
        yield connection
    finally:
        await connection.close()


async def test_a_key_that_another_ledger_is_working_on_answers_in_flight_and_its_neighbour_goes_through(
    start_ledger: StartLedger, system: System
) -> None:
    ledger = await start_ledger()
    async with Api(ledger.url, await system.admin_key()) as api:
        await api.stock("berlin", "A")
        async with locked(system.database_url, A_KEY_IN_FLIGHT, operation_id("admin", "k")):
            held, neighbour = await asyncio.gather(
                api.move(receipt("berlin", "A", 1), "k"), api.move(receipt("berlin", "A", 1))
            )
        assert problem(held) == (409, "idempotency-in-flight")
        assert neighbour.status_code == 201
        assert (await api.move(receipt("berlin", "A", 1), "k")).status_code == 201
        assert (await api.get("/v1/levels/berlin/A")).json()["on_hand"] == 2


async def test_a_connection_lost_during_the_commit_is_an_unknown_outcome_that_the_same_key_settles(
    start_ledger: StartLedger, system: System, postgres: PostgresServer
) -> None:
    ledger = await start_ledger()
    database = database_of(system.database_url)
    async with (
        Api(ledger.url, await system.admin_key()) as api,
        connected_to(postgres) as above,  # before the commit, which does not wait for long
    ):
        await api.stock("berlin", "A", 1)
        async with locked(system.database_url, "select from shard for update"):
            moving = asyncio.create_task(api.move(receipt("berlin", "A", 1), "k"))
            await wait_until(lambda: above.fetch(f"select 1 {OURS} and wait_event_type = 'Lock'", database))
            await above.execute(f'alter database "{database}" allow_connections false')
            await above.fetch(f"{KILL} and wait_event_type = 'Lock'", database)
            await above.fetch(KILL, database)
            answer = await moving
        assert problem(answer) == (503, "outcome-unknown")
        await above.execute(f'alter database "{database}" allow_connections true')
        # The first read on a connection that died meanwhile is one more 503.
        await wait_until(lambda: is_ready(api))
        assert (await api.move(receipt("berlin", "A", 1), "k")).status_code == 201
        assert (await api.get("/v1/levels/berlin/A")).json()["on_hand"] == 2


async def is_ready(api: Api) -> bool:
    return (await api.get("/readyz")).is_success


async def test_more_than_the_queue_holds_is_refused_at_once_and_the_rest_goes_through(
    start_ledger: StartLedger, system: System, postgres: PostgresServer
) -> None:
    ledger = await start_ledger()
    async with Api(ledger.url, await system.admin_key()) as api:
        await api.stock("berlin", "A", 1)
        thousand = {"lines": [receipt("berlin", "A", 1)] * 1000}
        async with locked(system.database_url):
            first = asyncio.create_task(api.move(receipt("berlin", "A", 1)))
            await wait_until(lambda: is_waiting(postgres, system.database_url))
            crowd = [asyncio.create_task(api.move(thousand)) for _ in range(22)]
            done, _ = await asyncio.wait(crowd, return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE_S)
            refused = next(iter(done)).result()
            assert problem(refused) == (503, "overloaded")
            assert refused.json()["queued_lines"] > 19_000
        answers = [task.result() for task in (await asyncio.wait([first, *crowd]))[0]]
        taken = [answer for answer in answers if answer.status_code == 201]
        assert len(taken) >= 20
        assert {problem(answer)[0] for answer in answers if answer.is_error} == {503}
        on_hand = (await api.get("/v1/levels/berlin/A")).json()["on_hand"]
        assert on_hand == 1 + sum(answer.json()["events"][0]["on_hand_delta"] for answer in taken)


async def test_long_polls_are_bounded() -> None:
    polls, never = LongPolls(polls_max=1), asyncio.Event()

    async def forever() -> None:
        await never.wait()

    first = asyncio.create_task(polls.wait(forever(), forever()))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await polls.wait(forever(), forever())
    polls.close()
    assert await first is False
    assert polls.open == 0


async def test_a_key_is_not_spent_by_what_was_never_decided(start_ledger: StartLedger, system: System) -> None:
    """400, 401, 403, 404, 422, 429 and 503 leave no trace under the key."""
    ledger = await start_ledger()
    key = secrets.token_hex(8)
    narrow = await system.key("admin", "stock:write:elsewhere")
    async with Api(ledger.url, await system.admin_key()) as api, Api(ledger.url, narrow) as other:
        tries = [
            await api.send("POST", "/v1/movements", content=b"{", headers={"Idempotency-Key": key}),
            await api.move(receipt("berlin", "A", 0), key),
            await other.move(receipt("berlin", "A", 1), key),
            await api.move(receipt("berlin", "A", 1), key),
        ]
        assert [answer.status_code for answer in tries] == [400, 422, 403, 404]
        await api.stock("berlin", "A")
        answer = await api.move(receipt("berlin", "A", 5), key)
        assert (answer.status_code, answer.headers.get("idempotency-replayed")) == (201, None)
