"""A listing that is changed all day keeps revisions for its zeros, and never asks for more than eBay gives."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followers.marketplaces.ebay.revisions import A_DAY, AT_ONCE, FOR_ZEROS, PACIFIC, Revisions, left_s

MORNING = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
"""Midnight in the Pacific."""


def taken(times: int, at: datetime) -> Revisions:
    revisions = Revisions()
    for _ in range(times):
        revisions.take("mug", at)
    return revisions


@pytest.mark.parametrize(
    ("times", "urgent", "waits"),
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
def test_the_first_go_at_once_the_last_are_for_zeros(times: int, urgent: bool, waits: bool) -> None:
    assert bool(taken(times, MORNING).wait_s("mug", MORNING, urgent=urgent)) is waits


def test_what_is_left_is_spread_over_what_is_left_of_the_day() -> None:
    noon = MORNING + timedelta(hours=12)
    wait_s = taken(AT_ONCE, noon).wait_s("mug", noon, urgent=False)
    assert wait_s == pytest.approx(12 * 3600 / (A_DAY - FOR_ZEROS - AT_ONCE))
    assert taken(AT_ONCE, noon).wait_s("mug", noon + timedelta(seconds=wait_s), urgent=False) == 0


def test_another_listing_and_another_day_have_their_own() -> None:
    revisions = taken(A_DAY, MORNING)
    assert revisions.wait_s("cap", MORNING, urgent=True) == 0
    assert revisions.wait_s("mug", MORNING + timedelta(days=1), urgent=False) == 0
    assert revisions.taken("mug") == 0


@given(at=st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2028, 1, 1), timezones=st.just(UTC)))
def test_after_what_is_left_of_a_day_it_is_the_next(at: datetime) -> None:
    after = (at + timedelta(seconds=left_s(at))).astimezone(PACIFIC)
    assert after.date() == (at.astimezone(PACIFIC) + timedelta(days=1)).date()


@given(st.lists(st.tuples(st.integers(0, 3600), st.booleans()), max_size=400))
def test_whatever_is_wanted_no_day_has_more_than_250(wants: list[tuple[int, bool]]) -> None:
    revisions, at, days = Revisions(), MORNING, dict[str, list[bool]]()
    for pause_s, urgent in wants:
        at += timedelta(seconds=pause_s)
        if not revisions.wait_s("mug", at, urgent=urgent):
            revisions.take("mug", at)
            days.setdefault(at.astimezone(PACIFIC).date().isoformat(), []).append(urgent)
    for zeros in days.values():
        assert len(zeros) <= A_DAY
        assert len(zeros) - sum(zeros) <= A_DAY - FOR_ZEROS
