"""Every answer of a running server is in its OpenAPI document, whatever is asked; and nothing is hurt by asking.

A second document is one more test: start what it describes, `run` it for each kind of caller, and `hold` the runs.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

import wire
from ledger.database.engine import create_engine
from tests.conftest import StartLedger, StartSystem
from tests.documented.schemathesis import DEADLINE_S, RUNS_MAX, Run, run
from tests.followers.running import channels_of
from tests.harness.chance import SEED
from tests.harness.system import ProcessSystem, System
from tests.harness.waiting import wait_until
from tests.ledger.api import Api, receipt, sale
from tests.ledger.commit_path import commit_path
from wire.shards import shard_of

pytestmark = pytest.mark.usefixtures("processes")

LEDGER = Path(wire.__file__).with_name("openapi.yaml")
HUB = Path(wire.__file__).with_name("hub-openapi.yaml")
CHANNELS = Path(wire.__file__).with_name("channels-openapi.yaml")
SHARDS = 4
EXAMPLES = "examples,fuzzing"
BUSY = text(
    "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    " and state <> 'idle'"
)

logger = logging.getLogger(__name__)


@pytest.mark.timeout(2 * RUNS_MAX * DEADLINE_S)
async def test_whatever_is_asked_of_a_ledger_is_answered_as_documented(
    start_ledger: StartLedger, system: System, tmp_path: Path
) -> None:
    url = (await start_ledger()).url
    everything = await system.key("everything", "admin", "feed", "hub", "stock:read:*", "stock:write:*")
    narrow = await system.key("narrow", "stock:read:berlin", "stock:write:berlin")
    async with unhurt(system):
        hold("everything", await run(LEDGER, url, tmp_path, everything, "--exclude-operation-id=revokeKey"))
        others = await asyncio.gather(
            run(LEDGER, url, tmp_path, narrow, phases=EXAMPLES),
            run(LEDGER, url, tmp_path, None, phases=EXAMPLES),
            run(LEDGER, url, tmp_path, await system.admin_key(), "--include-operation-id=revokeKey"),
        )
        for name, done in zip(("narrow", "nobody", "revoking"), others, strict=True):
            hold(name, done)


@pytest.mark.timeout(RUNS_MAX * DEADLINE_S)
async def test_whatever_is_asked_of_a_read_port_is_answered_as_documented(
    start_system: StartSystem, tmp_path: Path
) -> None:
    """But for the event stream, which does not end."""
    system = await start_system(hubs=1)
    url, key = system.hubs[0].url, await system.key("reader", "stock:read:*")
    async with unhurt(system):
        keyed, nobody = await asyncio.gather(
            run(HUB, url, tmp_path, key, "--exclude-operation-id=streamLevels"),
            run(HUB, url, tmp_path, None, "--exclude-operation-id=streamLevels", phases=EXAMPLES),
        )
        hold("a reader", keyed)
        hold("nobody", nobody)
    assert system.hubs[0].running
    system.hubs[0].check_log()


@pytest.mark.timeout(RUNS_MAX * DEADLINE_S)
async def test_whatever_is_asked_of_channels_is_answered_as_documented(
    process_system: ProcessSystem, tmp_path: Path
) -> None:
    """But for test messages, which would go to whatever URL was made up."""
    await process_system.start_ledger()
    key = await process_system.key("owner", "stock:read:*")
    async with channels_of(process_system) as channels:
        await channels.start()
        asked = await run(CHANNELS, channels.url, tmp_path, key, "--exclude-operation-id=testWebhook", phases=EXAMPLES)
        hold("an owner", asked)


def hold(name: str, done: Run) -> None:
    logger.info("%s: %d answers, by status %s", name, done.statuses.total(), dict(sorted(done.statuses.items())))
    assert done.passed, f"{name}; repeat with CONFORMANCE_SEED={SEED}:\n{done.output}"
    assert done.statuses.total() > 0, done.output
    assert not {status for status in done.statuses if status >= 500}, f"{name}: {Counter(done.statuses)}"


@asynccontextmanager
async def unhurt(system: System) -> AsyncIterator[None]:
    """Around requests of every kind: the ledger sells as before, its log and books are clean, no connection hangs."""
    async with Api(system.ledger_url, await system.admin_key()) as api:
        for place in _a_place_in_each_shard():  # no shard is empty, so no long poll waits
            await api.stock(place, "before", 5)
        yield
        for place in _a_place_in_each_shard():
            answer = await api.move(sale(place, "before"))
            assert answer.json()["levels"][0]["on_hand"] == 4
            assert (await api.move(receipt(place, "before", 1))).is_success
    assert system.ledgers[0].running
    system.ledgers[0].check_log()
    async with commit_path(system.database_url) as path:
        assert await path.audit() == []
    await _nothing_busy(system.database_url)


def _a_place_in_each_shard() -> list[str]:
    places = {shard_of(f"place-{number}", SHARDS): f"place-{number}" for number in range(50)}
    assert len(places) == SHARDS
    return sorted(places.values())


async def _nothing_busy(database_url: str) -> None:
    """A connection that a request left behind would stand in a transaction, or in its query, for good."""
    engine = create_engine(database_url, pool_size=1)
    try:
        async with engine.connect() as connection:

            async def none() -> bool:
                return bool((await connection.execute(BUSY)).scalar_one() == 0)

            await wait_until(none, what="no busy connection")
    finally:
        await engine.dispose()
