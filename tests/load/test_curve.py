"""The launch's curve: a spike within seconds, and an end, at every size."""

import pytest

from tests.load.curve import CROWD_LEAST, DOORS_S, PHASES, Curve, Step

SIZES = pytest.mark.parametrize(("users", "seconds"), [(4, 3.0), (12, 6.0), (80, 120.0), (5_000, 3_600.0)])


def steps(curve: Curve) -> list[Step]:
    """One for each phase, in order."""
    found: list[Step] = []
    for tenth in range(int(curve.seconds * 10)):
        step = curve.at(tenth / 10)
        assert step is not None
        if not found or found[-1] != step:
            found.append(step)
    return found


def test_the_phases_fill_the_whole_time() -> None:
    assert sum(phase.share for phase in PHASES) == pytest.approx(1.0)


@SIZES
def test_every_phase_comes_once_in_order_and_then_it_is_over(users: int, seconds: float) -> None:
    curve = Curve(users, seconds)
    assert [step.phase for step in steps(curve)] == list(PHASES)
    assert curve.at(seconds) is None
    assert curve.at(seconds + 1) is None


@SIZES
def test_everybody_has_come_before_the_phase_is_half_over(users: int, seconds: float) -> None:
    before = 0
    for step in steps(Curve(users, seconds)):
        arrive_s = abs(step.users - before) / step.rate
        assert arrive_s <= min(DOORS_S, step.phase.share * seconds / 2)
        before = step.users


@SIZES
def test_doors_open_on_many_times_the_normal_crowd_and_never_more_than_the_peak(users: int, seconds: float) -> None:
    crowd = [step.users for step in steps(Curve(users, seconds))]
    assert max(crowd) == crowd[1] == crowd[2] == users
    assert min(crowd) >= min(users, CROWD_LEAST)
    if users >= 80:
        assert crowd[1] >= 8 * crowd[0]
