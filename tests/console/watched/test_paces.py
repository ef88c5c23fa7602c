"""What sells, how fast, and when it is over: numbers that follow from events, never guessed."""

import pytest

from console.watched import paces
from console.watched.paces import Paces, minutes_left
from tests.console.events import event

BERLIN = ("A", "berlin")


def test_a_pace_is_over_the_last_minute_and_not_over_all_time() -> None:
    found = Paces(1_000.0)
    for second in range(30):
        found.count(event(second + 1, -2, 100 - 2 * (second + 1)), 1_000.0 + second)
    sold, taken = found.per_s(BERLIN, 1_060.0)
    assert sold == taken == pytest.approx(2 * 30 / 60)
    assert found.per_s(BERLIN, 1_200.0) == (0.0, 0.0)
    assert found.per_s(("B", "berlin"), 1_060.0) == (None, None), "nobody knows, which is not 0"


def test_a_console_that_has_just_begun_divides_by_the_time_that_it_has_watched() -> None:
    found = Paces(1_000.0)
    found.count(event(1, -6, 94), 1_002.0)
    assert found.per_s(BERLIN, 1_003.0)[0] == pytest.approx(2.0)


@pytest.mark.parametrize("now", [1_003.9, 1_100.0, 1_100.5, 1_100.9])
def test_what_sells_evenly_has_the_same_pace_whenever_it_is_looked_at(now: float) -> None:
    found = Paces(1_000.1)
    times = [1_000.1 + 0.1 * step for step in range(2_000)]
    sold = [at for at in times if at < now]
    for number, at in enumerate(sold):
        found.count(event(number + 1, -1, 5_000 - number), at)
    assert found.per_s(BERLIN, now)[0] == pytest.approx(10.0, rel=0.03)


def test_sales_from_before_the_console_began_are_no_pace_of_now() -> None:
    found = Paces(1_000.0)
    found.count(event(1, -50, 50), 990.0)
    assert found.of(BERLIN) is None


def test_held_units_are_taken_when_they_are_held_and_sold_when_they_leave() -> None:
    found = Paces(1_000.0)
    found.count(event(1, 0, 10, kind="hold", held=4, reserved=4), 1_001.0)
    assert found.per_s(BERLIN, 1_010.0) == pytest.approx((0.0, 0.4))
    found.count(event(2, 0, 10, kind="release", held=-1, reserved=3), 1_002.0)
    assert found.per_s(BERLIN, 1_010.0) == pytest.approx((0.0, 0.3))
    found.count(event(3, -3, 7, kind="fulfil", held=-3, reserved=0), 1_003.0)
    assert found.per_s(BERLIN, 1_010.0) == pytest.approx((0.3, 0.3))


def test_what_there_was_is_the_most_that_could_be_sold_since_the_level_was_first_seen() -> None:
    found = Paces(1_000.0)
    found.count(event(1, -1, 49), 1_001.0)
    pace = found.of(BERLIN)
    assert pace is not None
    assert (pace.had, pace.had_s) == (50, 1_001.0)
    found.count(event(2, 51, 100, kind="receipt"), 1_002.0)
    assert (pace.had, pace.had_s, pace.sold) == (100, 1_002.0, 1)


def test_what_is_sold_out_stays_in_sight_for_a_while_behind_what_sells() -> None:
    found = Paces(1_000.0)
    found.count(event(1, -1, 0), 1_001.0)
    found.count(event(1, -1, 5, sku="B"), 1_100.0)
    found.count(event(2, -1, 4, sku="B", location="hamburg"), 1_101.0)
    found.count(event(1, 7, 7, sku="C", kind="receipt"), 1_100.0)
    assert found.on_sale(1_102.0, "", 10) == [("B", "berlin"), ("B", "hamburg"), BERLIN]
    assert found.on_sale(1_102.0, "hamburg", 10) == [("B", "hamburg")]
    assert found.on_sale(1_102.0, "", 1) == [("B", "berlin")]
    assert BERLIN not in found.on_sale(1_001.0 + paces.ON_SALE_S + 1, "", 10)


def test_only_so_many_levels_are_remembered_and_the_quiet_ones_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paces, "LEVELS_MAX", 3)
    found = Paces(1_000.0)
    for number in range(10):
        found.count(event(1, -1, 5, sku=f"S{number}"), 1_001.0)
        found.count(event(number + 1, -1, 90 - number), 1_001.0)
    assert {key[0] for key in found.on_sale(1_002.0, "", 100)} == {"A", "S8", "S9"}


def test_a_pace_that_leads_nowhere_has_no_end() -> None:
    assert minutes_left(30, 0.5) == pytest.approx(1.0)
    assert minutes_left(0, None) == 0.0
    assert minutes_left(5, 0.0) is None
    assert minutes_left(5, None) is None
