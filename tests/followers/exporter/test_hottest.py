"""The skus that sell fastest, over the last minute."""

from typing import Any

import pytest

from followers.exporter.hottest import TRACKED_MAX, WINDOW_S, Hottest, minutes_left

NOW_S = 1_000_000.0


def event(sku: str, kind: str = "sale", on_hand_delta: int = -1, reserved_delta: int = 0) -> dict[str, Any]:
    return {"sku": sku, "kind": kind, "on_hand_delta": on_hand_delta, "reserved_delta": reserved_delta}


def test_rates_are_of_the_last_minute_and_the_fastest_come_first() -> None:
    hottest = Hottest(0.0)
    for second in range(120):
        for _ in range(3):
            hottest.count(event("fast"), NOW_S + second)
        hottest.count(event("slow"), NOW_S + second)
    hottest.count(event("returned", "release", 0, -1), NOW_S + 119)
    now_s = NOW_S + 120
    assert hottest.per_s("fast", now_s) == pytest.approx((3.0, 3.0))
    assert hottest.names(5, now_s) == ["fast", "slow"]
    assert hottest.names(1, now_s) == ["fast"]
    assert hottest.names(5, now_s + WINDOW_S + 5) == []
    assert hottest.per_s("unknown", now_s) == (0.0, 0.0)


def test_what_is_reserved_is_taken_and_what_is_handed_over_is_sold() -> None:
    hottest = Hottest(NOW_S - 10)
    hottest.count(event("A", "hold", 0, 4), NOW_S - 5)
    hottest.count(event("A", "fulfil", -4, -4), NOW_S - 1)
    assert hottest.per_s("A", NOW_S) == pytest.approx((0.4, 0.4))
    assert minutes_left(24, hottest.per_s("A", NOW_S)[1]) == pytest.approx(1.0)


def test_what_came_before_events_were_known_counts_for_nothing() -> None:
    hottest = Hottest(NOW_S - 2)
    hottest.count(event("A"), NOW_S - 3)
    hottest.count(event("A"), NOW_S - 1)
    assert hottest.per_s("A", NOW_S) == pytest.approx((0.5, 0.5))


def test_only_so_many_are_tracked() -> None:
    hottest = Hottest(0.0)
    for number in range(TRACKED_MAX + 10):
        hottest.count(event(f"A-{number}"), NOW_S)
    assert len(hottest.names(2 * TRACKED_MAX, NOW_S)) == TRACKED_MAX
