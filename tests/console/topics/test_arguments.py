"""A page that misspells a filter is told so, and not shown everything."""

from collections.abc import Callable
from typing import Any

import pytest

from console.topics.arguments import Arguments
from server.problems import Invalid


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ([], lambda one: None),
        ({"a": 1}, lambda one: one.text("a")),
        ({"a": "x" * 257}, lambda one: one.text("a")),
        ({"a": "5"}, lambda one: one.whole("a", 1, 0, 9)),
        ({"a": True}, lambda one: one.whole("a", 1, 0, 9)),
        ({"a": 10}, lambda one: one.whole("a", 1, 0, 9)),
        ({"a": -1}, lambda one: one.optional_whole("a", 0, 9)),
        ({"a": "yes"}, lambda one: one.flag("a")),
        ({"a": "up"}, lambda one: one.choice("a", ("left", "right"))),
        ({"a": "b"}, lambda one: one.texts("a")),
        ({"a": [1]}, lambda one: one.texts("a")),
        ({"a": ["x"] * 33}, lambda one: one.texts("a")),
        ({"a": "today"}, lambda one: one.moment("a")),
        ({"a": "2026-11-22T10:00:00"}, lambda one: one.moment("a")),
        ({"a": "0001-01-01T00:00:00+14:00"}, lambda one: one.moment("a")),
        ({"a": "9999-12-31T23:59:59-14:00"}, lambda one: one.moment("a")),
        ({"b": 1}, lambda one: one.text("a")),
    ],
)
def test_nonsense_is_refused(given: Any, read: Callable[[Arguments], object]) -> None:
    def all_of_it() -> None:
        arguments = Arguments(given)
        read(arguments)
        arguments.done()

    with pytest.raises(Invalid):
        all_of_it()


def test_what_is_not_given_has_its_default() -> None:
    arguments = Arguments({"later": "2026-11-22T10:00:00+01:00"})
    assert (arguments.text("a"), arguments.whole("b", 7, 0, 9), arguments.flag("c")) == ("", 7, False)
    assert (arguments.choice("d", ("left", "right")), arguments.texts("e"), arguments.moment("f")) == ("left", (), None)
    assert arguments.moment("later") == 1795338000.0
    arguments.done()
