"""Debezium, the real one, reads by what we set up for it what the feed tells, event for event; and a slot that it has
left behind is told of before the disk is full."""

import asyncio
import json
import random
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli import cdc
from cli.checks.slots import slots
from cli.findings import FindingState
from cli.launch import Watchdog
from ledger import migrations
from stockwire.streams import CloudEvent, Follower, message_of
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

EVENTS = 100_000 if SIZE.share >= 1 else 500
"""Far less than a fifth in an ordinary run: a round of faults is the point, and each event is read in the same way."""
ROUNDS = 5 if SIZE.share >= 1 else 1
"""Of a kill of the engine and of the database each, within the traffic."""
LINES = 10 if SIZE.share < 1 else 200
"""Of one operation, each an event."""
SKUS = [f"S{number}" for number in range(LINES)]
LOCATIONS = ["berlin", "paris", "rome", "oslo", "vienna", "lisbon"]
ROLE, PASSWORD = "stockwire_cdc", secrets.token_hex(8)
PAGE = 1_000
KEPT_MB = 64
"""What a slot may keep in the test of one that is left behind."""
SEGMENT_MB = 16
LEFT_BEHIND = "left_behind"


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
        try:
            async with Api(ledger.url, await system.admin_key()) as api:
                await _catalogue(api)
                chance = random.Random(20)
                await _sell(api, chance, EVENTS // 4)  # told by the snapshot
                engine.start()
                await _told(engine, api)
                for _ in range(ROUNDS):
                    selling = asyncio.create_task(_sell(api, chance, EVENTS * 3 // (8 * ROUNDS)))
                    await _more(engine)
                    engine.kill()
                    engine.start()
                    await selling
                    selling = asyncio.create_task(_sell(api, chance, EVENTS * 3 // (8 * ROUNDS)))
                    await _more(engine)
                    await asyncio.to_thread(logical.kill)
                    await asyncio.to_thread(logical.start)
                    await selling
                await _told(engine, api)
                await asyncio.to_thread(engine.stop)
                if SIZE.share >= 1:
                    await _lose_the_slot(logical, engine)
                    await _sell(api, chance, LINES)
                    engine.start()  # as one that is made anew: all of it again
                    await _told(engine, api)
                    await asyncio.to_thread(engine.stop)
                _compare(engine, await _feed(api))
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
    return cdc.connector(place, prefix=NAME, system="shop", role=ROLE)


async def _catalogue(api: Api) -> None:
    for sku in SKUS:
        assert (await api.put(f"/v1/items/{sku}", {"name": sku})).is_success
    for location in LOCATIONS:
        assert (await api.put(f"/v1/locations/{location}", {"name": location})).is_success


async def _sell(api: Api, chance: random.Random, events: int) -> None:
    """So many, an operation at a time; the same again where nobody knows what became of it."""
    for _ in range(0, events, LINES):
        location = chance.choice(LOCATIONS)
        about = {"reference": f"R{chance.randrange(99)}", "occurred_at": chance.choice([None, "2026-11-30T09:00:00Z"])}
        lines = [receipt(location, sku, chance.randint(1, 9)) for sku in SKUS]
        body = {"lines": [{**line, **{name: value for name, value in about.items() if value}} for line in lines]}
        key = secrets.token_hex(8)

        async def moved(body: dict[str, Any] = body, key: str = key) -> bool:
            answer = await api.move(body, key)
            assert answer.is_success or answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, answer.text
            return answer.is_success

        await wait_until(moved, what="an operation is taken", swallow=httpx.HTTPError)


async def _feed(api: Api) -> dict[str, dict[str, Any]]:
    """Every event that the feed tells, by the id that a relay gives it."""
    found: dict[str, dict[str, Any]] = {}
    for shard in range(migrations.SHARDS_DEFAULT):
        after = 0
        while True:
            page = (await api.get("/v1/events", params={"shard": shard, "after": after, "limit": PAGE})).json()
            found |= {f"{page['epoch']}.{shard}.{event['seq']}": event for event in page["events"]}
            if not page["events"]:
                break
            after = page["events"][-1]["seq"]
    return found


async def _told(engine: RunningEngine, api: Api) -> None:
    """Until it has told as much as the feed has."""
    told = (await api.get("/v1/shards")).json()["shards"]
    heads = {one["shard"]: one["head"] for one in told if one["head"]}

    async def whole() -> bool:
        engine.check()
        last: dict[int, int] = {}
        for record in reversed(_changes(engine)):
            if len(last) == len(heads):
                break
            last.setdefault(record["partition"], json.loads(record["value"])["seq"])
        return last == heads

    await wait_until(whole, SIZE.timeout_s, what="Debezium tells everything")


async def _more(engine: RunningEngine) -> None:
    """Until it tells something that it did not tell before."""
    before = len(_changes(engine))

    async def more() -> bool:
        engine.check()
        return len(_changes(engine)) > before

    await wait_until(more, SIZE.timeout_s, what="Debezium tells something new")


def _changes(engine: RunningEngine) -> list[dict[str, Any]]:
    """Without its heartbeats."""
    return [record for record in engine.records() if record["topic"] == f"{NAME}.events"]


def _compare(engine: RunningEngine, feed: dict[str, dict[str, Any]]) -> None:
    """Each record is the event of the feed under the id that a relay gives it, and whoever follows takes each once."""
    follower, taken = Follower(), set()
    for record in _changes(engine):
        headers = [(name, text.encode()) for name, text in record["headers"].items()]
        read = CloudEvent.of_kafka(headers, record["value"].encode())
        event = feed[id_ := read.attributes["id"]]
        assert read.data == event
        assert read.attributes == change("/stockwire/shop", id_.split(".")[0], event)
        assert record["partition"] == event["shard"]
        assert json.loads(record["key"]) == {"location": event["location"], "sku": event["sku"]}
        if follower.take(message_of(read)) is not None:
            taken.add(id_)
    assert taken == set(feed)
    assert len(feed) >= EVENTS * 0.9
