"""Which text can be a name: ledger, hub and client agree to the letter, or one sells what the other cannot show."""

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockwire.request import is_name
from tests.wire.vectors import load
from wire.messages import Name
from wire.names import INVISIBLE, NAME_CHARACTERS_MAX, NAME_PATTERN, are_plain
from wire.scopes import is_scope

by_pattern = re.compile(NAME_PATTERN)
decoder = msgspec.json.Decoder(Name)
texts = st.text(st.characters() | st.sampled_from("\u200b\u200d\u3164\u2800\u0301\ufe0f /*aé"), max_size=66)


def in_a_body(text: str) -> bool:
    try:
        return decoder.decode(msgspec.json.encode(text)) == text
    except (msgspec.ValidationError, UnicodeEncodeError):
        return False


@pytest.mark.parametrize("vector", load("names.json")["vectors"], ids=lambda vector: vector["name"])
def test_everybody_takes_the_same_names(vector: dict[str, Any]) -> None:
    text = vector["text"]
    taken = [bool(by_pattern.match(text)), in_a_body(text), is_scope(f"stock:read:{text}"), is_name(text)]
    assert taken == [vector["is_name"], vector["is_name"], vector["is_name"] or text == "*", vector["is_name"]]


@given(texts)
def test_the_client_refuses_what_a_server_would_and_nothing_else(text: str) -> None:
    assert is_name(text) == bool(by_pattern.match(text)) == in_a_body(text)


@given(texts)
def test_a_name_has_something_to_see(text: str) -> None:
    if by_pattern.match(text):
        assert not re.fullmatch(rf"[\s{INVISIBLE}]*", text)


@given(st.lists(texts | st.text("aZ09-~!")))
def test_no_text_hides_among_names_that_are_looked_at_together(names: list[str]) -> None:
    plain = are_plain(names)
    assert plain <= all(map(by_pattern.match, names)), names
    assert plain or not all(by_pattern.match(name) and name.isascii() for name in names), "each is taken by itself"


@pytest.mark.parametrize(
    "wrong", ["", " ", "/", "*", "a b", "\x00", "\x7f", "é", "\ud800", "x" * (NAME_CHARACTERS_MAX + 1)]
)
def test_one_that_is_none_spoils_all(wrong: str) -> None:
    assert are_plain([])
    assert are_plain(["A-1", "x" * NAME_CHARACTERS_MAX])
    assert not are_plain(["A-1", wrong, "x" * NAME_CHARACTERS_MAX])
