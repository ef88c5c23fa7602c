"""Lists of items and locations: all or nothing, told apart, and never in each other's way."""

import asyncio
import random
from typing import Any

import pytest

from ledger.http.body import LIST_FACTOR
from ledger.migrations import SHARDS_DEFAULT
from tests.conftest import StartLedger
from tests.harness.system import System
from tests.ledger.api import Api, field, problem
from wire.shards import shard_of

ITEMS = "/v1/items"
LOCATIONS = "/v1/locations"


async def put(api: Api, *listed: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = await api.put(ITEMS, {"items": listed, **more})
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


async def item(api: Api, sku: str) -> dict[str, Any]:
    found: dict[str, Any] = (await api.get(f"{ITEMS}/{sku}")).json()
    return found


async def test_created_updated_and_unchanged_are_told_apart(api: Api, unique_name: str) -> None:
    a, b, c = (f"{letter}-{unique_name}" for letter in "abc")
    mug: dict[str, Any] = {"sku": a, "name": "A", "price": "2.5", "currency": "GBP", "attributes": {"n": 1}}
    first = [{"sku": c, "name": "C"}, mug]
    assert await put(api, *first) == {"created": [c, a], "updated": [], "unchanged": 0}
    assert await put(api, *first) == {"created": [], "updated": [], "unchanged": 2}
    result = await put(
        api, {"sku": b, "name": "B"}, {**mug, "price": 2.50, "attributes": {"n": 1.0}}, {"sku": c, "name": "Cup"}
    )
    assert result == {"created": [b], "updated": [c], "unchanged": 1}
    assert [(await item(api, sku))["name"] for sku in (a, b, c)] == ["A", "B", "Cup"]


@pytest.mark.parametrize(
    "changed", [{"name": "B"}, {"price": None}, {"price": "2.51"}, {"currency": "EUR"}, {"attributes": {}}]
)
async def test_every_field_counts_as_a_change(api: Api, unique_name: str, changed: dict[str, Any]) -> None:
    one = {"sku": unique_name, "name": "A", "price": "2.5", "currency": "GBP", "attributes": {"n": 1}}
    await put(api, one)
    assert (await put(api, {**one, **changed}))["updated"] == [unique_name]
    assert await put(api, {**one, **changed}) == {"created": [], "updated": [], "unchanged": 1}


async def test_a_list_stores_what_single_puts_store(api: Api, unique_name: str) -> None:
    body = {"name": "Mug", "price": "0e999999", "currency": "GBP", "attributes": {"a": 1e-7, "b": None, "c": "é"}}
    single = (await api.put(f"{ITEMS}/a{unique_name}", body)).json()
    await put(api, {"sku": f"b{unique_name}", **body})
    assert await item(api, f"b{unique_name}") == {**single, "sku": f"b{unique_name}"}
    place = (await api.put(f"{LOCATIONS}/a{unique_name}", {"name": "Köln"})).json()
    assert (await api.put(LOCATIONS, {"locations": [place | {"location": "x" + unique_name}]})).status_code == 422
    await api.put(LOCATIONS, {"locations": [{"location": f"b{unique_name}", "name": "Köln"}]})
    listed = (await api.get(f"{LOCATIONS}/b{unique_name}")).json()
    assert listed == {
        "location": f"b{unique_name}",
        "name": "Köln",
        "shard": shard_of(f"b{unique_name}", SHARDS_DEFAULT),
    }
    assert place["shard"] == shard_of(f"a{unique_name}", SHARDS_DEFAULT)


async def test_what_is_there_may_stay_as_it_is(api: Api, unique_name: str) -> None:
    known, new = f"known-{unique_name}", f"new-{unique_name}"
    await put(api, {"sku": known, "name": "A better name"})
    result = await put(api, {"sku": known, "name": known}, {"sku": new, "name": new}, existing="keep")
    assert result == {"created": [new], "updated": [], "unchanged": 1}
    assert (await item(api, known))["name"] == "A better name"
    for place, existing in (([known], "replace"), ([known, new], "keep")):
        listed = [{"location": location, "name": existing} for location in place]
        answer = await api.put(LOCATIONS, {"locations": listed, "existing": existing})
    assert answer.json() == {"created": [new], "updated": [], "unchanged": 1}
    assert (await api.get(f"{LOCATIONS}/{known}")).json()["name"] == "replace"


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"name": ""}, "name"),
        ({"name": "a", "price": "-1"}, "price"),
        ({"name": "a", "price": "0.00001"}, "price"),
        ({"name": "a", "currency": "gbp"}, "currency"),
        ({"name": "a", "attributes": {"n": 2**63}}, "attributes.n"),
        ({"name": "a", "colour": "red"}, "colour"),
        ({}, "name"),
        ({"name": "a", "sku": "a/b"}, "sku"),
    ],
)
async def test_one_wrong_item_refuses_the_list_and_is_named(
    api: Api, unique_name: str, wrong: dict[str, Any], named: str
) -> None:
    listed = [{"sku": f"{number}-{unique_name}", "name": "a"} for number in range(3)]
    listed[1] = {"sku": listed[1]["sku"], **wrong}
    assert field(await api.put(ITEMS, {"items": listed})) == (422, f"items[1].{named}")
    assert (await api.get(f"{ITEMS}/0-{unique_name}")).status_code == 404


