"""What endpoints are sent, and in which order: `stockwire channels` in the test's own process, beside a ledger."""

import asyncio
import base64
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from followers.channel_types import OVERSOLD
from followers.database.database import Database
from followers.database.notices import tell
from followers.log import follower
from followers.sealing import Seal
from followers.settings import LEASE_S_MIN
from followers.webhooks import intake
from followers.webhooks.endpoints import Span
from followers.webhooks.key_ring import HeldKey, KeyRing
from followers.webhooks.outbox import Due, Outbox, Report
from followers.webhooks.secrets import new_secret, new_signing_key, seal_ring
from ledger import migrations
from tests.followers.receivers import Receivers
from tests.followers.running import SEALING_KEY, Shop
from tests.followers.stage import LOCATION, SKUS, Stage, nothing_waits, running
from tests.harness.node import need_tools, run_node
from tests.harness.system import ResidentSystem
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.ledger.api import Api, receipt


async def test_who_was_away_gets_the_newest_of_each_level_or_every_event_of_it(stage: Stage) -> None:
    latest = await stage.endpoint("latest", mode="latest")
    every = await stage.endpoint("every", batch=4)
    await stage.pause(latest, every)
    await stage.sell(10)
    for endpoint in (latest, every):
        await stage.shop.endpoints.resume(endpoint.id)
    await stage.until("latest", {sku: [11] for sku in SKUS})
    await wait_until(lambda: nothing_waits(stage))
    assert len(stage.receivers.received["latest"]) == len(SKUS)
    assert stage.receivers.versions("every") == {sku: [*range(2, 12)] for sku in SKUS}


async def test_a_failing_level_waits_alone_and_is_sent_again_under_its_id(stage: Stage) -> None:
    stage.receivers.answers["shop"] = lambda content: 500 if content["data"]["sku"] == "A" else 200
    await stage.endpoint("shop")
    await stage.sell(3)
    await stage.until("shop", {sku: [2, 3, 4] for sku in ("B", "C")})
    del stage.receivers.answers["shop"]
    await stage.shop.hurry()
    await stage.until("shop", {sku: [2, 3, 4] for sku in SKUS})
    tries = [one for one in stage.receivers.received["shop"] if one.content["data"]["sku"] == "A"]
    assert [one.content["data"]["version"] for one in tries if not one.accepted] == [2] * (len(tries) - 3)
    assert stage.receivers.ids_with_two_bodies() == []


async def test_what_a_receiver_chokes_on_is_cut_out_of_its_batch(stage: Stage) -> None:
    def chokes(content: dict[str, Any]) -> int:
        return 422 if any(one["data"]["sku"] == "A" for one in content["data"]["events"]) else 200

    stage.receivers.answers["shop"] = chokes
    made = await stage.endpoint("shop", batch=10)
    await stage.pause(made)
    await stage.sell(1)
    await stage.shop.endpoints.resume(made.id)

    async def others_taken() -> bool:
        await stage.shop.hurry()
        return stage.receivers.versions("shop") == {"B": [2], "C": [2]}

    await wait_until(others_taken)
    await stage.sell(1, "B", "C")
    await wait_until(lambda: taken(stage, {"B": [2, 3], "C": [2, 3]}))
    del stage.receivers.answers["shop"]

    async def all_taken() -> bool:
        await stage.shop.hurry()
        return stage.receivers.versions("shop") == {"A": [2], "B": [2, 3], "C": [2, 3]}

    await wait_until(all_taken)
    assert stage.receivers.ids_with_two_bodies() == []


async def test_a_message_that_meets_too_many_requests_slows_the_whole_endpoint(stage: Stage) -> None:
    stage.receivers.answers["shop"] = lambda _: 429
    made = await stage.endpoint("shop")
    await stage.shop.endpoints.notify(made.id, "webhook.test", {})
    await stage.types_at("shop", 1)
    leased = stage.channels.held.endpoints[made.id]

    async def slowed() -> bool:
        return leased.slow_until_s > time.monotonic() + 1

    await wait_until(slowed)


async def test_paused_and_resumed_at_once_it_waits_for_no_lease(stage: Stage) -> None:
    made = await stage.endpoint("shop")
    await stage.sell(1, "A")
    await stage.until("shop", {"A": [2]})
    await stage.pause(made)
    await stage.sell(1, "A")
    await stage.shop.endpoints.resume(made.id)
    await stage.until("shop", {"A": [2, 3]})


