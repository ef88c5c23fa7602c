"""A primary and its standby swap under traffic: selling goes on at the new one, and nothing acknowledged is lost."""

import asyncio
import itertools
import logging
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from cli.checks import database as database_checks
from cli.findings import FindingState
from cli.launch import Watchdog
from ledger import migrations
from ledger.migrations.errors import MigrationStopped
from stockwire import AsyncClient
from tests.faults.database_pair import DatabasePair, database_pair
from tests.faults.replicas import add_catalog, replicas
from tests.faults.watcher import await_agreement, watching_hub
from tests.harness.postgres import PostgresServer
from tests.harness.system import ProcessSystem
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.ledger.commit_path import commit_path
from tests.ledger.migrations.databases import expand_to

pytestmark = pytest.mark.usefixtures("processes")

logger = logging.getLogger(__name__)

SKUS = [f"S{number}" for number in range(4)]
OPENING = 10_000
TILLS = 6
MOVED = """
insert into location values ('rome', 'Rome', 0);
insert into item (sku, name) select 's' || n, 'x' from generate_series(1, 2000) n;
insert into stock_level (shard, location, sku, on_hand, version) select 0, 'rome', sku, 1, 1 from item
"""
NOT_COUNTED = "select count(*) from stock_level where view_version = 0"
STANDBY = "the database that was reached is a standby"
READ_ONLY = "the database that was reached is read-only"


@pytest.fixture
def pair(server_folder: Path, watchdog: Watchdog) -> Iterator[DatabasePair]:
    with database_pair(server_folder / f"pair-{secrets.token_hex(3)}", watchdog) as pair:
        yield pair


@pytest.fixture
async def system(
    tmp_path: Path, pair: DatabasePair, redis_url: str, channel_prefix: str
) -> AsyncIterator[ProcessSystem]:
    await migrations.expand(pair.first.url())
    await pair.follow(pair.second, pair.first)
    system = ProcessSystem(tmp_path, pair.url, redis_url, channel_prefix)
    try:
        yield system
    finally:
        await system.stop()


class Tills:
    """Sell one unit after the other, each under a key of its own, until ``stop``. ``sold``: keys of what was
    acknowledged; ``last``: when the last one was."""

    def __init__(self, client: AsyncClient) -> None:
        self.sold: dict[str, str] = {}
        self.last = 0.0
        self._client = client
        self._numbers = itertools.count()
        self._stopping = False

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(TILLS):
                tasks.create_task(self._sell())

    def stop(self) -> None:
        self._stopping = True

    async def _sell(self) -> None:
        while not self._stopping:
            number = next(self._numbers)
            sku, key = SKUS[number % len(SKUS)], f"sale-{number}"
            await self._client.stock.sell(sku, "berlin", key=key)
            self.sold[key] = sku
            self.last = time.monotonic()
            await asyncio.sleep(0.01)


async def test_selling_goes_on_at_the_new_primary_and_nothing_acknowledged_is_lost(
    pair: DatabasePair, system: ProcessSystem
) -> None:
    both = await system.start_ledger()
    one = await system.start_ledger(STOCKWIRE_DATABASE_URL=pair.first.url())
    hub = await system.start_hub()
    key = await system.admin_key()
    async with (
        replicas(system) as ledgers,
        AsyncClient(both.url, key, max_retries=500, timeout_s=120) as client,
        watching_hub(hub.stream, key, "berlin") as watcher,
    ):
        await add_catalog(ledgers[0], SKUS, ["berlin"])
        for sku in SKUS:
            await client.stock.receive(sku, "berlin", OPENING)
        tills = Tills(client)
        selling = asyncio.create_task(tills.run())
        await sells_on(tills)
        epoch = (await ledgers[0].get("/v1/shards")).json()["epoch"]

        await asyncio.to_thread(pair.first.kill)
        began = time.monotonic()
        await pair.promote(pair.second)
        promoted = time.monotonic()
        await sells_on(tills)
        logger.info("promoted after %.1f s, selling %.1f s later", promoted - began, time.monotonic() - promoted)

        await pair.follow(pair.first, pair.second)  # at the address that both ledgers ask first
        await await_reason(one.url, STANDBY)
        for path in ("/v1/levels/berlin/S0", "/v1/shards", "/v1/items/S0"):
            answer = await ledgers[1].get(path)
            assert (answer.status_code, answer.json()["type"]) == (503, "unavailable"), path
        for migrating in (migrations.expand, migrations.contract, migrations.plan):
            with pytest.raises(MigrationStopped, match=f"^{STANDBY}: name the primary, or all servers: postgresql://"):
                await migrating(pair.first.url())
        await sells_on(tills)
        assert (await ledgers[0].get("/readyz")).status_code == 200
        assert (await ledgers[0].get("/v1/shards")).json()["epoch"] != epoch

        tills.stop()
        await selling
        await await_agreement(client, "berlin", [watcher])
        await check_books(pair.second, tills)
        await check_doctor(pair)

        await asyncio.to_thread(pair.second.stop)  # and back again, as a switchover does it
        await pair.promote(pair.first)
        await await_reason(one.url, None)
        await client.stock.sell("S0", "berlin")
        await await_agreement(client, "berlin", [watcher])
    async with commit_path(pair.first.url()) as path_of_commits:
        assert await path_of_commits.audit() == []


