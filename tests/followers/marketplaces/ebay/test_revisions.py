"""A listing that is changed all day keeps revisions for its zeros, and never asks for more than eBay gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followers.marketplaces.ebay.revisions import A_DAY, AT_ONCE, FOR_ZEROS, PAUSE_S, wait_s
from followers.marketplaces.terms import DAY_S


@pytest.mark.parametrize(
    ("revised", "urgent", "waits"),
    [
        (0, False, False),
        (AT_ONCE - 1, False, False),
        (AT_ONCE, False, True),
        (AT_ONCE, True, False),
        (A_DAY - FOR_ZEROS, False, True),
        (A_DAY - 1, True, False),
        (A_DAY, True, True),
    ],
)
def test_the_first_go_at_once_the_last_are_for_zeros(revised: int, urgent: bool, waits: bool) -> None:
    assert bool(wait_s(revised, DAY_S, urgent=urgent)) is waits


def test_what_is_not_for_zeros_comes_evenly_over_the_day_and_is_there_before_its_end() -> None:
    waits = [wait_s(revised, DAY_S, urgent=False) for revised in range(AT_ONCE, A_DAY - FOR_ZEROS)]
    assert waits == pytest.approx([PAUSE_S * number for number in range(1, len(waits) + 1)])
    assert waits[-1] < DAY_S


def test_at_noon_half_of_it_goes_at_once() -> None:
    half = AT_ONCE + (A_DAY - FOR_ZEROS - AT_ONCE) // 2
    assert wait_s(half - 1, DAY_S / 2, urgent=False) == 0
    assert 0 < wait_s(half, DAY_S / 2, urgent=False) <= PAUSE_S


@given(revised=st.integers(0, A_DAY + 10), left_s=st.floats(0.001, DAY_S), urgent=st.booleans())
def test_nobody_waits_beyond_the_day(revised: int, left_s: float, urgent: bool) -> None:
    assert 0 <= wait_s(revised, left_s, urgent=urgent) <= left_s + 1e-6


@given(st.lists(st.tuples(st.integers(0, 3600), st.booleans()), max_size=400))
def test_whatever_is_wanted_no_day_has_more_than_250(wants: list[tuple[int, bool]]) -> None:
    left_s, zeros = DAY_S, list[bool]()
    for pause_s, urgent in wants:
        if (left_s := left_s - pause_s) <= 0:
            left_s, zeros = DAY_S, []
        if not wait_s(len(zeros), left_s, urgent=urgent):
            zeros.append(urgent)
        assert len(zeros) <= A_DAY
        assert len(zeros) - sum(zeros) <= A_DAY - FOR_ZEROS
