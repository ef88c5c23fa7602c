"""Who may not come in, even when the broker has told nobody."""

import asyncio

import httpx
from sqlalchemy import text

from ledger.database.engine import create_engine
from tests.conftest import StartSystem
from tests.harness.api_keys import make_token
from tests.harness.metrics import await_metric
from tests.harness.postgres import PATIENT
from tests.harness.stream import open_stream
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S


async def test_a_revocation_that_the_broker_never_told_of_ends_what_is_open(start_system: StartSystem) -> None:
    """Within 5 s, which ``test_key_checks`` judges on a virtual clock."""
    system = await start_system(ledgers=2, hubs=1)
    hub, told = system.hubs[0], "stock:read:berlin"
    key = await system.key("leaver", told)
    token = make_token(told, key=key.split("_")[1])
    watchers = await system.key("watcher", told)  # of nothing but an event stream: it is asked about for that alone
    headers = {"Authorization": f"Bearer {watchers}"}
    async with (
        httpx.AsyncClient(trust_env=False, verify=False, timeout=PATIENCE_S) as http,
        open_stream(hub.stream, key) as by_key,
        open_stream(hub.stream, token) as by_token,
        open_stream(hub.stream, make_token(told)) as stays,
        http.stream("GET", f"{hub.ready['read']}/v1/levels/stream?location=berlin", headers=headers) as events,
    ):
        assert events.status_code == 200
        await revoke_behind_everybodys_back(system, key)
        await revoke_behind_everybodys_back(system, watchers)
        assert await by_key.closed(PATIENCE_S) == 4001
        assert await by_token.closed(PATIENCE_S) == 4001
        assert '"code":4001' in (await events.aread()).decode()
        await stays.subscribe("berlin", ["A"])


async def test_a_request_that_waits_ends_when_its_key_is_revoked(start_system: StartSystem) -> None:
    """Within 5 s, which ``tests/ledger/feed/test_long_polls.py`` judges on a virtual clock."""
    system = await start_system(ledgers=1, hubs=0)
    key = await system.key("connector", "feed")
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=PATIENCE_S) as http:
        head = {"Authorization": f"Bearer {key}"}
        waiting = asyncio.create_task(http.get(f"{system.ledger_url}/v1/events?shard=0&after=0&wait=30", headers=head))
        await await_metric(system.ledgers[0], "stockwire_ledger_long_polls", 1)
        await revoke_behind_everybodys_back(system, key)
        assert (await waiting).status_code == 401


async def revoke_behind_everybodys_back(system: System, key: str) -> None:
    """As another ledger does whose message to the broker is lost."""
    engine = create_engine(system.database_url, pool_size=1, settings=PATIENT)
    async with engine.begin() as connection:
        values = {"id": key.split("_")[1]}
        await connection.execute(text("update api_key set revoked_at = now() where id = :id"), values)
    await engine.dispose()


async def test_a_key_that_may_read_no_stock_is_told_so_and_does_not_come_back(stockwire_system: System) -> None:
    key = await stockwire_system.key("connector", "feed", "stock:write:berlin")
    async with open_stream(stockwire_system.stream_urls[0]) as stream:
        await stream.request("connect", token=key)
        assert await stream.closed() == 4003
        assert stream.seen[-1]["reconnect"] is False


async def test_a_token_of_a_key_revoked_before_the_hub_started_is_refused(start_system: StartSystem) -> None:
    system = await start_system(hubs=0)
    key = await system.key("reader", "stock:read:berlin")
    key_id = key.split("_")[1]
    await revoke_behind_everybodys_back(system, key)
    hub = await system.start_hub()
    for bad in (make_token("stock:read:berlin", key=key_id), make_token("stock:read:berlin", key="never"), key):
        async with open_stream(hub.stream) as stream:
            await stream.request("connect", token=bad)
            assert await stream.closed() == 4001


async def test_a_token_is_taken_while_no_ledger_answers(start_system: StartSystem) -> None:
    """It proves by itself who it is for: a storefront comes back although the ledger is away."""
    system = await start_system(hubs=1)
    await system.ledgers[0].stop()
    async with open_stream(system.stream_urls[0]) as stream:
        await stream.authenticate(make_token("stock:read:berlin"))
