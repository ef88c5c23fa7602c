"""Processes that are killed or stand still while sales go on and receivers fail: nothing is lost, no level goes back.

Two hundred kills among a hundred endpoints make a whole campaign; ``make test`` has less than a fifth of it, since each
kill waits for a start.
"""

import random

import pytest

from followers.database.database import Database, DatabaseAway
from followers.database.schema import expand
from ledger import migrations
from tests.followers.receivers import Receivers, failing
from tests.followers.running import Shop, channels_of
from tests.followers.selling import SKUS, histories, selling
from tests.followers.told import Asked, check
from tests.harness.metrics import metric_of
from tests.harness.postgres import PostgresServer
from tests.harness.processes import ServerProcess
from tests.harness.size import SIZE
from tests.harness.system import ProcessSystem
from tests.harness.waiting import wait_until
from tests.ledger.api import Api

KILLS = SIZE.of(200 if SIZE.share >= 1 else 20)
DATABASE_KILLED_EVERY = 4
ENDPOINTS = SIZE.of(100 if SIZE.share >= 1 else 40)
BEHIND_MAX = 50
"""Versions, for each endpoint: beyond them nothing is sold until some were sent, or a busy machine would never come to
the end."""
LEASE_S = 5
"""Long enough to be renewed on a machine that does much else, short enough to be waited for."""
STANDING_STILL = 4
"""Endpoints of the replica that does."""
FAILURES = 0.2
WITHIN_S = 180.0
KINDS = tuple(
    Asked(mode, batch, public, edges)
    for batch, public, edges in ((1, False, False), (5, False, False), (1, True, False), (5, False, True))
    for mode in ("every", "latest")
)


pytestmark = pytest.mark.timeout(SIZE.timeout_s)
"""Longer than each of their waits, which say what was not there in time."""


@pytest.mark.usefixtures("sized")
async def test_killed_again_and_again_it_sends_all_in_order_and_no_id_has_two_bodies(
    private_system: ProcessSystem, private_postgres: PostgresServer
) -> None:
    """Halfway the history is another one."""
    await private_system.start(hubs=0)
    chance = random.Random(7)
    async with (
        Database(private_system.database_url) as database,
        Receivers() as receivers,
        Api(private_system.ledger_url, await private_system.admin_key()) as api,
        channels_of(private_system, "channels-0", STOCKWIRE_CHANNELS_LEASE_S=LEASE_S) as one,
        channels_of(private_system, "channels-1", STOCKWIRE_CHANNELS_LEASE_S=LEASE_S) as other,
    ):
        await expand(database)
        shop = Shop(private_system, database)
        made = await endpoints_of(shop, receivers, ENDPOINTS)
        begun = await epoch_of(api)
        channels = [one, other]
        for process in channels:
            await process.start()
        async with selling(api, 7, lambda: keeps_up(shop, ENDPOINTS)):
            for number in range(KILLS):
                await progress(shop, receivers, receivers.count + chance.randint(1, 200))
                if number == KILLS // 2:
                    await migrations.new_epoch(private_system.database_url)
                if number % DATABASE_KILLED_EVERY == DATABASE_KILLED_EVERY - 1:
                    private_postgres.kill()
                    private_postgres.start()
                else:
                    killed = chance.choice(channels)
                    killed.kill()
                    await killed.start()
        await arrived(api, shop, receivers, made, begun)


async def test_a_replica_that_stands_still_past_its_lease_turns_no_level_back(
    process_system: ProcessSystem, database: Database
) -> None:
    await process_system.start(hubs=0)
    shop = Shop(process_system, database)
    async with (
        Receivers() as receivers,
        Api(process_system.ledger_url, await process_system.admin_key()) as api,
        channels_of(process_system, "channels-0", STOCKWIRE_CHANNELS_LEASE_S=LEASE_S) as one,
        channels_of(process_system, "channels-1", STOCKWIRE_CHANNELS_LEASE_S=LEASE_S) as other,
    ):
        made = await endpoints_of(shop, receivers, STANDING_STILL)
        await one.start()
        async with selling(api, 3, lambda: keeps_up(shop, STANDING_STILL)):
            await progress(shop, receivers, 50)
            one.pause()
            await other.start()
            await progress(shop, receivers, receivers.count + 100)
            one.resume()
            await progress(shop, receivers, receivers.count + 100)
        await arrived(api, shop, receivers, made, await epoch_of(api))
        await wait_until(lambda: counts_lost(one, STANDING_STILL), WITHIN_S)


async def keeps_up(shop: Shop, endpoints: int) -> bool:
    try:
        return await shop.versions_behind() < BEHIND_MAX * endpoints
    except DatabaseAway:
        return False


async def counts_lost(channels: ServerProcess, leases: int) -> bool:
    return await metric_of(channels, "stockwire_channels_leases_lost_total") >= leases


async def endpoints_of(shop: Shop, receivers: Receivers, number: int) -> dict[str, Asked]:
    """In turn of all KINDS; each fails now and then. By name."""
    made = {}
    for at in range(number):
        asked = KINDS[at % len(KINDS)]
        name = f"{asked.mode}-{at}"
        receivers.answers[name] = failing(FAILURES, seed=at)
        scopes = ("stock:public:*",) if asked.public else ("stock:read:*",)
        await shop.endpoint(f"{receivers.url}/{name}", *asked.types, scopes=scopes, mode=asked.mode, batch=asked.batch)
        made[name] = asked
    return made


async def progress(shop: Shop, receivers: Receivers, count: int) -> None:
    """Until so many messages have come in all."""

    async def enough() -> bool:
        await shop.hurry()
        return receivers.count >= count

    await wait_until(enough, WITHIN_S, swallow=DatabaseAway)


async def epoch_of(api: Api) -> str:
    epoch: str = (await api.get("/v1/shards")).json()["epoch"]
    return epoch


async def arrived(api: Api, shop: Shop, receivers: Receivers, made: dict[str, Asked], begun: str) -> None:
    """Until each endpoint has had all that it should have, and nothing turned back on the way. ``begun``: the epoch in
    which they were made; those of a replica that was killed soon may be told nothing of it.
    """
    epoch = await epoch_of(api)
    events = await histories(api)
    newest = {sku: found[-1] for sku, found in events.items()}

    async def nothing_waits() -> bool:
        await shop.hurry()
        return await shop.behind() == 0 and not late()

    def late() -> list[tuple[str, str]]:
        return [
            (name, sku)
            for name, asked in made.items()
            for sku in SKUS
            if not asked.has_arrived(receivers.told[name][sku], newest[sku], epoch)
        ]

    try:
        await wait_until(nothing_waits, WITHIN_S, swallow=DatabaseAway)
    except AssertionError as error:
        raise AssertionError(f"{await shop.versions_behind()} versions wait, late: {late()}") from error
    for name, asked in made.items():
        for sku in SKUS:
            check(asked, receivers.told[name][sku], events[sku], begun, f"{sku} to {name}")
    assert receivers.ids_with_two_bodies() == []
