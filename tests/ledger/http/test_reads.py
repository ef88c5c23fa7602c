"""Reads over HTTP: pages, snapshots, history, the feed and its long polls."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.conftest import StartLedger
from tests.harness.postgres import PostgresServer
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.ledger.api import Api, field, problem, receipt, sale
from tests.ledger.held_rows import database_of
from wire.shards import shard_of


async def test_pages_show_everything_once(api: Api, unique_name: str) -> None:
    skus = [f"{number}-{unique_name}" for number in range(5)]
    for sku in skus:
        await api.stock(unique_name, sku, 1)
    await api.stock(unique_name, f"empty-{unique_name}")
    found, after = [], None
    for _ in range(3):
        page = (await api.get("/v1/levels", params=params(location=unique_name, limit=2, after=after))).json()
        found += [level["sku"] for level in page["levels"]]
        after = page["next"]
    assert (found, after) == (skus, None)


async def test_all_locations_are_paged_by_sku_and_location(api: Api, unique_name: str) -> None:
    places = [f"{letter}-{unique_name}" for letter in "cab"]
    for place in places:
        await api.stock(place, unique_name, 1)
    found, after = [], None
    while True:
        page = (await api.get("/v1/levels", params=params(limit=1, after=after))).json()
        found += [(level["sku"], level["location"]) for level in page["levels"]]
        if (after := page["next"]) is None:
            break
    assert found == sorted(found, key=lambda key: (key[0].encode(), key[1].encode()))
    assert [place for sku, place in found if sku == unique_name] == sorted(places)


@pytest.mark.parametrize("path", ["/v1/items", "/v1/locations", "/v1/keys"])
async def test_the_catalog_and_the_keys_are_paged(api: Api, unique_name: str, path: str) -> None:
    for letter in "ab":
        await api.stock(f"{letter}-{unique_name}", f"{letter}-{unique_name}")
        await api.post("/v1/keys", {"owner": unique_name, "scopes": ["feed"]})
    assert await all_pages(api, path, limit=3) == await all_pages(api, path, limit=1000)


async def all_pages(api: Api, path: str, limit: int) -> list[dict[str, Any]]:
    """All there is, however much of it other tests have made, in pages of ``limit``."""
    paged: list[dict[str, Any]] = []
    after = None
    while True:
        page = (await api.get(path, params=params(limit=limit, after=after))).json()
        paged += page[path.rsplit("/", 1)[-1]]
        if (after := page["next"]) is None:
            return paged


@pytest.mark.parametrize("name", ["\u200d", "\u202e", "\U0010ffff", "\ue000"])
@pytest.mark.parametrize("path", ["/v1/items", "/v1/locations"])
async def test_a_page_may_end_on_any_name(api: Api, unique_name: str, path: str, name: str) -> None:
    await api.stock(unique_name + name, unique_name + name)
    page = await api.get(path, params={"after": unique_name + name})
    assert page.status_code == 200


async def test_an_item_is_replaced_and_its_price_is_exact(api: Api, unique_name: str) -> None:
    path = f"/v1/items/{unique_name}"
    await api.put(
        path, {"name": "Mug", "price": 0.1, "currency": "GBP", "attributes": {"a": 1.5, "b": True, "c": None}}
    )
    assert (await api.get(path)).json() == {
        "sku": unique_name,
        "name": "Mug",
        "price": "0.10",
        "currency": "GBP",
        "attributes": {"a": 1.5, "b": True, "c": None},
    }
    assert (await api.put(path, {"name": "Mug", "price": "0e999999", "currency": "GBP"})).json()["price"] == "0"
    replaced = await api.put(path, {"name": "Cup"})
    assert (replaced.json()["price"], replaced.json()["attributes"]) == (None, {})


async def test_a_query_answers_in_order_and_invents_what_is_not_there(hub_api: Api, api: Api, unique_name: str) -> None:
    await api.stock(unique_name, unique_name, 3)
    keys = [["nowhere", "A"], [unique_name, unique_name], [unique_name, "absent"], [unique_name, unique_name]]
    answer = (await hub_api.post("/v1/levels/query", {"keys": keys})).json()
    assert [[level["location"], level["sku"]] for level in answer["levels"]] == keys
    assert [level["version"] for level in answer["levels"]] == [0, 1, 0, 1]
    shards = len(answer["heads"])
    assert answer["levels"][0]["shard"] == shard_of("nowhere", shards)
    assert answer["levels"][2]["shard"] == shard_of(unique_name, shards)
    assert answer["heads"][str(answer["levels"][1]["shard"])] >= answer["levels"][1]["seq"] > 0
    nothing = (await hub_api.post("/v1/levels/query", {"keys": []})).json()
    assert (nothing["levels"], nothing["view_versions"], len(nothing["heads"])) == ([], [], shards)
    for wrong in ([["a"]], [["a", "b", "c"]], [["a", "b/c"]], [["a", "b"]] * 1001):
        answer_wrong = await hub_api.post("/v1/levels/query", {"keys": wrong})
        assert problem(answer_wrong) == (422, "invalid")


async def test_history_goes_on_after_a_version(api: Api, unique_name: str) -> None:
    await api.stock(unique_name, unique_name, 5)
    for _ in range(3):
        await api.move(sale(unique_name, unique_name))
    path = f"/v1/levels/{unique_name}/{unique_name}/events"
    first = (await api.get(path, params={"limit": 2})).json()
    second = (await api.get(path, params={"limit": 2, "after": first["next"]})).json()
    assert [event["version"] for event in first["events"] + second["events"]] == [1, 2, 3, 4]
    assert (first["next"], second["next"]) == (2, None)
    await api.stock(unique_name, "unmoved-" + unique_name)
    unmoved = await api.get(f"/v1/levels/{unique_name}/unmoved-{unique_name}/events")
    assert unmoved.json() == {"events": [], "next": None}


@pytest.mark.parametrize(
    ("path", "query", "named"),
    [
        ("/v1/levels", "locaton=berlin", "locaton"),
        ("/v1/levels", "location=a&location=b", "location"),
        ("/v1/levels", "location=%FF", "query"),
        ("/v1/levels", "location=", "location"),
        ("/v1/levels", "after=x", "after"),
        ("/v1/levels", "limit=0", "limit"),
        ("/v1/items", "limit=1001", "limit"),
        ("/v1/items", "limit=-1", "limit"),
        ("/v1/items", "limit=1e3", "limit"),
        ("/v1/items", "after=%00", "after"),
        ("/v1/items", "after=" + "x" * 257, "after"),
        ("/v1/events", "", "shard"),
        ("/v1/events", "shard=0&after=99999999999999999999", "after"),
        ("/v1/events", "shard=0&wait=31", "wait"),
        ("/v1/events", "shard=0&wait=nan", "wait"),
        ("/v1/events", "shard=0&wait=-1", "wait"),
    ],
)
async def test_a_wrong_parameter_is_named(api: Api, path: str, query: str, named: str) -> None:
    assert field(await api.get(f"{path}?{query}")) == (400, named)


# --- the feed


@pytest.mark.parametrize("wait", ["0.125", "1e-3", "6.103515625e-05", "1E0"])
async def test_seconds_are_taken_as_json_writes_them(api: Api, wait: str) -> None:
    answer = await api.get(f"/v1/events?shard=0&after=9000000000000000000&wait={wait}")
    assert answer.json()["events"] == []


async def test_the_feed_is_dense_and_says_its_head(api: Api, unique_name: str) -> None:
    await api.stock(unique_name, unique_name, 1)
    moved = (await api.move(receipt(unique_name, unique_name, 1))).json()["events"][0]
    shard, seq = moved["shard"], moved["seq"]
    page = (await api.get("/v1/events", params={"shard": shard, "after": seq - 2, "limit": 2})).json()
    assert [event["seq"] for event in page["events"]] == [seq - 1, seq]
    assert page["events"][1] == moved
    assert page["head"] >= seq
    heads = (await api.get("/v1/shards")).json()
    assert heads["epoch"] == page["epoch"]
    assert {"shard": shard, "head": page["head"]} in heads["shards"]


async def test_the_epoch_names_the_database_and_its_timeline(
    hub_api: Api, http_system: System, postgres: PostgresServer
) -> None:
    """A copy of the database, or a standby that was promoted, begins another history under the same stored epoch."""
    name = database_of(http_system.database_url)
    (row,) = await postgres.query(
        "select m.epoch, s.system_identifier, c.timeline_id"
        " from ledger_meta m, pg_control_system() s, pg_control_checkpoint() c",
        name,
    )
    for path in ("/v1/shards", "/v1/events?shard=0"):
        stored, system, timeline = (await hub_api.get(path)).json()["epoch"].rsplit("-", 2)
        assert stored == row["epoch"]
        assert int(system, 36) == row["system_identifier"]
        assert int(timeline) == row["timeline_id"]


async def test_a_long_poll_sees_a_commit_of_another_ledger(start_ledger: StartLedger, system: System) -> None:
    one, other = await start_ledger(), await start_ledger()
    key = await system.admin_key()
    async with Api(one.url, key) as reader, Api(other.url, key) as writer:
        await writer.stock("berlin", "A")
        shard = (await writer.get("/v1/locations/berlin")).json()["shard"]
        poll = asyncio.create_task(reader.get("/v1/events", params={"shard": shard, "wait": 30}))
        await wait_until(lambda: polls_are(one.admin, 1))
        moved = (await writer.move(receipt("berlin", "A", 1))).json()
        async with asyncio.timeout(PATIENCE_S):
            assert (await poll).json()["events"] == moved["events"]


async def test_a_long_poll_ends_with_its_time_its_caller_or_the_ledger(
    start_ledger: StartLedger, system: System
) -> None:
    ledger = await start_ledger()
    async with Api(ledger.url, await system.admin_key()) as api:
        page = (await api.get("/v1/events", params={"shard": 0, "wait": 0.2})).json()
        assert (page["head"], page["events"]) == (0, [])
        with pytest.raises(httpx.ReadTimeout):
            await api.get("/v1/events", params={"shard": 0, "wait": 30}, timeout=httpx.Timeout(40, read=0.2))
        await wait_until(lambda: polls_are(ledger.admin, 0))
        poll = asyncio.create_task(api.get("/v1/events", params={"shard": 0, "wait": 30}))
        await wait_until(lambda: polls_are(ledger.admin, 1))
        ledger.terminate()
        async with asyncio.timeout(PATIENCE_S):
            assert (await poll).json()["events"] == []
        assert await ledger.wait() == 0


async def polls_are(admin: str, number: int) -> bool:
    async with httpx.AsyncClient() as client:
        metrics = (await client.get(f"{admin}/metrics")).text
    return f"stockwire_ledger_long_polls {number}.0" in metrics


def params(**values: object) -> dict[str, str]:
    return {name: str(value) for name, value in values.items() if value is not None}
