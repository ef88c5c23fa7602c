"""A page of levels can be followed by the next one, whatever name it ends with."""

import pytest

from server.http.level_cursor import level_cursor, split_level_cursor


@pytest.mark.parametrize("name", ["A-100", "\u200b", "\u2800\u3164", "x" * 64], ids=ascii)
def test_a_page_that_ends_at_a_stored_name_can_be_continued(name: str) -> None:
    """Some were stored before names that leave no mark were refused."""
    assert split_level_cursor(level_cursor(name, "berlin")) == (name, "berlin")
    assert split_level_cursor(level_cursor("A-100", name)) == ("A-100", name)


@pytest.mark.parametrize(
    "cursor", ["A-100", "A-100/", "/berlin", "a b/c", "a/b/c", "a/*", "a/\ud800", "x" * 65 + "/b"], ids=ascii
)
def test_what_is_no_pair_of_names_is_no_cursor(cursor: str) -> None:
    assert split_level_cursor(cursor) is None
