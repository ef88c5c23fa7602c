"""What is asked about reservations, and what is refused before it is sent."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson
import pytest

from stockwire import held, held_from
from stockwire import reservation_call as call
from stockwire.answer import Answer
from stockwire.errors import Invalid, UnexpectedAnswer
from stockwire.reservation import Wanted

ID = "0b1e6f1c-3c1f-5d0a-9d0e-2f6f3a1c9b77"


def body(asked: call.Call[Any]) -> Any:
    return orjson.loads(asked.request.body or b"")


def test_only_what_was_said_is_sent() -> None:
    assert body(call.reserve([held("A", "b", 2)], None, None, None, None)) == {
        "lines": [{"sku": "A", "location": "b", "quantity": 2}]
    }
    lines = [held_from("A", ["b", "h"], 3, split=True), held_from("B", iter(["b"]))]
    asked = call.reserve(lines, 60, "c-1", "order-1", "basket-1")
    assert body(asked) == {
        "lines": [
            {"sku": "A", "locations": ["b", "h"], "quantity": 3, "split": True},
            {"sku": "B", "location": "b", "quantity": 1},
        ],
        "ttl_s": 60,
        "customer": "c-1",
        "reference": "order-1",
    }
    assert asked.request.headers()["Idempotency-Key"] == "basket-1"
    assert body(call.commit(ID, None, False, None)) == {}
    assert body(call.commit(ID, [held("A", "b", None)], True, None)) == {
        "lines": [{"sku": "A", "location": "b"}],
        "fulfil": True,
    }
    assert body(call.change(ID, [held("A", "b", 0)], 30, None)) == {
        "lines": [{"sku": "A", "location": "b", "quantity": 0}],
        "ttl_s": 30,
    }


def test_a_key_is_made_once_per_call_so_that_its_retries_have_one_effect() -> None:
    first, second = (call.cancel(ID, None, None).request for _ in range(2))
    assert first.key
    assert first.key != second.key
    assert first.headers() == first.headers()
    assert first.writes


def test_a_reservation_is_found_by_its_id_however_it_is_spelt() -> None:
    paths = {call.one(spelt).request.path for spelt in (ID, ID.upper(), f"{{{ID}}}")}
    assert paths == {f"/v1/reservations/{ID}"}
    assert call.extend(ID, 5, None).request.path == f"/v1/reservations/{ID}/extend"


@pytest.mark.parametrize(
    ("ask", "field"),
    [
        (lambda: call.reserve([], None, None, None, None), "lines"),
        (lambda: call.reserve([held("A", "b"), held("A/B", "b")], None, None, None, None), "lines[1].sku"),
        (lambda: call.reserve([held("A", "b", 0)], None, None, None, None), "lines[0].quantity"),
        (lambda: call.reserve([held("A", "b", None)], None, None, None, None), "lines[0].quantity"),
        (lambda: call.reserve([held_from("A", ["b", "*"])], None, None, None, None), "lines[0].locations[1]"),
        (lambda: call.reserve([held("A", "b")], 0, None, None, None), "ttl_s"),
        (lambda: call.reserve([held("A", "b")], 1.5, None, None, None), "ttl_s"),  # type: ignore[arg-type]  # the point
        (lambda: call.reserve(["A"], None, None, None, None), "lines[0]"),  # type: ignore[list-item]  # the point
        (lambda: call.reserve([held("A", "b")], None, None, None, "a b"), "key"),
        (lambda: call.fulfil(ID, [held("A", "b", 0)], None), "lines[0].quantity"),
        (lambda: call.cancel(ID, [held_from("A", ["b", "h"])], None), "lines[0].locations"),
        (lambda: call.change(ID, [held("A", "b", None)], None, None), "lines[0].quantity"),
        (lambda: call.extend(ID, -5, None), "ttl_s"),
        (lambda: call.one("../levels"), "id"),
        (lambda: call.one(""), "id"),
        (lambda: call.Asked(sku="A"), "sku"),
        (lambda: call.Asked(location="*"), "location"),
        (lambda: call.Asked(older_than_s=-1), "older_than_s"),
        (lambda: held_from("A", "berlin"), "locations"),
        (lambda: held_from("A", []), "locations"),
        (lambda: held("A", "b", 2**31), "quantity"),
    ],
)
def test_what_is_wrong_is_named_before_it_is_sent(ask: Callable[[], object], field: str) -> None:
    with pytest.raises(Invalid) as wrong:
        ask()
    assert wrong.value.field == field


def test_a_listing_asks_for_what_was_named_page_after_page() -> None:
    asked = call.Asked(location="b", sku="A", state="pending", customer="c", older_than_s=90)
    query = dict(asked.page("2026/x").query)
    query.pop("limit")
    named = {"location": "b", "sku": "A", "state": "pending", "customer": "c", "age_s": "90.000000"}
    assert query == {**named, "after": "2026/x"}


@pytest.mark.parametrize("lines", [[], [{"sku": "A"}], "none", [7]])
def test_an_answer_that_cannot_be_read_keeps_its_key(lines: Sequence[Wanted]) -> None:
    """What was asked has happened: the key finds it again."""
    asked = call.cancel(ID, None, "cancel-1")
    document = {"reservation": {"id": ID, "lines": lines}, "operation": "o", "events": [], "levels": []}
    with pytest.raises(UnexpectedAnswer) as unread:
        asked.read(document, Answer(200, {}, b""))
    assert unread.value.key == "cancel-1"
