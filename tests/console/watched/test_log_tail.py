"""The tail of the log: what a filter lets through, and where the next older page begins."""

import pytest

from console.watched.log_tail import Filter, LogTail, cursor_of, read_cursor
from tests.console.events import event


def test_a_page_is_the_newest_first_and_says_where_the_next_one_begins() -> None:
    tail = LogTail()
    tail.add(
        [
            event(1, 10, 10, kind="receipt"),
            event(2, -1, 9),
            event(1, 5, 5, kind="receipt", shard=3, location="rome"),
            event(3, -1, 8),
        ]
    )
    page = tail.newest(Filter(kind="sale"), 1)
    assert [one["version"] for one in page.events] == [3]
    assert (page.looked_at, page.next) == (1, {0: 2})
    page = tail.newest(Filter(kind="sale"), 5)
    assert [one["version"] for one in page.events] == [3, 2]
    assert (page.looked_at, page.next) == (4, {0: 0, 3: 0})


@pytest.mark.parametrize("field", ["sku", "location", "actor", "kind", "operation"])
def test_each_filter_lets_through_what_it_names_and_nothing_else(field: str) -> None:
    one = event(1, -1, 9)
    assert Filter(**{field: one[field]}).lets(one)
    assert not Filter(**{field: f"{one[field]}x"}).lets(one)
    assert Filter().lets(one)


def test_the_tail_is_bounded() -> None:
    tail = LogTail(events_max=3)
    tail.add(event(number, -1, 100 - number) for number in range(1, 10))
    assert [one["version"] for one in tail.newest(Filter(), 10).events] == [9, 8, 7]


def test_a_cursor_reads_back_and_nonsense_is_none() -> None:
    assert read_cursor(cursor_of({2: 7, 0: 124}) or "") == {0: 124, 2: 7}
    assert cursor_of({0: 0, 1: 0}) is None
    for nonsense in ("", "0", "0:1:2", "a:1", "0:-1", "0:" + "9" * 30, "0:１"):
        with pytest.raises(ValueError, match="cursor"):
            read_cursor(nonsense)
