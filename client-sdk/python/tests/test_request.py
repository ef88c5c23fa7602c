"""What goes over the wire for each call."""

from datetime import UTC, datetime, timedelta, timezone

import orjson
import pytest

from stockwire import Item, Line, Location, adjustment, call, receipt, returned, sale, write_off
from stockwire import request as requests
from stockwire.errors import Invalid, TooLarge
from stockwire.importing.plan import BODY_BYTES_MAX


def test_the_name_of_a_movement_decides_its_sign() -> None:
    assert [line.quantity for line in (sale("A", "b", 2), write_off("A", "b", 3))] == [-2, -3]
    assert [line.quantity for line in (receipt("A", "b", 2), returned("A", "b", 3))] == [2, 3]
    assert adjustment("A", "b", -4).quantity == -4
    for units in (0, -1, 2**31):
        with pytest.raises(Invalid, match="units"):
            sale("A", "b", units)


@pytest.mark.parametrize("zones", [(UTC, timezone(timedelta(hours=2))), (timezone(timedelta(hours=2)), UTC)])
def test_a_time_is_written_with_its_own_offset_beside_an_equal_one(zones: tuple[timezone, timezone]) -> None:
    moment = datetime(2026, 3, 1, 8, 0, 0, 5, tzinfo=UTC)
    for at in (moment.astimezone(zone) for zone in zones):
        assert Line("A", "b", -1, "sale", occurred_at=at).body()["occurred_at"] == at.isoformat()


def test_a_key_is_made_once_per_request_and_a_given_one_is_kept() -> None:
    first, second = (requests.operation([sale("A", "b")], None) for _ in range(2))
    assert first.key != second.key
    assert first.headers() == first.headers()
    assert requests.operation([sale("A", "b")], "order-1").headers()["Idempotency-Key"] == "order-1"


@pytest.mark.parametrize("key", ["", "a b", "ü", "x" * 201, '"quoted"', "line\nbreak"])
def test_a_key_that_no_header_can_carry_is_refused_before_it_is_sent(key: str) -> None:
    with pytest.raises(Invalid, match="key"):
        requests.operation([sale("A", "b")], key)


def test_only_what_was_said_is_sent() -> None:
    line = Line("A", "b", -1, "sale", occurred_at=datetime(2026, 1, 2, tzinfo=UTC), if_version=0)
    assert orjson.loads(requests.operation([line], None).body or b"") == {
        "lines": [
            {
                "sku": "A",
                "location": "b",
                "quantity": -1,
                "kind": "sale",
                "occurred_at": "2026-01-02T00:00:00+00:00",
                "expected_version": 0,
            }
        ]
    }
    with pytest.raises(Invalid, match="offset"):
        requests.operation([Line("A", "b", -1, "sale", occurred_at=datetime(2026, 1, 2))], None)


def test_a_count_always_states_its_version() -> None:
    assert orjson.loads(requests.count("A", "b", 3, None, None).body or b"") == {"on_hand": 3, "expected_version": None}


@pytest.mark.parametrize(
    ("sku", "path"),
    [("A?B#C%", "A%3FB%23C%25"), ("..", "%2E%2E"), ("a.b", "a.b"), ("é👟", "%C3%A9%F0%9F%91%9F"), ("a;b", "a%3Bb")],
)
def test_names_cannot_change_the_path(sku: str, path: str) -> None:
    assert requests.level(sku, "b").path == f"/v1/levels/b/{path}"


@pytest.mark.parametrize("name", ["", "a/b", "*", "a b", "x" * 65, "a\u00a0b", "\ud800", "a\x00"])
def test_a_name_that_no_ledger_takes_is_refused_before_it_is_sent(name: str) -> None:
    with pytest.raises(Invalid):
        requests.level(name, "b")
    with pytest.raises(Invalid):
        requests.operation([sale("A", name)], None)


@pytest.mark.parametrize("name", ["a", "é" * 64, "🛒" * 64, '"' * 64])
def test_levels_are_asked_for_in_requests_that_a_ledger_takes(name: str) -> None:
    keys = [(name, f"{number}{name}"[:64]) for number in range(2_500)]
    bodies = [request.body or b"" for request in requests.levels_of(keys)]
    chunks = [orjson.loads(body)["keys"] for body in bodies]
    assert [tuple(key) for chunk in chunks for key in chunk] == keys
    assert all(len(body) < BODY_BYTES_MAX for body in bodies)
    assert all(len(chunk) <= requests.LIST_MAX for chunk in chunks)
    assert name != "a" or len(chunks) == 3


def test_no_levels_are_no_request() -> None:
    assert list(requests.levels_of([])) == []


def test_long_lists_are_put_in_requests_that_a_ledger_takes() -> None:
    long = {f"{number:02}{'é' * 30}": "🛒" * 256 for number in range(64)}
    items = [Item(f"S{number}", "Apple", attributes=long if number % 3 else {}) for number in range(2_500)]
    parts = list(call.put_items(items, keep_existing=True))
    documents = [orjson.loads(part.call.request.body or b"") for part in parts]
    assert [item["sku"] for document in documents for item in document["items"]] == [item.sku for item in items]
    assert all(len(part.call.request.body or b"") < 8 * BODY_BYTES_MAX for part in parts)
    assert [items[part.first].sku for part in parts] == [document["items"][0]["sku"] for document in documents]
    assert {document["existing"] for document in documents} == {"keep"}
    assert len(list(call.put_items([Item(f"S{number}", "A") for number in range(2_001)], keep_existing=False))) == 3
    assert list(call.put_locations([], keep_existing=False)) == []


def test_a_wrong_thing_of_a_long_list_is_named_before_anything_is_sent() -> None:
    with pytest.raises(Invalid, match=r"items\[1\]\.sku"):
        list(call.put_items([Item("A", "A"), Item("B/", "B")], keep_existing=False))
    with pytest.raises(Invalid, match=r"locations\[1200\]\.location: is that of locations\[0\] too"):
        list(call.put_locations([*(Location(f"L{n}", "x") for n in range(1200)), Location("L0", "x")], False))


def test_what_a_ledger_says_of_a_part_is_said_of_the_whole_list() -> None:
    second = list(call.put_items([Item(f"S{number}", "A") for number in range(1_001)], keep_existing=False))[1]
    with pytest.raises(Invalid) as wrong, second.numbered():
        raise Invalid("items[0].price", "must be from 0")
    assert (wrong.value.field, wrong.value.reason) == ("items[1000].price", "must be from 0")
    with pytest.raises(TooLarge) as large, second.numbered():
        raise TooLarge(1024)
    assert large.value.bytes_max == 1024
