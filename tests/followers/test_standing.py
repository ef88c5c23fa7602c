"""Endpoints that are sent nothing more, and who is told: `stockwire channels` in the test's own process."""

import re
import time
from datetime import timedelta

from followers.database.database import Database
from followers.sealing import Seal, new_sealing_key
from followers.webhooks.endpoints import Endpoint
from followers.webhooks.key_ring import HeldKey, KeyRing
from followers.webhooks.owners import TRUSTED_S
from followers.webhooks.secrets import new_secret, seal_ring
from tests.followers.receivers import Receivers
from tests.followers.running import Shop, sealed
from tests.followers.stage import LOCATION, SKUS, Stage, running
from tests.harness.system import ResidentSystem
from tests.harness.waiting import wait_until
from tests.ledger.api import Api, receipt


async def test_a_revoked_key_is_sent_nothing_within_five_seconds(stage: Stage) -> None:
    revoked = await stage.endpoint("revoked")
    await stage.endpoint("good", scopes=("stock:read:berlin",))
    await stage.sell(1)
    for name in ("revoked", "good"):
        await stage.until(name, {sku: [2] for sku in SKUS})
    assert (await stage.api.send("DELETE", f"/v1/keys/{revoked.owner}")).is_success
    revoked_s = time.time()

    async def known() -> bool:
        await stage.api.move(receipt(LOCATION, "A", 1))
        return time.time() > revoked_s + TRUSTED_S + 1

    await wait_until(known)
    await stage.sell(1, "B")
    await wait_until(lambda: both_of_b(stage))
    assert all(one.timestamp <= revoked_s + TRUSTED_S for one in stage.receivers.received["revoked"])
    assert stage.receivers.versions("revoked")["B"] == [2]


async def test_gone_disables_and_the_owners_other_endpoints_are_told(stage: Stage) -> None:
    stage.receivers.answers["gone"] = lambda _: 410
    gone = await stage.endpoint("gone")
    await stage.endpoint("told", "webhook.disabled")
    stage.receivers.delays_s["gone"] = 3.0
    await stage.sell(1, "B")
    await stage.types_at("gone", 1)
    stage.receivers.delays_s["gone"] = 0.0
    await stage.sell(1, "A")
    assert await stage.types_at("told", 1) == ["webhook.disabled"]
    found = await stage.shop.endpoints.get(gone.id)
    assert found is not None
    assert (found.state, found.reason) == ("disabled", "answered 410: gone")
    del stage.receivers.answers["gone"]
    await stage.sell(1, "A")
    await stage.shop.endpoints.resume(gone.id)
    await stage.until("gone", {"A": [2, 3], "B": [2]})
    found = await stage.shop.endpoints.get(gone.id)
    assert found is not None
    assert found.state == "enabled", "what was in flight before has disabled it again"


async def test_five_days_of_nothing_but_failures_disable_and_the_owners_other_endpoints_are_told(
    system: ResidentSystem, database: Database
) -> None:
    await system.start_ledger()
    shop = Shop(system, database)
    async with Receivers() as receivers, Api(system.ledger_url, await system.admin_key()) as api:
        receivers.answers["failing"] = lambda _: 500
        failing = await shop.endpoint(f"{receivers.url}/failing")
        young = await shop.endpoint(f"{receivers.url}/failing")
        told = await shop.endpoint(f"{receivers.url}/told", "webhook.disabled")
        assert told.owner == failing.owner
        await api.stock(LOCATION, "A", 100)
        async with running(system):
            await wait_until(lambda: has_failed(shop, failing, young))
        await shop.age(failing, timedelta(days=5, minutes=1))
        await shop.age(young, timedelta(days=4, hours=23))
        await shop.hurry()
        async with running(system):
            await wait_until(lambda: is_told(receivers))
            (notice,) = receivers.received["told"]
            reason = "failed for 5 days without one success"
            assert notice.content["type"] == "webhook.disabled"
            assert notice.content["data"] == {"endpoint": failing.id, "url": failing.url, "reason": reason}
            found = await shop.endpoints.get(failing.id)
            assert found is not None
            assert (found.state, found.reason) == ("disabled", reason)
            del receivers.answers["failing"]
            await shop.endpoints.resume(failing.id)
            await shop.hurry()
            await wait_until(lambda: has_recovered(shop, failing, young))
        found = await shop.endpoints.get(young.id)
        assert found is not None
        assert found.state == "enabled"


async def test_what_is_wrong_with_webhooks_is_told_with_its_fix(stage: Stage) -> None:
    stage.receivers.answers["gone"] = lambda _: 410
    gone = await stage.endpoint("gone?token=secret")
    failing = await stage.endpoint(
        "failing", locations=("elsewhere",)
    )  # nothing is sent that could change how it stands
    shut = await stage.endpoint("shut")
    key = seal_ring(Seal([new_sealing_key()]), KeyRing((HeldKey(new_secret()),)))
    async with stage.shop.database.transaction() as connection:
        await connection.execute("update endpoint set sealed = $2 where id = $1", shut.id, key)
        await connection.execute(
            "update standing set failing_since = now() - interval '2 hours' where endpoint = $1", failing.id
        )
    await stage.sell(1, "A")
    found: list[str] = []

    async def told() -> bool:
        found[:] = [f"{one.detail} | {one.fix}" for one in await stage.channels.operated.troubles()]
        return len(found) == 3

    await wait_until(told)
    unopened, disabled, failed = found
    assert unopened.startswith(
        f"1 webhook is sent nothing, since no sealing key here opens the secret: {shut.id} | put"
    )
    assert disabled.startswith(f"1 webhook is disabled: {gone.id} (127.0.0.1 answered 410: gone) | ")
    assert re.match(
        rf"1 webhook has met nothing but failures: {failing.id} \(127.0.0.1 since .{{16}} UTC\) \| ", failed
    )
    assert await stage.shop.endpoints.reseal(shut.id, key, sealed())
    async with stage.shop.database.transaction() as connection:  # its lease ends some time
        await connection.execute("update lease set until = '-infinity' where endpoint = $1", shut.id)
    await stage.until("shut", {"A": [2]})


async def both_of_b(stage: Stage) -> bool:
    return stage.receivers.versions("good")["B"] == [2, 3]


async def has_failed(shop: Shop, *made: Endpoint) -> bool:
    return all([(await shop.endpoints.standing(one.id)).failing_since is not None for one in made])


async def has_recovered(shop: Shop, *made: Endpoint) -> bool:
    standing = [await shop.endpoints.standing(one.id) for one in made]
    return all((one.failing_since, one.levels_behind) == (None, 0) for one in standing)


async def is_told(receivers: Receivers) -> bool:
    return len(receivers.received["told"]) > 0
