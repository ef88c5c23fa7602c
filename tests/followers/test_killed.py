"""Processes that are killed or stand still while sales go on and receivers fail: nothing is lost, no level goes back.

Two hundred kills among a hundred endpoints make a whole campaign; ``make test`` has less than a fifth of it, since each
kill waits for a start.
"""

import random

import pytest

from followers.database.database import Database, DatabaseAway
from followers.database.schema import expand
from tests.followers.receivers import Receivers, failing
from tests.followers.running import Shop, channels_of
from tests.followers.selling import SKUS, selling, versions
from tests.harness.postgres import PostgresServer
from tests.harness.size import SIZE
from tests.harness.system import ProcessSystem
from tests.harness.waiting import wait_until
from tests.ledger.api import Api

KILLS = SIZE.of(200 if SIZE.share >= 1 else 20)
DATABASE_KILLED_EVERY = 4
ENDPOINTS = SIZE.of(100 if SIZE.share >= 1 else 40)
FAILURES = 0.2
WITHIN_S = 180.0


@pytest.mark.timeout(SIZE.timeout_s)
async def test_killed_again_and_again_it_sends_all_in_order_and_no_id_has_two_bodies(
    private_system: ProcessSystem, private_postgres: PostgresServer
) -> None:
    await private_system.start(hubs=0)
    chance = random.Random(7)
    async with (
        Database(private_system.database_url) as database,
        Receivers() as receivers,
        Api(private_system.ledger_url, await private_system.admin_key()) as api,
        channels_of(private_system, "channels-0") as one,
        channels_of(private_system, "channels-1") as other,
    ):
        await expand(database)
        shop = Shop(private_system, database)
        made = await endpoints_of(shop, receivers, ENDPOINTS)
        channels = [one, other]
        for process in channels:
            await process.start()
        async with selling(api, seed=7):
            for number in range(KILLS):
                await progress(shop, receivers, receivers.count + chance.randint(1, 200))
                if number % DATABASE_KILLED_EVERY == DATABASE_KILLED_EVERY - 1:
                    private_postgres.kill()
                    private_postgres.start()
                else:
                    killed = chance.choice(channels)
                    killed.kill()
                    await killed.start()
        await arrived(api, shop, receivers, made)
        assert receivers.ids_with_two_bodies() == []


async def test_a_replica_that_stands_still_past_its_lease_turns_no_level_back(
    process_system: ProcessSystem, database: Database
) -> None:
    await process_system.start(hubs=0)
    shop = Shop(process_system, database)
    async with (
        Receivers() as receivers,
        Api(process_system.ledger_url, await process_system.admin_key()) as api,
        channels_of(process_system, "channels-0") as one,
        channels_of(process_system, "channels-1") as other,
    ):
        made = await endpoints_of(shop, receivers, 4)
        await one.start()
        async with selling(api, seed=3):
            await progress(shop, receivers, 50)
            one.pause()
            await other.start()
            await progress(shop, receivers, receivers.count + 100)
            one.resume()
            await progress(shop, receivers, receivers.count + 100)
        await arrived(api, shop, receivers, made)
        assert receivers.ids_with_two_bodies() == []


async def endpoints_of(shop: Shop, receivers: Receivers, number: int) -> list[str]:
    """Every other one of ``latest``; each fails now and then. Returns their names."""
    made = []
    for at in range(number):
        mode = ("every", "latest")[at % 2]
        name = f"{mode}-{at}"
        receivers.answers[name] = failing(FAILURES, seed=at)
        await shop.endpoint(f"{receivers.url}/{name}", mode=mode)
        made.append(name)
    return made


async def progress(shop: Shop, receivers: Receivers, count: int) -> None:
    """Until so many messages have come in all."""

    async def enough() -> bool:
        await shop.hurry()
        return receivers.count >= count

    await wait_until(enough, WITHIN_S, swallow=DatabaseAway)


async def arrived(api: Api, shop: Shop, receivers: Receivers, made: list[str]) -> None:
    """Until each endpoint has had all that it should have, and nothing turned back on the way."""
    newest = await versions(api)

    async def nothing_waits() -> bool:
        await shop.hurry()
        return await shop.behind() == 0 and all(
            received[sku][-1:] == [newest[sku]]
            for name in made
            for received in [receivers.versions(name)]
            for sku in SKUS
        )

    await wait_until(nothing_waits, WITHIN_S)
    for name in made:
        for sku, found in receivers.versions(name).items():
            assert found == sorted(found), (name, sku, found)
            if name.startswith("every"):
                assert found == list(range(1, newest[sku] + 1)), (name, sku)
