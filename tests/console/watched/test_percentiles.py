"""Percentiles of histograms: over what was counted since, over several processes, and unknown where nobody knows."""

import math

import pytest

from console.watched.percentiles import of_buckets, percentile, since, together


def test_the_nearest_rank_is_no_higher_one() -> None:
    hundred = range(1, 101)
    assert [percentile(hundred, part) for part in (0.5, 0.99, 1.0, 0.0)] == [50, 99, 100, 1]
    assert percentile([7.0], 0.99) == 7.0


def test_only_what_was_counted_in_between_counts() -> None:
    before, now = {0.1: 100, 1.0: 200, math.inf: 200}, {0.1: 100, 1.0: 210, math.inf: 210}
    assert of_buckets(since(before, now), 0.5) == pytest.approx(0.55)
    assert of_buckets(since(now, now), 0.5) is None


def test_a_process_that_began_anew_has_counted_from_nothing() -> None:
    assert since({0.1: 100, math.inf: 200}, {0.1: 3, math.inf: 3}) == {0.1: 3, math.inf: 3}


def test_processes_are_summed_up_even_with_other_bounds() -> None:
    assert together([{1.0: 2, math.inf: 3}, {1.0: 5, math.inf: 5}]) == {1.0: 7, math.inf: 8}
    assert together([{1.0: 2, math.inf: 3}, {0.5: 1, math.inf: 5}]) == {0.5: 1, 1.0: 3, math.inf: 8}
    assert together([]) == {}


def test_beyond_the_last_bound_nobody_knows() -> None:
    assert of_buckets({1.0: 1, math.inf: 10}, 0.99) is None
    assert of_buckets({1.0: 10, math.inf: 10}, 0.99) == pytest.approx(0.99)
    assert of_buckets({}, 0.5) is None
