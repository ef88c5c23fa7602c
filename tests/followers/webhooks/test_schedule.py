"""When a message is sent again, and when an endpoint is given up."""

import pytest

from followers.webhooks.schedule import JITTER, RETRY_AFTER_S_MAX, disables, is_success, next_wait_s, slows

HOUR, DAY = 3_600, 86_400


def test_the_waits_are_those_of_the_documentation() -> None:
    waits = [next_wait_s(attempt, 0) for attempt in range(12)]
    assert waits == [0, 5, 300, 1_800, *(hours * HOUR for hours in (2, 5, 10, 14, 20, 24, 24, 24))]


def test_a_wait_is_longer_by_chance_and_never_shorter() -> None:
    assert [next_wait_s(2, chance) for chance in (0, 0.5, 1)] == [300, 300 * (1 + JITTER / 2), 300 * (1 + JITTER)]


@pytest.mark.parametrize(
    ("attempt", "asked", "waits"),
    [
        *((1, None, 5), (1, 0, 5), (1, 120, 120), (1, -3, 5)),
        *((4, 120, 2 * HOUR), (1, 10 * DAY, RETRY_AFTER_S_MAX), (0, 30, 30)),
    ],
)
def test_a_receiver_may_ask_for_more_time_within_a_day_and_not_for_less(
    attempt: int, asked: float | None, waits: float
) -> None:
    assert next_wait_s(attempt, 0, asked) == waits


def test_only_2xx_is_success() -> None:
    assert [status for status in (None, 100, 199, 200, 204, 299, 300, 301, 304, 404, 500) if is_success(status)] == [
        *(200, 204, 299)
    ]


def test_three_statuses_slow_the_whole_endpoint() -> None:
    assert [status for status in (None, 200, 410, 429, 500, 502, 503, 504) if slows(status)] == [429, 502, 504]


@pytest.mark.parametrize(
    ("status", "first_s", "last_s", "now_s", "reason"),
    [
        (410, 0, 0, 0, "answered 410: gone"),
        (500, 0, 5 * DAY, 5 * DAY, "failed for 5 days without one success"),
        (None, 0, 12 * HOUR, 6 * DAY, "failed for 6 days without one success"),
        (500, 0, 5 * DAY - 1, 5 * DAY - 1, None),
        (500, 0, 12 * HOUR - 1, 30 * DAY, None),  # failed for half a day, and was not asked since
    ],
)
def test_an_endpoint_is_given_up_after_five_days_that_are_known_of(
    status: int | None, first_s: float, last_s: float, now_s: float, reason: str | None
) -> None:
    assert disables(status, first_s, last_s, now_s) == reason
