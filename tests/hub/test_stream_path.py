"""The path on real processes: what the ledger commits reaches who watches it, once, in step and only if allowed."""

import asyncio

from hub.feed.loader import REQUESTS_MAX
from tests.conftest import StartSystem
from tests.harness.api_keys import make_token
from tests.harness.metrics import await_applied
from tests.harness.stream import Stream, open_stream
from tests.harness.waiting import PATIENCE_S
from tests.hub.shop import Shop

EVERYTHING = make_token("stock:read:*")


async def test_a_sale_reaches_watchers_of_the_sku_the_location_and_everything(start_system: StartSystem) -> None:
    system = await start_system(hubs=1)
    shop = Shop(system)
    await shop.open("berlin", "A", on_hand=10)
    await shop.open("berlin", "B")
    async with (
        open_stream(system.stream_urls[0], EVERYTHING) as sku,
        open_stream(system.stream_urls[0], EVERYTHING) as location,
        open_stream(system.stream_urls[0], EVERYTHING) as everything,
    ):
        _, snapshot = await sku.subscribe("berlin", ["A", "B"])
        assert _held(snapshot) == {"A": 10, "B": 0}
        for stream, wanted in ((location, "berlin"), (everything, "*")):
            _, snapshot = await stream.subscribe(wanted)
            assert _held(snapshot) == {"A": 10}
            assert snapshot["recovered"] is False
        committed = await shop.sell("berlin", "A")
        for stream in (sku, location, everything):
            assert await stream.expect("level", sku="A") == {"type": "level", **committed}


async def test_overlapping_subscriptions_get_a_level_once(start_system: StartSystem) -> None:
    system = await start_system(hubs=1)
    shop = Shop(system)
    await shop.open("berlin", "A", on_hand=10)
    await await_applied(system.hubs[0], await shop.level("berlin", "A"))
    async with open_stream(system.stream_urls[0], EVERYTHING) as stream:
        for selection in (("berlin", ["A"]), ("berlin", None), ("*", None)):
            await stream.subscribe(*selection)
        for version in (2, 3):
            await shop.sell("berlin", "A")
            await stream.expect("level", sku="A", version=version)
        levels = [message["version"] for message in stream.seen if message["type"] == "level"]
        assert levels == [2, 3]


async def test_a_resume_gives_what_changed_and_only_for_the_same_selection(start_system: StartSystem) -> None:
    """Also at another hub, and when the position is ahead of that hub."""
    system = await start_system(hubs=2)
    shop = Shop(system)
    await shop.open("berlin", "A", "B", on_hand=10)
    for wanted in (("berlin", ["A", "B"]), ("berlin", None), ("*", None)):
        await await_applied(system.hubs[0], await shop.level("berlin", "B"))
        async with open_stream(system.stream_urls[0], EVERYTHING) as stream:
            _, snapshot = await stream.subscribe(*wanted)
        position = snapshot["position"]
        sold = await shop.sell("berlin", "B")
        async with open_stream(system.stream_urls[1], EVERYTHING) as stream:
            _, resumed = await stream.subscribe(*wanted, since=position)
            assert resumed["recovered"] is True
            # the sale may have arrived behind the snapshot, as a level
            if not resumed["levels"]:
                resumed["levels"] = [await stream.expect("level", sku="B")]
            assert [level["version"] for level in resumed["levels"]] == [sold["version"]]
            await _not_recovered(stream, *wanted, since={**position, "selection": "another"})
            await _not_recovered(stream, *wanted, since={**position, "epoch": "another"})
            await _not_recovered(stream, *wanted, since={**position, "seq": {}})
            ahead = {shard: seq + 1_000 for shard, seq in position["seq"].items()}
            await _not_recovered(stream, *wanted, since={**position, "seq": ahead})