async def test_a_receiver_that_takes_longer_than_a_lease_is_waited_for(
    system: ResidentSystem, database: Database
) -> None:
    await system.start_ledger()
    async with Receivers() as receivers, Api(system.ledger_url, await system.admin_key()) as api:
        receivers.delays_s["slow"] = LEASE_S_MIN + 1
        await Shop(system, database).endpoint(f"{receivers.url}/slow")
        await api.stock(LOCATION, "A", 100)
        async with running(system, LEASE_S_MIN):
            await wait_until(lambda: nothing_behind(Shop(system, database), receivers))
        assert [one.id for one in receivers.received["slow"]] == [*{one.id for one in receivers.received["slow"]}]


async def test_what_a_channel_has_to_tell_is_sent_to_who_asked(stage: Stage) -> None:
    await stage.endpoint("shop", OVERSOLD)
    async with stage.shop.database.transaction() as connection:
        await connection.execute(
            "insert into channel (id, vendor, owner, settings, sealed, locations)"
            " select 'market', 'any', owner, '{}', '', '{berlin}' from endpoint"
        )
        assert await tell(connection, OVERSOLD, "market", {"order": "7", "units": 2}) == 1
    assert await stage.types_at("shop", 1) == [OVERSOLD]
    assert stage.receivers.received["shop"][0].content["data"] == {"channel": "market", "order": "7", "units": 2}


