"""What the public sees and thresholds, on real processes: never a number, never more often than the view changes."""

import asyncio
import json

import httpx
import pytest

from hub.reads.availability_api import CACHEABLE
from ledger.migrations import set_public_steps
from tests.conftest import StartSystem
from tests.harness.api_keys import make_token
from tests.harness.stream import open_stream
from tests.harness.system import System
from tests.hub.reader import client
from tests.hub.shop import Shop
from wire.availability import PublicSteps

PUBLIC = make_token("stock:public:web")
LOW = {"at_most": 5, "until": 8}
BACK = {"at_least": 1}
NUMBERS = {"available", "on_hand", "reserved", "seq", "shard", "committed_at", "kind", "position"}


async def test_the_public_sees_steps_and_is_told_only_when_they_change(start_system: StartSystem) -> None:
    system = await start_system(hubs=2)
    shop = Shop(system)
    await shop.open("web", "A", on_hand=12)
    await shop.open("back-room", "A", on_hand=500)
    async with (
        open_stream(system.stream_urls[0], PUBLIC) as first,
        open_stream(system.stream_urls[1], PUBLIC) as second,
    ):
        for stream in (first, second):
            _, snapshot = await stream.subscribe("web", ["A"], view="public")
            assert snapshot["levels"] == [_view(1, "in_stock", "10+")]
        for left in range(11, -1, -1):
            await shop.sell("web", "A")
            await shop.sell("back-room", "A")
            if left in (9, 4, 0):
                seen = {9: _view(2, "in_stock", "5+"), 4: _view(3, "low", "1+"), 0: _view(4, "out", "0")}[left]
                for stream in (first, second):
                    assert await stream.expect("view") == {"type": "view", **seen}
        for stream in (first, second):
            assert [message["version"] for message in stream.seen if message["type"] == "view"] == [2, 3, 4]
            told = json.dumps([message for message in stream.seen if message["type"] != "heartbeat"])
            assert not any(f'"{name}"' in told for name in NUMBERS)
            assert "back-room" not in told
        async with open_stream(system.stream_urls[0], PUBLIC) as late:
            _, snapshot = await late.subscribe("web", view="public")
            assert snapshot == {"recovered": False, "levels": [_view(4, "out", "0")], "position": None}


async def test_its_heartbeats_tell_neither_positions_nor_when_others_sell(start_system: StartSystem) -> None:
    system = await start_system(hubs=0)
    hub = await system.start_hub(STOCKWIRE_HUB_HEARTBEAT_S=0.1)
    shop = Shop(system)
    await shop.open("web", "A", on_hand=100)
    async with open_stream(hub.stream, PUBLIC) as public:
        await public.subscribe("web", view="public")
        for _ in range(10):
            await shop.sell("web", "A")
            heartbeat = await public.expect("heartbeat", fresh=True)
            assert heartbeat == {"type": "heartbeat", "seq": {}, "fresh": True, "lag_ms": 0}


async def test_a_reader_of_one_location_is_told_its_shard_and_no_other(start_system: StartSystem) -> None:
    system = await start_system(hubs=0)
    hub = await system.start_hub(STOCKWIRE_HUB_HEARTBEAT_S=0.1)
    shop = Shop(system)
    await shop.open("web", "A", on_hand=9)
    async with open_stream(hub.stream, make_token("stock:read:web")) as reader:
        _, snapshot = await reader.subscribe("web")
        own = {str((await shop.level("web", "A"))["shard"])}
        assert set(snapshot["position"]["seq"]) == own
        heartbeat = await reader.expect("heartbeat")
        while not heartbeat["seq"]:
            heartbeat = await reader.expect("heartbeat")
        assert set(heartbeat["seq"]) == own
    async with client(hub.url, "stock:read:web") as http:
        assert set((await http.get("/v1/levels?location=web")).json()["seq"]) == own
        assert set((await http.post("/v1/levels/query", json={"keys": [["web", "A"]]})).json()["seq"]) == own


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"location": "web"}, "forbidden"),
        ({"location": "web", "when": {"at_most": 5}}, "forbidden"),
        ({"location": "back-room", "view": "public"}, "forbidden"),
        ({"location": "*", "view": "public"}, "forbidden"),
        ({"location": "web", "view": "secret"}, "invalid"),
        ({"location": "web", "view": "public", "when": {"at_most": -1}}, "invalid"),
        ({"location": "web", "view": "public", "when": {}}, "invalid"),
        ({"location": "web", "view": "public", "when": {"at_most": 1, "at_least": 2}}, "invalid"),
        ({"location": "web", "view": "public", "when": {"at_most": 5, "until": 5}}, "invalid"),
        ({"location": "web", "view": "public", "when": {"at_least": 0}}, "invalid"),
        ({"location": "web", "view": "public", "since": {"epoch": "e", "seq": {}}}, "invalid"),
    ],
)
async def test_what_the_public_may_not_ask(shared_system: System, asked: dict[str, object], code: str) -> None:
    async with open_stream(shared_system.stream_urls[0], PUBLIC) as public:
        request = await public.request("subscribe", **asked)
        assert (await public.expect("error", id=request))["code"] == code


