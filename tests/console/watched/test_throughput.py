"""What is heard evenly is as much a second whenever somebody looks: neither more nor less by where a second stands."""

import pytest

from console.watched.throughput import Throughput
from tests.console.events import event


@pytest.mark.parametrize("now", [1_003.9, 1_100.0, 1_100.5, 1_100.9])
def test_a_part_of_a_second_counts_as_a_part(now: float) -> None:
    found = Throughput(1_000.1)
    for at in (1_000.1 + 0.1 * step for step in range(2_000)):
        if at < now:
            found.count(event(1, -2, 100), at)
    assert found.per_s(now) == pytest.approx((10.0, 20.0), rel=0.03)


def test_what_is_over_is_0() -> None:
    found = Throughput(1_000.0)
    found.count(event(1, -2, 100), 1_001.0)
    assert found.per_s(1_020.0) == (0.0, 0.0)