async def test_of_another_epoch_every_level_is_told_once_and_then_what_comes(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.endpoint("every")
    await stage.endpoint("latest", mode="latest")
    read: list[str | None] = []
    levels = stage.channels.ledger.levels

    async def counted(after: str | None) -> dict[str, Any]:
        read.append(after)
        return await levels(after)

    monkeypatch.setattr(stage.channels.ledger, "levels", counted)
    await stage.sell(1)
    for name in ("every", "latest"):
        await stage.until(name, {sku: [2] for sku in SKUS})
    await migrations.new_epoch(stage.shop.system.database_url)
    for name in ("every", "latest"):
        await stage.until(name, {sku: [2, 2] for sku in SKUS})
    assert read == [None], "read once for both"
    epochs = {one.content["data"]["epoch"] for one in stage.receivers.received["every"]}
    assert len(epochs) == 2
    await stage.sell(1, "A")
    for name in ("every", "latest"):
        await stage.until(name, {"A": [2, 2, 3], "B": [2, 2], "C": [2, 2]})


async def test_a_replay_sends_the_span_again_under_the_same_ids(stage: Stage) -> None:
    made = await stage.endpoint("shop")
    await stage.sell(2)
    await stage.until("shop", {sku: [2, 3] for sku in SKUS})
    before = [(one.id, one.body) for one in stage.receivers.received["shop"]]
    data = stage.receivers.received["shop"][0].content["data"]
    last = max(one.content["data"]["seq"] for one in stage.receivers.received["shop"])
    await stage.shop.endpoints.replay(made.id, [Span(data["epoch"], data["shard"], 1, last)])
    await stage.types_at("shop", len(before) + last)
    again = [(one.id, one.body) for one in stage.receivers.received["shop"][len(before) :]]
    assert set(before) < set(again)
    assert stage.receivers.ids_with_two_bodies() == []


async def test_replicas_share_the_endpoints_and_one_that_goes_leaves_them_to_the_other(stage: Stage) -> None:
    names = [f"shop-{number}" for number in range(4)]
    for name in names:
        await stage.endpoint(name)
    async with running(stage.shop.system) as other:  # type: ignore[arg-type]  # it is one

        async def shared() -> bool:
            return [len(one.held.endpoints) for one in (stage.channels, other)] == [2, 2]

        await wait_until(shared)
        await stage.sell(1)
        for name in names:
            await stage.until(name, {sku: [2] for sku in SKUS})
    await stage.api.move(receipt(LOCATION, "A", 1))
    for name in names:
        await stage.until(name, {"A": [2, 3], "B": [2], "C": [2]})


@pytest.mark.usefixtures("processes")
async def test_libraries_of_node_verify_what_is_sent_while_keys_are_rotated(stage: Stage, tmp_path: Path) -> None:
    modules = need_tools()
    made = await stage.endpoint("shop")
    before, pair, after = new_secret(), new_signing_key(), new_secret()
    ring = KeyRing((HeldKey(before),)).rotated(pair, time.time()).rotated(after, time.time())
    assert await stage.shop.endpoints.reseal(
        made.id, (await stage.shop.endpoints.sealed(made.id)) or b"", seal_ring(Seal([SEALING_KEY]), ring)
    )

    async def signed_so() -> bool:
        held = stage.channels.held.endpoints.get(made.id)
        return held is not None and held.keys.newest == after

    await wait_until(signed_so)
    await stage.sell(2, "A")
    await stage.until("shop", {"A": [2, 3]})
    expected: list[bool] = []
    deliveries = []
    keys = [(key.text, ("standardwebhooks", "svix")) for key in (before, after)] + [(pair.public_text, ("crypto",))]
    others = [(new_secret().text, ("standardwebhooks", "svix")), (new_signing_key().public_text, ("crypto",))]
    for one in stage.receivers.received["shop"]:
        assert [part.split(",")[0] for part in one.signature.split(" ")] == ["v1", "v1a", "v1"]
        headers = {
            "webhook-id": one.id,
            "webhook-timestamp": str(one.timestamp),
            "webhook-signature": one.signature,
        }
        for key, readers in (*keys, *others):
            for reader in readers:
                for body in (one.body, one.body + b" "):
                    shown = base64.b64encode(body).decode()
                    deliveries.append({"reader": reader, "key": key, "headers": headers, "body": shown})
                    expected.append(body == one.body and (key, readers) in keys)
    file = tmp_path / "deliveries.json"
    file.write_text(json.dumps(deliveries))
    found = await asyncio.to_thread(run_node, Path(__file__).with_name("verifying.mjs"), file, modules)
    assert json.loads(found) == expected
    assert sum(expected) == 10


async def test_latest_is_sent_nothing_that_came_meanwhile_while_it_catches_up(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await stage.endpoint("latest", mode="latest")
    await stage.pause(made)
    await stage.sell(20, "A")
    monkeypatch.setattr(follower, "PAGE", 2)
    monkeypatch.setattr(intake, "PAGE", 2)
    monkeypatch.setattr(intake, "PAGES_TOGETHER", 1)
    await stage.shop.endpoints.resume(made.id)
    await stage.until("latest", {"A": [21]})


async def test_what_is_stored_while_it_is_asked_what_is_due_is_not_sent_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer still has a level and a notice that are in flight, and comes when both were recorded."""
    made = await stage.endpoint("shop")
    read, due, record = asyncio.Event(), Outbox.due, Outbox.record

    async def not_in_flight() -> bool:
        leased = stage.channels.held.endpoints[made.id]
        return not leased.in_flight and not leased.notices

    async def recorded_late(self: Outbox, reports: Sequence[Report]) -> None:
        await read.wait()
        await record(self, reports)

    async def answered_late(self: Outbox, asked: Mapping[str, int], epoch: str) -> dict[str, Due]:
        found = await due(self, asked, epoch)
        leased = stage.channels.held.endpoints.get(made.id)
        if leased is not None and leased.in_flight and leased.notices and not read.is_set():
            in_flight = {row.level for row in found[made.id].levels}, {one.id for one in found[made.id].notices}
            if in_flight == (leased.in_flight, leased.notices):
                read.set()
                await wait_until(not_in_flight)
        return found

    monkeypatch.setattr(Outbox, "record", recorded_late)
    monkeypatch.setattr(Outbox, "due", answered_late)
    await stage.sell(1, "A")
    await stage.shop.endpoints.notify(made.id, "webhook.test", {})
    await stage.types_at("shop", 2)
    async with asyncio.timeout(PATIENCE_S):
        await read.wait()
    await stage.sell(1, "B")
    await stage.until("shop", {"A": [2], "B": [2]})
    await wait_until(not_in_flight)
    types = [one.content["type"] for one in stage.receivers.received["shop"]]
    assert sorted(types) == ["stock.changed", "stock.changed", "webhook.test"]


async def taken(stage: Stage, members: dict[str, list[int]]) -> bool:
    return stage.receivers.versions("shop") == members


async def nothing_behind(shop: Shop, receivers: Receivers) -> bool:
    return receivers.count > 0 and await shop.behind() == 0
