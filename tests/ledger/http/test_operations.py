"""``/v1/operations``: many operations in one request, and what became of them by their keys."""

import secrets
from typing import Any

from ledger.commit.line import Line
from ledger.commit.operation import Operation
from ledger.http.routes.operations import batches
from tests.harness.system import System
from tests.ledger.api import Api, field, problem, receipt, sale


def keyed(key: str, *lines: dict[str, Any]) -> dict[str, Any]:
    return {"key": key, "lines": list(lines)}


async def submit(api: Api, *operations: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await api.post("/v1/operations", {"operations": list(operations)})
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


async def on_hand(api: Api, location: str, sku: str) -> int:
    return int((await api.get(f"/v1/levels/{location}/{sku}")).json()["on_hand"])


async def test_one_that_is_refused_hurts_no_other_and_the_order_given_decides(api: Api, unique_name: str) -> None:
    await api.stock(unique_name, unique_name)
    here = (unique_name, unique_name)
    keys = [f"{unique_name}-{number}" for number in range(4)]
    operations = [
        keyed(keys[0], sale(*here)),
        keyed(keys[1], receipt(*here, 2)),
        keyed(keys[2], sale(*here, -2)),
        keyed(keys[3], sale(unique_name, "absent-" + unique_name)),
    ]
    results = await submit(api, *operations)
    assert [result["key"] for result in results] == keys
    assert [result["status"] for result in results] == [409, 201, 201, 404]
    assert (results[0]["type"], results[0]["requested"], results[0]["available"]) == ("insufficient-stock", 1, 0)
    assert await on_hand(api, *here) == 0
    again = await submit(api, *operations)
    assert [result["replayed"] for result in again] == [True, True, True, False]
    assert [result["status"] for result in again] == [409, 201, 201, 404]
    assert await on_hand(api, *here) == 0


async def test_events_that_are_asked_for_are_those_that_the_movement_alone_is_answered_with(
    api: Api, unique_name: str
) -> None:
    await api.stock(unique_name, unique_name, 5)
    here = (unique_name, unique_name)
    sold, refused = keyed(f"{unique_name}-0", sale(*here, -2), sale(*here)), keyed(f"{unique_name}-1", sale(*here, -9))
    asked = {"operations": [sold, refused], "events": True}
    first, second = (await api.post("/v1/operations", asked)).json()["results"]
    alone = await api.move({"lines": sold["lines"]}, sold["key"])
    assert first == {**alone.json(), "key": sold["key"], "status": 201, "replayed": False}
    assert first["levels"][0]["on_hand"] == 2
    assert "events" not in second
    assert "events" not in (await submit(api, sold))[0]
    wrong = await api.post("/v1/operations", {"operations": [sold], "events": "yes"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "events")


def operation(*lines: tuple[str, int]) -> Operation:
    made = (Line(sku="A", location=location, shard=shard, kind="sale", quantity=-1) for location, shard in lines)
    return Operation("", "owner", "key", b"", tuple(made))


def test_a_location_within_one_shard_and_across_several_is_never_in_one_batch() -> None:
    """Their writers are two, and neither knows of the other's queue."""
    here, there, away, both = (
        operation(("a", 0)),
        operation(("b", 1)),
        operation(("c", 2)),
        operation(("a", 0), ("b", 1)),
    )
    assert list(batches([here, there, here])) == [[here, there, here]]
    assert list(batches([both, both, away])) == [[both, both, away]]
    assert list(batches([here, both, there, away, there])) == [[here], [both], [there, away, there]]
    assert list(batches([away, both, away, here])) == [[away, both, away], [here]]


async def test_a_move_between_locations_has_its_place_in_the_order_given(api: Api, unique_name: str) -> None:
    places = [f"{unique_name}-{number}" for number in range(8)]  # of one shard once in two million times
    for place in places:
        await api.stock(place, unique_name)
    moved = [sale(places[0], unique_name, -7), *(receipt(place, unique_name, 1) for place in places[1:])]
    results = await submit(
        api,
        keyed(f"{unique_name}-in", receipt(places[0], unique_name, 7)),
        keyed(f"{unique_name}-moved", *moved),
        keyed(f"{unique_name}-too-late", sale(places[0], unique_name)),
        keyed(f"{unique_name}-sold", sale(places[1], unique_name)),
    )
    assert [result["status"] for result in results] == [201, 201, 409, 201]


async def test_a_key_has_one_effect_sent_alone_or_among_others(api: Api, unique_name: str) -> None:
    await api.stock(unique_name, unique_name, 5)
    alone, among, counted = (f"{unique_name}-{word}" for word in ("alone", "among", "counted"))
    line = sale(unique_name, unique_name)
    await api.move(line, alone)
    count = {"on_hand": 9, "expected_version": None}
    results = await submit(
        api,
        keyed(alone, line),
        keyed(among, line),
        {"key": counted, "count": {"sku": unique_name, "location": unique_name, **count}},
    )
    assert [(result["status"], result["replayed"]) for result in results] == [(201, True), (201, False), (201, False)]
    assert (await api.move(line, among)).headers["idempotency-replayed"] == "true"
    again = await api.count(unique_name, unique_name, count, Idempotency_Key=counted)
    assert again.headers["idempotency-replayed"] == "true"
    (other,) = await submit(api, keyed(alone, sale(unique_name, unique_name, -2)))
    assert (other["status"], other["type"]) == (422, "idempotency-mismatch")
    assert await on_hand(api, unique_name, unique_name) == 9


async def test_what_is_not_valid_refuses_the_request_before_anything_is_booked(api: Api, unique_name: str) -> None:
    await api.stock(unique_name, unique_name, 5)
    good = keyed(f"{unique_name}-good", sale(unique_name, unique_name))
    line = sale(unique_name, unique_name)
    wrong: list[tuple[dict[str, Any], str]] = [
        (keyed("a", sale(unique_name, unique_name, 1)), "operations[1].lines[0].quantity"),
        (keyed("a b", line), "operations[1].key"),
        (keyed('"a"', line), "operations[1].key"),
        (keyed(f"{unique_name}-good", line), "operations[1].key"),
        ({"key": "a"}, "operations[1].lines"),
        ({"key": "a", "lines": [line], "count": {}}, "operations[1].count.sku"),
        ({"key": "a", "count": {"sku": "A", "location": "b", "on_hand": 1}}, "operations[1].count.expected_version"),
        (keyed("a", *[line] * 1_000), "operations"),
        (keyed("a", line, {**line, "expected_version": 1}, {**line, "expected_version": 2}),
         "operations[1].lines[2].expected_version"),
    ]  # fmt: skip
    for operation, named in wrong:
        assert field(await api.post("/v1/operations", {"operations": [good, operation]})) == (422, named)
    nowhere = keyed("a", sale("nowhere-" + unique_name, unique_name))
    assert problem(await api.post("/v1/operations", {"operations": [good, nowhere]})) == (404, "not-found")
    assert await on_hand(api, unique_name, unique_name) == 5


async def test_keys_tell_what_was_asked_for_and_what_became_of_it(api: Api, unique_name: str) -> None:
    await api.stock(unique_name, unique_name, 1)
    sold, short, counted = (f"{unique_name}-{word}" for word in ("sold", "short", "counted"))
    at = "2026-11-22T10:00:00+02:00"
    await submit(api, keyed(sold, sale(unique_name, unique_name, occurred_at=at, reference="4711")))
    await submit(api, keyed(short, sale(unique_name, unique_name, -3)))
    await api.count(unique_name, unique_name, {"on_hand": 2, "expected_version": None}, Idempotency_Key=counted)
    answer = await api.post("/v1/operations/query", {"keys": [short, "unknown", sold, sold, counted]})
    refused, done, count = answer.json()["operations"]
    assert (refused["key"], refused["status"], refused["type"]) == (short, 409, "insufficient-stock")
    assert (done["key"], done["status"]) == (sold, 201)
    assert done["lines"] == [
        {
            "sku": unique_name,
            "location": unique_name,
            "kind": "sale",
            "quantity": -1,
            "reference": "4711",
            "occurred_at": "2026-11-22T08:00:00.000000Z",
        }
    ]
    assert [(line["kind"], line["quantity"]) for line in count["lines"]] == [("count", 2)]


async def test_nobody_learns_of_others_operations_nor_books_where_it_may_not(
    api: Api, system: System, unique_name: str
) -> None:
    await api.stock(unique_name, unique_name, 5)
    key = f"{unique_name}-sold"
    await submit(api, keyed(key, sale(unique_name, unique_name)))
    token = (await api.post("/v1/tokens", {"scopes": [f"stock:read:{unique_name}"]})).json()["token"]
    other = await api.post("/v1/keys", {"owner": "other-" + unique_name, "scopes": ["stock:write:*"]})
    for credential, status in ((token, 403), (other.json()["key"], 200)):
        async with Api(str(api.client.base_url), credential) as narrow:
            found = await narrow.post("/v1/operations/query", {"keys": [key]})
            assert found.json() == {"operations": []}
            body = {"operations": [keyed(secrets.token_hex(4), sale(unique_name, unique_name))]}
            assert (await narrow.post("/v1/operations", body)).status_code == status
