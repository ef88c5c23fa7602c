"""Movements and counts over HTTP: keys, versions, scopes, what is and is not remembered."""

import asyncio
import secrets
from typing import Any

import pytest

from tests.harness.system import System
from tests.ledger.api import Api, field, problem, receipt, sale


async def test_one_key_has_one_effect_however_it_is_written(api: Api, unique_name: str) -> None:
    await api.stock(unique_name, unique_name, 5)
    key = secrets.token_hex(4) + '"\\!'
    body = sale(unique_name, unique_name, reference="order-1", occurred_at="2026-11-22T12:00:00+02:00")
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    first = await api.move(body, key)
    again = [
        await api.move(body, f'"{escaped}"'),
        await api.move({"lines": [body | {"occurred_at": "2026-11-22T10:00:00Z", "reason": None}]}, key),
    ]
    assert first.headers.get("idempotency-replayed") is None
    assert first.json()["events"][0]["occurred_at"] == "2026-11-22T10:00:00.000000Z"
    for answer in again:
        assert (answer.status_code, answer.headers["idempotency-replayed"]) == (201, "true")
        assert answer.json() == first.json()
    assert (await api.get(f"/v1/levels/{unique_name}/{unique_name}")).json() == first.json()["levels"][0]


async def test_the_same_key_sent_fifty_times_at_once_sells_once(api: Api, unique_name: str) -> None:
    await api.stock(unique_name, unique_name, 50)
    answers = await asyncio.gather(*(api.move(sale(unique_name, unique_name), "k-" + unique_name) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {201}
    assert (await api.get(f"/v1/levels/{unique_name}/{unique_name}")).json()["on_hand"] == 49


async def test_a_key_used_for_another_request_is_refused(api: Api, unique_name: str) -> None:
    await api.stock(unique_name, unique_name, 5)
    key = "mismatch-" + unique_name
    await api.move(sale(unique_name, unique_name), key)
    for other in (sale(unique_name, unique_name, -2), sale(unique_name, unique_name, reference="x")):
        assert problem(await api.move(other, key)) == (422, "idempotency-mismatch")
    answer = await api.count(unique_name, unique_name, {"on_hand": 4, "expected_version": None}, Idempotency_Key=key)
    assert problem(answer) == (422, "idempotency-mismatch")


async def test_if_match_belongs_to_the_request(api: Api, unique_name: str) -> None:
    """The same number in the body and in the header answer with different statuses, so they are different requests."""
    await api.stock(unique_name, unique_name, 5)
    key = "if-match-" + unique_name
    by_body = await api.count(unique_name, unique_name, {"on_hand": 4, "expected_version": 9}, Idempotency_Key=key)
    assert problem(by_body) == (409, "version-conflict")
    by_header = await api.count(unique_name, unique_name, {"on_hand": 4}, Idempotency_Key=key, If_Match='"9"')
    assert problem(by_header) == (422, "idempotency-mismatch")


async def test_a_refusal_is_remembered_and_a_missing_item_is_not(api: Api, unique_name: str) -> None:
    await api.stock(unique_name, unique_name, 1)
    key = "refused-" + unique_name
    refused = await api.move(sale(unique_name, unique_name, -2), key)
    await api.move(receipt(unique_name, unique_name, 5))
    again = await api.move(sale(unique_name, unique_name, -2), key)
    assert (again.json(), again.headers["idempotency-replayed"]) == (refused.json(), "true")
    later = "later-" + unique_name
    body = receipt(unique_name, "later-" + unique_name, 1)
    assert problem(await api.move(body, later)) == (404, "not-found")
    await api.put(f"/v1/items/later-{unique_name}", {"name": "now it is there"})
    assert (await api.move(body, later)).status_code == 201


@pytest.mark.parametrize("key", ["", '"', '""', '"a', 'a b"', "a b", "x" * 201, '"' + "x" * 201 + '"', '"a\\x"', "é"])
async def test_an_impossible_idempotency_key_is_refused(api: Api, key: str) -> None:
    answer = await api.post("/v1/movements", sale("x", "x"), headers={"Idempotency-Key": key.encode("latin-1")})
    assert field(answer) == (400, "Idempotency-Key")


async def test_a_missing_or_doubled_idempotency_key_is_refused(api: Api) -> None:
    assert field(await api.post("/v1/movements", sale("x", "x"))) == (400, "Idempotency-Key")
    answer = await api.post(
        "/v1/movements", sale("x", "x"), headers=[("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    )
    assert field(answer) == (400, "Idempotency-Key")
    assert field(await api.put("/v1/levels/x/x", {"on_hand": 1, "expected_version": 1})) == (400, "Idempotency-Key")


async def test_an_operation_is_all_or_nothing(api: Api, unique_name: str) -> None:
    other = "b-" + unique_name
    await api.stock(unique_name, unique_name, 5)
    await api.stock(other, unique_name, 1)
    lines = [sale(unique_name, unique_name), sale(other, unique_name, -2)]
    assert problem(await api.move({"lines": lines})) == (409, "insufficient-stock")
    assert (await api.get(f"/v1/levels/{unique_name}/{unique_name}")).json()["version"] == 1
    answer = await api.move({"lines": [*lines[:1], sale(other, unique_name), sale(unique_name, unique_name)]})
    found = {(level["location"], level["on_hand"], level["version"]) for level in answer.json()["levels"]}
    assert found == {(unique_name, 3, 2), (other, 0, 2)}


async def test_an_unknown_location_tells_nothing_to_who_may_not_write_there(
    http_system: System, api: Api, unique_name: str
) -> None:
    await api.stock(unique_name, unique_name)
    key = await http_system.key("narrow", "stock:write:mine", "stock:read:mine")
    async with Api(http_system.ledger_url, key) as narrow:
        for location in (unique_name, "absent-" + unique_name):
            answers = [
                await narrow.move(sale(location, unique_name)),
                await narrow.move({"lines": [sale("mine", unique_name), sale(location, unique_name)]}),
                await narrow.count(location, unique_name, {"on_hand": 1, "expected_version": 0}),
            ]
            for answer in answers:
                assert (problem(answer), answer.json()["scope"]) == ((403, "forbidden"), f"stock:write:{location}")
            reads = [
                await narrow.get(f"/v1/levels/{location}/{unique_name}"),
                await narrow.get("/v1/levels", params={"location": location}),
                await narrow.get(f"/v1/levels/{location}/{unique_name}/events"),
                await narrow.get(f"/v1/locations/{location}"),
                await narrow.post("/v1/levels/query", {"keys": [["mine", "A"], [location, "A"]]}),
            ]
            for answer in reads:
                assert (problem(answer), answer.json()["scope"]) == ((403, "forbidden"), f"stock:read:{location}")
        assert problem(await narrow.get("/v1/levels")) == (403, "forbidden")
        assert (await narrow.get("/v1/locations")).json()["locations"] == []


@pytest.mark.parametrize(
    "value", ["7", 'W/"7"', '"7", "8"', "*", '"x"', '"-1"', '"07"', '""', '"99999999999999999999"']
)
async def test_an_if_match_that_names_no_version_is_refused(api: Api, value: str) -> None:
    assert field(await api.count("x", "x", {"on_hand": 1}, If_Match=value)) == (400, "If-Match")


async def test_a_count_says_which_version_it_saw(api: Api, unique_name: str) -> None:
    await api.stock(unique_name, unique_name, 5)

    async def count(body: Any, **headers: str) -> Any:
        return await api.count(unique_name, unique_name, body, **headers)

    assert field(await count({"on_hand": 1})) == (422, "expected_version")
    assert field(await count({"on_hand": 1, "expected_version": 2}, If_Match='"1"')) == (422, "expected_version")
    assert field(await count({"on_hand": 1, "expected_version": None}, If_Match='"1"')) == (422, "expected_version")
    assert field(await count({"on_hand": -1, "expected_version": 1})) == (422, "on_hand")
    assert field(await count({"on_hand": 2**31, "expected_version": 1})) == (422, "on_hand")
    answers = [
        await count({"on_hand": 7, "expected_version": 1}, If_Match='"1"'),
        await count({"on_hand": 0, "expected_version": None, "reason": "stocktaking"}),
        await count({"on_hand": 2}, If_Match='"3"'),
    ]
    events = [answer.json()["events"][0] for answer in answers]
    assert [(event["version"], event["on_hand_delta"], event["kind"]) for event in events] == [
        (2, 2, "count"),
        (3, -7, "count"),
        (4, 2, "count"),
    ]


@pytest.mark.parametrize("path", ["/v1/levels/a%20b/A", "/v1/levels/a%00/A", "/v1/levels/*/A"])
async def test_a_path_that_names_nothing_is_refused(api: Api, path: str) -> None:
    assert field(await api.get(path)) == (400, "location")


async def test_a_path_that_is_no_text_is_refused_whole(api: Api) -> None:
    assert field(await api.get("/v1/levels/%FF/A")) == (400, "path")


async def test_names_beyond_ascii_come_back_as_they_went(api: Api, unique_name: str) -> None:
    place, sku = f"köln-{unique_name}", f"茶碗+&?=%-{unique_name[:8]}"
    await api.put(f"/v1/locations/{place}", {"name": "Köln"})
    quoted = sku.replace("%", "%25").replace("?", "%3F")
    await api.put(f"/v1/items/{quoted}", {"name": "Tea bowl"})
    await api.move(receipt(place, sku, 2))
    assert (await api.get(f"/v1/levels/{place}/{quoted}")).json()["sku"] == sku
    assert (await api.get("/v1/levels", params={"location": place})).json()["levels"][0]["sku"] == sku


async def test_a_receipt_that_would_not_fit_again_still_gets_its_answer(api: Api, unique_name: str) -> None:
    """Decided anew it is above what a level can hold; it was done, and a client that asks again must hear so."""
    await api.stock(unique_name, unique_name)
    first = await api.move(receipt(unique_name, unique_name, 2**31 - 1), f"{unique_name}-1")
    again = await api.move(receipt(unique_name, unique_name, 2**31 - 1), f"{unique_name}-1")
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert problem(await api.move(receipt(unique_name, unique_name, 1), f"{unique_name}-2")) == (422, "invalid")


async def test_a_used_key_for_an_unknown_sku_is_a_mismatch(api: Api, unique_name: str) -> None:
    await api.stock(unique_name, unique_name, 1)
    await api.move(sale(unique_name, unique_name), unique_name)
    answer = await api.move(sale(unique_name, "never-heard-of"), unique_name)
    assert problem(answer) == (422, "idempotency-mismatch")
