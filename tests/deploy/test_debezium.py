"""Debezium, the real one, reads by what we set up for it what the feed tells, event for event; and a slot that it has
left behind is told of before the disk is full."""

import asyncio
import logging
import random
import re
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli import cdc
from cli.checks.slots import slots
from cli.findings import FindingState
from cli.launch import Watchdog
from ledger import migrations
from tests.deploy.debezium.reader import Reader, written
from tests.deploy.debezium.running import NAME, RunningEngine
from tests.deploy.observe.rules import alerts
from tests.harness.postgres import PostgresServer, run_apart
from tests.harness.prometheus import prometheus
from tests.harness.proxy import proxy_to_socket
from tests.harness.size import SIZE
from tests.harness.system import ResidentSystem
from tests.harness.valkey import ValkeyServer
from tests.harness.waiting import wait_until
from tests.ledger.api import Api, receipt
from tests.wire.streams.attributes import change

pytestmark = [pytest.mark.usefixtures("processes", "sized"), pytest.mark.timeout(SIZE.timeout_s)]

WHOLE = SIZE.share >= 1
EVENTS = SIZE.of(100_000) if WHOLE else 500
"""Far less than a fifth in an ordinary run: a round of faults is the point, and each event is read in the same way."""
ROUNDS = 5 if WHOLE else 1
"""Of a kill of the engine and of the database each, within the traffic."""
LINES = 200 if WHOLE else 10
"""Of one operation at each of its locations, each an event."""
SKUS = [f"S{number}" for number in range(LINES)]
LOCATIONS = ["berlin", "paris", "rome", "oslo", "vienna", "lisbon"]
LOCATIONS_MAX = 5
"""Of one operation, which has a thousand lines at most."""
ROLE, PASSWORD = "stockwire_cdc", secrets.token_hex(8)
PAGE = 1_000
KEPT_MB = 64
"""What a slot may keep in the test of one that is left behind."""
SEGMENT_MB = 16
LEFT_BEHIND = "left_behind"

log = logging.getLogger(__name__)


@pytest.fixture(scope="module")
def logical(server_folder: Path, watchdog: Watchdog) -> Iterator[PostgresServer]:
    """A PostgreSQL that logical replication may read, migrated, with what `stockwire migrate --cdc` makes."""
    options = {"wal_level": "logical", "max_wal_size": "256MB"}
    server = PostgresServer(server_folder / f"cdc-{secrets.token_hex(3)}", watchdog, options)
    try:
        server.start()
        run_apart(migrations.expand(server.url()))
        done = run_apart(migrations.set_up_cdc(server.url(), ROLE))
        assert (done.made, done.replicates, done.wal_level) == (True, True, "logical")
        server.execute(f"alter role {ROLE} password '{PASSWORD}'")
        yield server
    finally:
        server.stop()
        shutil.rmtree(server.folder, ignore_errors=True)