async def test_a_name_twice_in_a_list_is_refused_with_both_places(api: Api, unique_name: str) -> None:
    listed = [{"sku": sku, "name": "a"} for sku in ("x", unique_name, "y", unique_name)]
    answer = await api.put(ITEMS, {"items": listed})
    assert field(answer) == (422, "items[3].sku")
    assert answer.json()["reason"] == "is that of items[1] too"
    places = [{"location": unique_name, "name": name} for name in "ab"]
    assert field(await api.put(LOCATIONS, {"locations": places})) == (422, "locations[1].location")


@pytest.mark.parametrize(("path", "noun", "key"), [(ITEMS, "items", "sku"), (LOCATIONS, "locations", "location")])
async def test_a_list_has_bounds(api: Api, unique_name: str, path: str, noun: str, key: str) -> None:
    listed = [{key: f"{number}-{unique_name}", "name": "é" * 256} for number in range(1001)]
    assert field(await api.put(path, {noun: listed})) == (422, noun)
    assert field(await api.put(path, {noun: []})) == (422, noun)
    assert field(await api.put(path, {noun: listed[:1], "existing": "maybe"})) == (422, "existing")
    assert len((await api.put(path, {noun: listed[:1000]})).json()["created"]) == 1000, "512 KB"
    assert (await api.put(path, {noun: listed[:1000]})).json()["unchanged"] == 1000


async def test_a_list_may_be_larger_than_other_bodies_and_says_how_large(
    start_ledger: StartLedger, system: System
) -> None:
    ledger = await start_ledger(STOCKWIRE_LEDGER_BODY_BYTES_MAX="1024")
    async with Api(ledger.url, await system.admin_key()) as api:
        listed = [{"sku": f"S{number}", "name": "a" * 200} for number in range(40)]
        assert (await api.put(ITEMS, {"items": listed[:30]})).is_success
        answer = await api.put(ITEMS, {"items": listed})
        assert (*problem(answer), answer.json()["bytes_max"]) == (413, "too-large", 1024 * LIST_FACTOR)
        answer = await api.put(f"{ITEMS}/A", {"name": "a", "attributes": {"long": "x" * 2000}})
        assert answer.json()["bytes_max"] == 1024


async def test_lists_need_the_right_to_write_everywhere(http_system: System, api: Api, unique_name: str) -> None:
    for scopes, status in ((("stock:write:*",), 200), ((f"stock:write:{unique_name}", "stock:read:*"), 403)):
        async with Api(http_system.ledger_url, await http_system.key("clerk", *scopes)) as clerk:
            items = await clerk.put(ITEMS, {"items": [{"sku": unique_name, "name": "a"}]})
            places = await clerk.put(LOCATIONS, {"locations": [{"location": unique_name, "name": "a"}]})
        assert (items.status_code, places.status_code) == (status, status)


async def test_lists_that_overlap_in_any_order_do_not_deadlock(api: Api, unique_name: str) -> None:
    skus = [f"{number}-{unique_name}" for number in range(60)]
    chance = random.Random(7)

    async def put_some(turn: int) -> None:
        listed = [{"sku": sku, "name": f"{turn}"} for sku in chance.sample(skus, 50)]
        for answer in await asyncio.gather(api.put(ITEMS, {"items": listed}), put_single(turn)):
            assert answer.is_success, answer.text

    async def put_single(turn: int) -> Any:
        return await api.put(f"{ITEMS}/{chance.choice(skus)}", {"name": f"single {turn}"})

    await asyncio.gather(*(put_some(turn) for turn in range(24)))
    created = await put(api, *({"sku": sku, "name": "last"} for sku in skus))
    assert created["created"] == []


async def test_what_two_lists_create_at_once_is_created_by_one_of_them(api: Api, unique_name: str) -> None:
    listed = [{"sku": f"{number}-{unique_name}", "name": "a"} for number in range(200)]
    results = await asyncio.gather(*(put(api, *(listed if turn % 2 else listed[::-1])) for turn in range(6)))
    assert sorted(sku for result in results for sku in result["created"]) == sorted(one["sku"] for one in listed)
    assert all(result["updated"] == [] for result in results)