async def test_heartbeats_promise_what_was_written(start_system: StartSystem) -> None:
    system = await start_system(hubs=0)
    await system.start_hub(STOCKWIRE_HUB_HEARTBEAT_S=0.2)
    shop = Shop(system)
    await shop.open("berlin", "A", on_hand=10)
    async with open_stream(system.stream_urls[0], EVERYTHING) as stream:
        assert (await stream.expect("heartbeat"))["seq"] == {}
        await stream.subscribe("berlin", ["A"])
        sold = await shop.sell("berlin", "A")
        shard = str(sold["shard"])
        heartbeat = await stream.expect("heartbeat", fresh=True)
        while heartbeat["seq"].get(shard, 0) < sold["seq"]:
            heartbeat = await stream.expect("heartbeat")
        assert sold["version"] in [message.get("version") for message in stream.seen]


async def test_a_subscription_to_what_does_not_exist_yet_sees_it_begin(start_system: StartSystem) -> None:
    system = await start_system(hubs=1)
    async with open_stream(system.stream_urls[0], EVERYTHING) as stream:
        _, snapshot = await stream.subscribe("nowhere", ["X"])
        assert [(level["version"], level["committed_at"]) for level in snapshot["levels"]] == [(0, None)]
        _, snapshot = await stream.subscribe("nowhere")
        assert snapshot["levels"] == []
        await Shop(system).open("nowhere", "X", "Y", on_hand=3)
        for sku in ("X", "Y"):
            assert (await stream.expect("level", sku=sku))["on_hand"] == 3


async def test_a_huge_location_comes_in_bounded_parts(start_system: StartSystem) -> None:
    system = await start_system(hubs=1)
    skus = [f"sku-{number:04}" for number in range(700)]
    await Shop(system).open("berlin", *skus, on_hand=1)
    async with open_stream(system.stream_urls[0], EVERYTHING) as stream:
        _, snapshot = await stream.subscribe("berlin")
        assert sorted(level["sku"] for level in snapshot["levels"]) == skus
        parts = [message for message in stream.seen if message["type"] == "snapshot"]
        assert len(parts) > 2
        assert [part["last"] for part in parts] == [False] * (len(parts) - 1) + [True]


async def test_a_reader_slower_than_the_hub_is_served_on_as_soon_as_it_has_drained(start_system: StartSystem) -> None:
    """And not when something else happens to be written: here nothing else ever is."""
    system = await start_system(hubs=0)
    hub = await system.start_hub(
        STOCKWIRE_HUB_HEARTBEAT_S=60, STOCKWIRE_HUB_WRITE_BYTES_MAX=2_048, STOCKWIRE_HUB_SEND_BUFFER_BYTES=2_048
    )
    skus = [f"sku-{number:04}" for number in range(1_000)]
    await Shop(system).open("berlin", *skus, on_hand=1)
    async with open_stream(hub.stream, EVERYTHING) as stream:
        for _ in range(5):
            async with asyncio.timeout(PATIENCE_S):
                _, snapshot = await stream.subscribe("berlin")
                assert len(snapshot["levels"]) == len(skus)


def _held(snapshot: dict[str, list[dict[str, object]]]) -> dict[object, object]:
    return {level["sku"]: level["on_hand"] for level in snapshot["levels"]}


async def _not_recovered(stream: Stream, location: str, skus: list[str] | None, **fields: object) -> None:
    sub, snapshot = await stream.subscribe(location, skus, **fields)
    assert snapshot["recovered"] is False
    assert _held(snapshot).keys() == {"A", "B"}
    await stream.request("unsubscribe", sub=sub)
    await stream.expect("unsubscribed", sub=sub)


async def test_names_that_make_a_large_request_do_not_stop_the_loading(start_system: StartSystem) -> None:
    """1,000 keys at a location of 256 bytes are more than a ledger takes at once: refused, and asked again for ever."""
    system = await start_system(hubs=1)
    skus = [f"sku-{number}" for number in range(1_000)]
    for attempt in range(REQUESTS_MAX + 1):
        async with open_stream(system.stream_urls[0], EVERYTHING) as stream:
            _, snapshot = await stream.subscribe(chr(0x1F600 + attempt) * 64, skus)
            assert len(_held(snapshot)) == len(skus)