async def test_debezium_tells_what_the_feed_tells_through_kills_of_both(
    logical: PostgresServer, valkey: ValkeyServer, tmp_path: Path
) -> None:
    system = ResidentSystem(tmp_path, logical.url(), valkey.url, f"cdc-{secrets.token_hex(4)}")
    async with proxy_to_socket(logical.socket) as proxy:
        ledger = await system.start_ledger()
        engine = RunningEngine(tmp_path, await _configuration(logical, proxy.port), PASSWORD)
        reader = Reader(engine)
        try:
            async with Api(ledger.url, await system.admin_key()) as api:
                await _catalogue(api)
                chance = random.Random(20)
                await _sell(api, chance, EVENTS // 4)  # told by the snapshot
                engine.start()
                if WHOLE:
                    await reader.until_more(1)
                    engine.kill()  # amid the snapshot, which begins anew
                    engine.start()
                await reader.until_all(await _heads(api))
                for number in range(ROUNDS):
                    async with _selling(api, chance, reader):
                        engine.kill()
                        engine.start()
                    async with _selling(api, chance, reader):
                        await asyncio.to_thread(logical.kill)
                        if number == 1:
                            await _tried_in_vain(engine)
                        await asyncio.to_thread(logical.start)
                await reader.until_all(await _heads(api))
                await _sell_nothing(logical)
                engine.kill()
                await _sell(api, chance, LINES)
                engine.start()
                await reader.until_all(await _heads(api))
                await asyncio.to_thread(engine.stop)
                if WHOLE:
                    await _lose_the_slot(logical, engine)
                    await _sell(api, chance, LINES)
                    engine.start()  # as one that is made anew: all of it again
                    await reader.until_all(await _heads(api))
                    await asyncio.to_thread(engine.stop)
                await _compare(reader, api)
                log.info("%d events, %d told again, %d engines", len(reader.taken), reader.repeated, engine.runs)
        finally:
            engine.kill()
            await system.stop()


async def test_a_slot_that_is_left_behind_is_told_of_before_the_database_gives_it_up(
    logical: PostgresServer, valkey: ValkeyServer, tmp_path: Path
) -> None:
    system = ResidentSystem(tmp_path, logical.url(), valkey.url, f"cdc-{secrets.token_hex(4)}")
    ledger = await system.start_ledger()
    try:
        async with prometheus(tmp_path, {"ledger": [ledger.admin]}) as watching:
            await logical.query("select pg_create_logical_replication_slot($1, 'pgoutput')", "stockwire", LEFT_BEHIND)
            found = await _found(logical)
            assert found[f"slot {LEFT_BEHIND}"] == (FindingState.WARNING, "nobody reads by it")
            assert found["slot limit"][0] is FindingState.WARNING
            await watching.until(_expression("StockwireSlotInactive"))
            await watching.until(_expression("StockwireSlotUnlimited"))
            assert await watching.query(_expression("StockwireSlotRetainsLog")) == []

            await logical.query(f"alter system set max_slot_wal_keep_size = '{KEPT_MB}MB'")
            await logical.query("select pg_reload_conf()")
            await _write_log(logical, KEPT_MB * 3 // 4)
            await watching.until(_expression("StockwireSlotRetainsLog"))
            assert await watching.query(_expression("StockwireSlotLost")) == []
            assert "slot limit" not in await _found(logical)

            await _write_log(logical, KEPT_MB * 2)
            assert (await _found(logical))[f"slot {LEFT_BEHIND}"][0] is FindingState.FAILED
            await logical.query("checkpoint")
            await watching.until(_expression("StockwireSlotLost"))
            state, detail = (await _found(logical))[f"slot {LEFT_BEHIND}"]
            assert (state, detail) == (FindingState.FAILED, "PostgreSQL has given it up (wal_removed)")
    finally:
        await logical.query("select pg_drop_replication_slot($1)", "stockwire", LEFT_BEHIND)
        await logical.query("alter system reset max_slot_wal_keep_size")
        await logical.query("select pg_reload_conf()")
        await system.stop()


async def _found(server: PostgresServer) -> dict[str, tuple[FindingState, str]]:
    """By check: the state, and the detail up to its first comma or colon."""
    return {one.check: (one.state, re.split("[,:]", one.detail)[0]) for one in await slots(server.url())}


def _expression(alert: str) -> str:
    return alerts()[alert].expression


async def _write_log(server: PostgresServer, megabytes: int) -> None:
    """A segment of 16 MB is as much as its size, also if little stands in it."""
    for _ in range(megabytes // SEGMENT_MB):
        await server.query("select pg_logical_emit_message(false, 'test', 'x')")
        await server.query("select pg_switch_wal()")


async def _lose_the_slot(server: PostgresServer, engine: RunningEngine) -> None:
    await server.query("select pg_drop_replication_slot($1)", "stockwire", NAME)
    engine.forget()


async def _configuration(server: PostgresServer, port: int) -> dict[str, str]:
    place = await cdc.place_of(server.url(), f"127.0.0.1:{port}")
    return {**cdc.connector(place, prefix=NAME, system="shop", role=ROLE), "heartbeat.interval.ms": "1000"}


async def _catalogue(api: Api) -> None:
    for sku in SKUS:
        assert (await api.put(f"/v1/items/{sku}", {"name": sku})).is_success
    for location in LOCATIONS:
        assert (await api.put(f"/v1/locations/{location}", {"name": location})).is_success


@asynccontextmanager
async def _selling(api: Api, chance: random.Random, reader: Reader) -> AsyncIterator[None]:
    """Traffic around a fault, which strikes after a part of it was told."""
    events = EVENTS * 3 // (8 * ROUNDS)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_sell(api, chance, events))
        await reader.until_more(chance.randint(1, events // 2))
        yield


async def _sell(api: Api, chance: random.Random, events: int) -> None:
    """So many or a few more, an operation at a time; the same again where nobody knows what became of it."""
    while events > 0:
        locations = chance.sample(LOCATIONS, chance.randint(1, LOCATIONS_MAX))
        about = {"reference": f"R{chance.randrange(99)}", "occurred_at": chance.choice([None, "2026-11-30T09:00:00Z"])}
        more = {name: value for name, value in about.items() if value}
        lines = [receipt(location, sku, chance.randint(1, 9)) | more for location in locations for sku in SKUS]
        await _move(api, {"lines": lines})
        events -= len(lines)


async def _move(api: Api, body: dict[str, Any]) -> None:
    headers = {"Idempotency-Key": secrets.token_hex(8)}

    async def moved() -> bool:
        answer = await api.client.post("/v1/movements", json=body, headers=headers)  # without a schema for 1,000 lines
        assert answer.is_success or answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, answer.text
        return answer.is_success

    await wait_until(moved, SIZE.timeout_s, what="an operation is taken", swallow=httpx.HTTPError)


async def _sell_nothing(server: PostgresServer) -> None:
    """While other tables are written, until the log that has the last event is not kept for the slot any more."""
    await server.query("create table other (written text)")
    ((end,),) = await server.query("select pg_current_wal_lsn()::text")

    async def moved() -> bool:
        await server.query("insert into other values ('x')")
        await server.query("select pg_log_standby_snapshot()")  # as PostgreSQL does every 15 s
        ahead = "select restart_lsn > $2::text::pg_lsn from pg_replication_slots where slot_name = $1"
        return bool((await server.query(ahead, "stockwire", NAME, end))[0][0])

    await wait_until(moved, SIZE.timeout_s, what="the slot moves on")


async def _tried_in_vain(engine: RunningEngine) -> None:
    """The database is away for longer than the engine waits before it connects again."""

    async def tried() -> bool:
        return engine.has_said("Attempting to restart task") > 1

    await wait_until(tried, SIZE.timeout_s, what="Debezium tries to connect a second time")


async def _heads(api: Api) -> dict[int, int]:
    return {one["shard"]: one["head"] for one in (await api.get("/v1/shards")).json()["shards"]}


async def _compare(reader: Reader, api: Api) -> None:
    """Each event of the feed was told, under the id and with the attributes that a relay gives it, and nothing else."""
    told = dict(reader.taken)
    async for epoch, event in _feed(api):
        id_ = f"{epoch}.{event['shard']}.{event['seq']}"
        assert told.pop(id_) == written(change("/stockwire/shop", epoch, event), event)
    assert not told
    assert len(reader.taken) >= EVENTS


async def _feed(api: Api) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Every event that it has, with its epoch."""
    for shard, head in (await _heads(api)).items():
        after = 0
        while after < head:
            answer = await api.client.get("/v1/events", params={"shard": shard, "after": after, "limit": PAGE})
            page = answer.raise_for_status().json()
            for event in page["events"]:
                yield page["epoch"], event
            after = page["events"][-1]["seq"]