async def test_thresholds_are_told_once_for_each_crossing(start_system: StartSystem) -> None:
    system = await start_system(hubs=1)
    shop = Shop(system)
    await shop.open("web", "A", "B", on_hand=7)
    async with (
        open_stream(system.stream_urls[0], make_token("stock:read:web")) as staff,
        open_stream(system.stream_urls[0], PUBLIC) as public,
    ):
        _, snapshot = await staff.subscribe("web", ["A"], when=LOW)
        assert snapshot["levels"] == [_threshold(1, None, available=7)]
        _, snapshot = await public.subscribe("web", ["A"], view="public", when=BACK)
        assert snapshot["levels"] == [_threshold(1, True)]
        for quantity, crossings in (
            (1, []),
            (1, [(staff, _threshold(3, True, available=5))]),
            (-2, []),
            (-1, [(staff, _threshold(5, False, available=8))]),
            (8, [(staff, _threshold(6, True, available=0)), (public, _threshold(2, False))]),
            (-3, [(public, _threshold(3, True))]),
        ):
            await _move(shop, system, quantity)
            for stream, crossing in crossings:
                assert await stream.expect("threshold") == {"type": "threshold", **crossing}
        await asyncio.gather(staff.expect("heartbeat"), public.expect("heartbeat"))
        assert [len([m for m in stream.seen if m["type"] == "threshold"]) for stream in (staff, public)] == [3, 2]


async def test_caches_may_keep_what_is_public_and_nothing_else(start_system: StartSystem) -> None:
    system = await start_system(hubs=0)
    for _ in range(2):
        await system.start_hub(STOCKWIRE_HUB_PUBLIC_LOCATIONS="web")
    shop = Shop(system)
    await shop.open("web", "A", on_hand=10)
    await shop.open("back-room", "A", on_hand=10)
    tags = set()
    for hub in system.hubs:
        async with client(hub.url) as anonymous, client(hub.url, "stock:public:*") as holder:
            answer = await _fresh(anonymous, "/v1/availability/web/A")
            assert answer.json() == _view(1, "in_stock", "10+")
            assert answer.headers["Cache-Control"] == CACHEABLE
            assert "Stockwire-Lag-Ms" not in answer.headers
            tags.add(answer.headers["ETag"])
            same = await anonymous.get("/v1/availability/web/A", headers={"If-None-Match": answer.headers["ETag"]})
            assert (same.status_code, same.headers["ETag"]) == (304, answer.headers["ETag"])
            early = await anonymous.get("/v1/availability/web/A?version=2")
            assert (early.json()["version"], early.headers["Cache-Control"]) == (1, "no-store")
            page = await _fresh(anonymous, "/v1/availability?location=web")
            assert page.json() == {"views": [_view(1, "in_stock", "10+")], "next": None}
            assert page.headers["Cache-Control"].startswith("public")
            some = await _fresh(anonymous, "/v1/availability?location=web&sku=B&sku=A&sku=%C3%A9")
            assert [view["sku"] for view in some.json()["views"]] == ["B", "A", "é"]
            assert [view["version"] for view in some.json()["views"]] == [0, 1, 0]
            assert some.headers["Cache-Control"].startswith("public")
            same = await anonymous.get(str(some.url), headers={"If-None-Match": some.headers["ETag"]})
            assert same.status_code == 304
            for path in (
                "/v1/availability/back-room/A",
                "/v1/availability/nowhere/A",
                "/v1/availability?location=x",
                "/v1/availability?location=back-room&sku=A",
            ):
                refused = await anonymous.get(path)
                assert (refused.status_code, "STOCKWIRE_HUB_PUBLIC_LOCATIONS" in refused.text) == (401, True), path
            some = await _fresh(holder, "/v1/availability?location=back-room&sku=A&sku=B")
            assert [view["version"] for view in some.json()["views"]] == [1, 0]
            for path in ("/v1/availability/back-room/A", "/v1/availability/web/A"):
                assert (await _fresh(holder, path)).headers["Cache-Control"] == "private, no-cache"
            assert (await holder.get("/v1/levels/web/A")).status_code == 403
            levels = await client_levels(hub.url)
            assert "public" not in levels.headers["Cache-Control"]
    assert len(tags) == 1
    await shop.sell("web", "A")
    async with client(system.hubs[0].url) as anonymous:
        while (answer := await anonymous.get("/v1/availability/web/A?version=2")).json()["version"] < 2:
            assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["ETag"] not in tags


