"""When a child is started again, and when it is given up."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.restarts import PAUSE_FIRST_S, PAUSE_MAX_S, RESTARTS_MAX, WINDOW_S, Restarts, TooManyRestarts


def test_pauses_grow_and_are_bounded() -> None:
    restarts = Restarts()
    pauses = [restarts.pause_s(now=float(n)) for n in range(RESTARTS_MAX)]
    assert pauses[0] == PAUSE_FIRST_S
    assert pauses == sorted(pauses)
    assert pauses[-1] == PAUSE_MAX_S


def test_a_child_that_keeps_dying_is_given_up() -> None:
    restarts = Restarts()
    for n in range(RESTARTS_MAX):
        restarts.pause_s(now=float(n))
    with pytest.raises(TooManyRestarts, match="11 times within 60 s"):
        restarts.pause_s(now=float(RESTARTS_MAX))


def test_the_bound_is_reached_even_with_the_longest_pauses() -> None:
    """Pauses that add up to more than the window would restart a hopeless child for ever."""
    restarts, now = Restarts(), 0.0
    with contextlib.suppress(TooManyRestarts):
        while now < 10 * WINDOW_S:
            now += restarts.pause_s(now)
    assert now < WINDOW_S


@given(st.lists(st.floats(0, 20), max_size=60))
def test_rare_deaths_are_always_forgiven(extra: list[float]) -> None:
    restarts, now = Restarts(), 0.0
    for gap in extra:
        now += WINDOW_S / RESTARTS_MAX + 0.001 + gap
        assert restarts.pause_s(now) <= PAUSE_MAX_S
