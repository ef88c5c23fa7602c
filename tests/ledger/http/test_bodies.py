"""What a body may hold, and how a wrong one is named."""

import json
from typing import Any

import pytest

from ledger.http import bodies
from ledger.limits import LINES_MAX
from server.problems import Invalid

LINE: dict[str, Any] = {"sku": "A", "location": "berlin", "quantity": -1, "kind": "sale"}


def refusal(body: Any) -> tuple[int, str, str]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(Invalid) as caught:
        bodies.movements(content)
    return caught.value.status, caught.value.numbers["field"], caught.value.numbers["reason"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b'{"sku":"\xff"}',
        b'{"sku":"\\ud800"}',
        b'{"lines":' + b"[" * 100_000,
        b'{"x":' + b"[" * 100_000,
        b"{}{}",
    ],
)
def test_what_is_no_json_is_malformed(body: bytes) -> None:
    assert refusal(body)[:2] == (400, "body")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"expected_versoin": 7}, "expected_versoin"),
        ({"quantity": 0}, "quantity"),
        ({"quantity": 1}, "quantity"),
        ({"quantity": 1, "kind": "write_off"}, "quantity"),
        ({"quantity": -1, "kind": "receipt"}, "quantity"),
        ({"quantity": -1, "kind": "return"}, "quantity"),
        ({"quantity": -1.5}, "quantity"),
        ({"quantity": "-1"}, "quantity"),
        ({"quantity": True}, "quantity"),
        ({"quantity": -(2**31) - 1}, "quantity"),
        ({"quantity": 10**30}, "quantity"),
        ({"kind": "count"}, "kind"),
        ({"kind": "mixed"}, "kind"),
        ({"kind": None}, "kind"),
        ({"sku": ""}, "sku"),
        ({"sku": "a b"}, "sku"),
        ({"sku": "a/b"}, "sku"),
        ({"sku": "a*"}, "sku"),
        ({"sku": "a\n"}, "sku"),
        ({"sku": "a\u0000"}, "sku"),
        ({"sku": "x" * 65}, "sku"),
        ({"location": "*"}, "location"),
        ({"reference": "a\u0000b"}, "reference"),
        ({"reference": "x" * 257}, "reference"),
        ({"reason": "a\tb"}, "reason"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"occurred_at": "2026-11-22T10:00:00"}, "occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at"),
        ({"occurred_at": "9999-12-31T23:59:59-14:00"}, "occurred_at"),
        ({"occurred_at": 1}, "occurred_at"),
        ({"expected_version": -1}, "expected_version"),
        ({"expected_version": 2**63}, "expected_version"),
        ({"expected_version": "7"}, "expected_version"),
    ],
)
def test_a_wrong_field_is_named_alone_and_in_a_list(change: dict[str, Any], field: str) -> None:
    assert refusal(LINE | change)[:2] == (422, field)
    assert refusal({"lines": [LINE, LINE | change]})[:2] == (422, f"lines[1].{field}")


def test_a_missing_field_is_named() -> None:
    for field in LINE:
        without = {name: value for name, value in LINE.items() if name != field}
        assert refusal(without) == (422, field, "is required")
        assert refusal({"lines": [LINE, without]}) == (422, f"lines[1].{field}", "is required")


@pytest.mark.parametrize("lines", [[], None, {}, "A", [LINE] * (LINES_MAX + 1)])
def test_lines_are_one_to_a_thousand(lines: Any) -> None:
    assert refusal({"lines": lines})[:2] == (422, "lines")


def test_a_mix_of_both_forms_is_refused() -> None:
    assert refusal({"lines": [LINE], "sku": "A"})[:2] == (422, "sku")


def test_a_root_that_is_no_object_is_named_body() -> None:
    assert refusal([LINE])[:2] == (422, "body")


def test_an_error_does_not_echo_a_long_name() -> None:
    _, field, reason = refusal({"x" * 10_000: 1})
    assert len(field) + len(reason) < 400


def test_lines_on_one_level_cannot_expect_two_versions() -> None:
    first, second = LINE | {"expected_version": 1}, LINE | {"expected_version": 2}
    assert refusal({"lines": [first, LINE, second]})[:2] == (422, "lines[2].expected_version")
    assert len(bodies.movements(json.dumps({"lines": [first, LINE, first]}).encode())) == 3
    assert len(bodies.movements(json.dumps({"lines": [first, second | {"sku": "B"}]}).encode())) == 2


def test_every_bound_itself_is_allowed() -> None:
    found = bodies.movements(
        json.dumps(
            {
                "sku": "ü" * 64,
                "location": "a:b,c%",
                "quantity": -(2**31),
                "kind": "adjustment",
                "reference": "x" * 256,
                "reason": "",
                "occurred_at": "2026-11-22T10:00:00.5+14:00",
                "expected_version": None,
            }
        ).encode()
    )
    assert found[0].quantity == -(2**31)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"price": -1}, "price"),
        ({"price": "NaN"}, "price"),
        ({"price": "Infinity"}, "price"),
        ({"price": 1e400}, "body"),
        ({"price": "1e400"}, "price"),
        ({"price": "0.00001"}, "price"),
        ({"price": "10000000000"}, "price"),
        ({"price": True}, "price"),
        ({"price": "2.55"}, "currency"),
        ({"currency": "eur"}, "currency"),
        ({"currency": "EURO"}, "currency"),
        ({"attributes": {"a": [1]}}, "attributes[...]"),
        ({"attributes": {"a": 2**53 + 1}}, "attributes.a"),
        ({"attributes": {"a": 10**400}}, "attributes.a"),
        ({"name": "\u200b \u3164"}, "name"),
        ({"attributes": {"a": "\u0000"}}, "attributes[...]"),
        ({"attributes": {"\u0000": 1}}, "attributes"),
        ({"attributes": {str(n): n for n in range(65)}}, "attributes"),
    ],
)
def test_a_wrong_item_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        bodies.check_item(bodies.decode(bodies.item_decoder, json.dumps({"name": "Mug"} | change).encode()))
    assert caught.value.numbers["field"] == field


def test_a_price_is_exact_as_number_and_as_string() -> None:
    for price in (b"2.55", b'"2.55"', b"0", b"9999999999.9999", b"1e2", b'"2.5500000"'):
        bodies.check_item(bodies.decode(bodies.item_decoder, b'{"name":"Mug","currency":"EUR","price":' + price + b"}"))
