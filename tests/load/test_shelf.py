"""An abandoned basket that is late on a screen, or never back, is found; who could not see it says nothing of it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from stockwire.operation import Event
from tests.load.shelf import Returned, Shelf, returns_of, times_of
from tests.load.verdict import late

OVER = 100.0
BACK = ("A", 7, OVER)


def shelf(*shown: tuple[int, float], begun: float = 90.0, ended: float | None = None) -> Shelf:
    made = Shelf()
    made.begin({"A": 5}, begun)
    for version, now in shown:
        made.show("A", version, now)
    if ended is not None:
        made.end(ended)
    return made


@pytest.mark.parametrize(
    ("watched", "late_s"),
    [
        (shelf((6, 99.0), (7, 100.2), (8, 103.0)), 0.2),
        (shelf((6, 99.0), (9, 100.4)), 0.4),  # a hub left the version out: a later one has the units too
        (shelf((6, 99.0)), 20.0),
        (shelf((6, 99.0), ended=100.5), None),
        (shelf((6, 99.0), ended=104.0), 4.0),
        (shelf(begun=101.0), None),
    ],
)
def test_a_screen_is_late_from_the_end_of_the_basket_on(watched: Shelf, late_s: float | None) -> None:
    assert watched.late_s(BACK, 120.0) == (None if late_s is None else pytest.approx(late_s))


def test_what_a_screen_does_not_watch_and_connections_before_and_after_are_told_apart() -> None:
    twice = shelf((6, 95.0), ended=96.0)
    twice.begin({"A": 6}, 98.0)
    twice.show("A", 7, 100.3)
    twice.end(101.0)
    twice.begin({"A": 7}, 102.0)
    assert twice.late_s(BACK, 120.0) == pytest.approx(0.3)
    assert twice.late_s(("B", 1, OVER), 120.0) is None


def test_baskets_come_back_where_the_log_says_so_and_others_never_did() -> None:
    now = datetime.fromtimestamp(OVER, UTC)
    released = Event(
        0, 9, "A", "berlin", 7, "release", 0, -1, 5, 0, 5, "let go", "stockwire", None, "kept its promise", None, now
    )  # fmt: skip
    events = [released, replace(released, kind="hold", version=6), replace(released, reference="somebody else's")]
    backs, kept = returns_of(events, {"kept its promise": now, "leaked": now})
    assert (backs, kept) == ([BACK], ["leaked"])


def test_late_and_leaked_baskets_fail_the_run_with_their_numbers() -> None:
    shelves = [shelf((7, 100.1)), shelf((7, 100.2)), shelf((7, 101.5))]
    found = late(Returned(2, ["leaked"], times_of(shelves, [BACK], 120.0)), 1.0)
    assert found.count == 2
    assert found.of == "2 abandoned baskets, 3 times on a screen: p99 1.50 s, longest 1.50 s after their end"
    assert late(Returned(1, [], times_of(shelves[:2], [BACK], 120.0)), 1.0).count == 0
    assert late(Returned(), 1.0).of.endswith("seen by nobody after their end")
