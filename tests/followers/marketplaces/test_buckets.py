"""Token buckets: what a channel's answers say of its quota counts more than what we knew."""

import pytest

from followers.marketplaces.buckets import Bucket
from followers.marketplaces.terms import Quota


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_bucket_refills_as_fast_as_its_channel_says_and_as_before_where_it_says_nothing() -> None:
    clock = Clock()
    bucket = Bucket(Quota("patch", burst=5, per_s=1, kept=0), clock)
    assert [bucket.take(1) for _ in range(5)] == [0.0] * 5
    bucket.refills_at(None)
    assert (bucket.take(1), bucket.refill_s) == (1.0, 1.0)
    bucket.refills_at(10.0)
    assert bucket.take(1) == pytest.approx(0.1)
    assert bucket.refill_s == 0.1
    clock.now_s += 0.2
    assert [bucket.take(1) for _ in range(3)] == [0.0, 0.0, pytest.approx(0.1)]
    bucket.refills_at(0.0)
    assert bucket.refill_s == 0.1


def test_what_somebody_urgent_waits_for_is_left_alone_until_it_was_taken() -> None:
    clock = Clock()
    bucket = Bucket(Quota("points", burst=2_000, per_s=100, kept=0.1), clock)
    bucket.fed(212)
    with bucket.wanted(401):
        assert bucket.take(401, urgent=True) == pytest.approx(1.89)
        assert bucket.take(12) == pytest.approx(2.01), "not the 212 of other times"
        clock.now_s += 1.9
        assert bucket.take(12) > 0
        assert bucket.take(401, urgent=True) == 0.0
    clock.now_s += 2.2
    assert bucket.take(12) == 0.0


def test_what_can_be_spared_leaves_half_and_what_somebody_urgent_waits_for() -> None:
    bucket = Bucket(Quota("points", burst=100, per_s=10, kept=0.1), Clock())
    assert bucket.take(50, spare=True) == 0.0
    assert bucket.take(1, spare=True) == pytest.approx(0.1)
    assert bucket.take(40) == 0.0
    assert bucket.take(1) == pytest.approx(0.1)
    with bucket.wanted(70):
        assert bucket.take(1, spare=True) == pytest.approx(6.1)


def test_where_more_than_half_is_kept_that_much_is_left() -> None:
    bucket = Bucket(Quota("calls", burst=10, per_s=1, kept=0.8), Clock())
    assert [bucket.take(2, spare=True), bucket.take(1, spare=True)] == [0.0, 1.0]