async def test_other_steps_come_with_a_new_epoch_also_under_traffic(start_system: StartSystem) -> None:
    system = await start_system(hubs=1)
    shop = Shop(system)
    await shop.open("web", "A", on_hand=60)
    selling = asyncio.create_task(_sell(shop, 40))
    async with open_stream(system.stream_urls[0], PUBLIC) as public:
        await public.subscribe("web", view="public")
        await set_public_steps(system.database_url, PublicSteps((1, 20, 50), 20))
        assert await public.closed() == 4202
    await selling
    async with open_stream(system.stream_urls[0], PUBLIC) as public:
        _, snapshot = await public.subscribe("web", view="public")
        assert [(view["availability"], view["quantity"]) for view in snapshot["levels"]] == [("in_stock", "20+")]
        before = snapshot["levels"][0]["version"]
        await shop.sell("web", "A")
        assert await public.expect("view") == {"type": "view", **_view(before + 1, "low", "1+")}


async def _sell(shop: Shop, times: int) -> None:
    for _ in range(times):
        await shop.sell("web", "A")


async def _move(shop: Shop, system: System, quantity: int) -> None:
    """Out of stock, or back into it."""
    if quantity > 0:
        await shop.sell("web", "A", quantity)
    else:
        await shop.receive("web", "A", -quantity)


async def _fresh(http: httpx.AsyncClient, path: str) -> httpx.Response:
    while (answer := await http.get(path)).headers.get("Stockwire-Fresh") != "true":
        assert answer.headers["Cache-Control"] == "no-store", answer.text
    return answer


async def test_several_thresholds_on_one_connection_say_which_they_are(start_system: StartSystem) -> None:
    """Also the same threshold of a level and of what the public sees of it."""
    system = await start_system(hubs=1)
    shop = Shop(system)
    await shop.open("web", "A", on_hand=12)
    at_most_five = {"at_most": 5}
    async with open_stream(system.stream_urls[0], make_token("stock:read:web")) as staff:
        for when, view in ((LOW, {}), (at_most_five, {}), (at_most_five, {"view": "public"}), (BACK, {})):
            await staff.subscribe("web", ["A"], when=when, **view)
        await _move(shop, system, 7)
        told = [await staff.expect("threshold") for _ in range(3)]
        assert sorted(({**one["when"], **_number(one)} for one in told), key=str) == [
            {"at_most": 5, "available": 5},
            {"at_most": 5, "until": 8, "available": 5},
            at_most_five,
        ]
        assert all(one["raised"] for one in told)


def _number(threshold: dict[str, object]) -> dict[str, object]:
    return {name: threshold[name] for name in ("available",) if name in threshold}


async def client_levels(url: str) -> httpx.Response:
    async with client(url, "stock:read:web") as reader:
        return await reader.get("/v1/levels/web/A")


def _view(version: int, availability: str, quantity: str) -> dict[str, object]:
    return {"sku": "A", "location": "web", "version": version, "availability": availability, "quantity": quantity}


def _threshold(version: int, raised: bool | None, **numbers: int) -> dict[str, object]:
    when = LOW if numbers else BACK
    return {"sku": "A", "location": "web", "version": version, "raised": raised, "when": when, **numbers}
