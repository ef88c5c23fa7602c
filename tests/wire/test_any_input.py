"""Whatever arrives, decoding answers with a message or with one kind of error."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.vectors import load
from wire import messages

DECODERS: list[Callable[[Any], object]] = [
    messages.decode_client_message,
    messages.decode_hub_message,
    messages.decode_batch,
    messages.decode_revocation,
]
GOOD: list[dict[str, Any]] = [
    entry["message"]
    for file in ("client-to-hub.json", "hub-to-client.json", "broker.json")
    for entry in load(file)["vectors"]
    if "message" in entry
]

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=8
)


def decoded_or_refused(data: bytes | str) -> None:
    for decode in DECODERS:
        try:
            decode(data)
        except msgspec.DecodeError:
            continue


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_noise(data: bytes | str) -> None:
    decoded_or_refused(data)


@given(st.sampled_from(GOOD), st.data())
def test_a_good_message_with_one_field_replaced(message: dict[str, Any], data: st.DataObject) -> None:
    field = data.draw(st.sampled_from([*sorted(message), "later"]))
    decoded_or_refused(json.dumps({**message, field: data.draw(values)}))


@given(st.sampled_from(GOOD), st.data())
def test_a_good_message_cut_off_or_with_a_byte_replaced(message: dict[str, Any], data: st.DataObject) -> None:
    raw = json.dumps(message, ensure_ascii=False).encode()
    at = data.draw(st.integers(0, len(raw) - 1))
    decoded_or_refused(raw[:at])
    decoded_or_refused(raw[:at] + bytes([data.draw(st.integers(0, 255))]) + raw[at + 1 :])


@pytest.mark.parametrize("field", ["id", "sub"])
@given(number=st.integers())
def test_an_id_is_taken_exactly_within_its_bounds(field: str, number: int) -> None:
    message = {"type": "unsubscribe", "id": 1, "sub": 1, field: number}
    taken = 0 <= number <= 2**53 - 1
    try:
        decoded = messages.decode_client_message(json.dumps(message))
    except msgspec.ValidationError:
        assert not taken
    else:
        assert taken
        assert getattr(decoded, field) == number