async def sells_on(tills: Tills) -> None:
    wanted = len(tills.sold) + 20

    async def sold() -> bool:
        return len(tills.sold) > wanted

    await wait_until(sold, what="selling goes on")


async def await_reason(ledger_url: str, reason: str | None) -> None:
    """Until ``/readyz`` says so, or says that the ledger is ready."""

    async def said() -> bool:
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as http:
            answer = await http.get(f"{ledger_url}/readyz")
        return answer.json().get("detail") == reason and answer.status_code == (200 if reason is None else 503)

    await wait_until(said, what=f"/readyz says {reason or 'ready'}", swallow=httpx.HTTPError)


async def await_unavailable(ledger: httpx.AsyncClient, reason: str) -> None:
    """Until reads are refused."""

    async def refused() -> bool:
        answer = await ledger.get("/v1/shards")
        return answer.status_code == 503 and answer.json()["detail"] == reason

    await wait_until(refused, what=f"reads are refused: {reason}", swallow=httpx.HTTPError)


async def check_books(primary: PostgresServer, tills: Tills) -> None:
    """Every acknowledged sale is there, once, and no other level moved than by what is there."""
    stored = {row["key"] for row in await primary.query("select key from operation where key like 'sale-%'")}
    assert set(tills.sold) <= stored, "acknowledged, and lost"
    events = await primary.query("select operation, count(*) from stock_event where kind = 'sale' group by 1")
    assert {row["count"] for row in events} == {1}
    assert len(events) == len(stored)
    levels = await primary.query("select sum(on_hand)::int as left from stock_level")
    assert levels[0]["left"] == OPENING * len(SKUS) - len(stored)


async def check_doctor(pair: DatabasePair) -> None:
    found = (await database_checks.database(pair.first.url()))[0]
    assert (found.state, found.detail) == (FindingState.FAILED, STANDBY)
    assert (await database_checks.database(pair.url))[0].state is FindingState.GOOD


async def test_a_primary_that_is_made_read_only_is_not_read_any_more_and_comes_back(
    private_system: ProcessSystem, private_postgres: PostgresServer
) -> None:
    """As an operator does it before a planned swap, or a provider whose disk is full: no connection ends by it."""
    ledger = await private_system.start_ledger()
    async with replicas(private_system) as ledgers:
        assert (await ledgers[0].get("/v1/shards")).status_code == 200
        await private_postgres.query("alter system set default_transaction_read_only = on")
        await private_postgres.query("select pg_reload_conf()")
        await await_unavailable(ledgers[0], READ_ONLY)  # before anybody sells, or asks /readyz
    await await_reason(ledger.url, READ_ONLY)
    connection = await asyncpg.connect(private_postgres.url())
    try:
        await connection.execute("set default_transaction_read_only = off")
        await connection.execute("alter system reset default_transaction_read_only")
        await connection.execute("select pg_reload_conf()")
    finally:
        await connection.close()
    await await_reason(ledger.url, None)


async def test_a_backfill_goes_on_at_the_standby_that_was_promoted_in_the_middle_of_it(pair: DatabasePair) -> None:
    await expand_to(pair.first.url(), "0001")
    for statement in MOVED.split(";"):
        await pair.first.query(statement)
    await pair.follow(pair.second, pair.first)

    def kill(line: str) -> None:
        if "first view" in line:
            pair.first.kill()

    with pytest.raises(MigrationStopped, match=r"^the database cannot be reached"):
        await migrations.expand(pair.url, say=kill)
    await pair.promote(pair.second)
    assert (await pair.second.query(NOT_COUNTED))[0][0] > 0
    await migrations.expand(pair.url)
    assert (await pair.second.query(NOT_COUNTED))[0][0] == 0
