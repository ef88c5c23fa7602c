from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from followers.relay.routes import KEY_BYTES_MAX, routing_key, subject
from wire.names import STORED_PATTERN

NAMES = st.from_regex(STORED_PATTERN)


@given(NAMES, NAMES)
def test_every_level_has_a_subject_of_its_own_words(location: str, sku: str) -> None:
    words = subject("stockwire", 3, f"{location}/{sku}").split(".")
    assert words[:2] == ["stockwire", "3"]
    assert [unquote(word) for word in words[2:]] == [location, sku]
    assert not {">", "*", "#", ""}.intersection(words)


@given(NAMES, NAMES)
def test_every_routing_key_has_two_words_and_fits(location: str, sku: str) -> None:
    key = routing_key(f"{location}/{sku}")
    assert len(key.encode()) <= KEY_BYTES_MAX
    short = [
        unquote(word) if not word.startswith("%~") else name
        for word, name in zip(key.split("."), (location, sku), strict=True)
    ]
    assert short == [location, sku]


def test_long_names_differ_where_they_are_cut() -> None:
    long, longer = "日" * 60, "日" * 61
    keys = {routing_key(f"{location}/a") for location in (long, longer)}
    assert len(keys) == 2
    assert all(key.startswith("%~") for key in keys)


def test_what_is_about_a_shard_is_routed_by_one_word_of_its_own() -> None:
    assert subject("stockwire", 3, "3") == "stockwire.3.history"
    assert routing_key("3") == "3"
