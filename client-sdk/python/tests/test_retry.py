"""What is sent again, how soon, and what is raised in the end."""

from hypothesis import given
from hypothesis import strategies as st

from stockwire import errors
from stockwire.retry import WAIT_MAX_S, RetryPolicy, Tries

LATER = [errors.RateLimited, errors.Overloaded, errors.InFlight, errors.Unavailable, errors.OutcomeUnknown]


def tries(max_retries: int = 5, retry_for_s: float = 30.0, *, writes: bool = True) -> Tries:
    return Tries(RetryPolicy(max_retries, retry_for_s), writes=writes)


def test_only_what_may_succeed_later_is_sent_again() -> None:
    assert all(tries().wait_s(kind("why"), 0, 0.5) is not None for kind in LATER)
    assert tries().wait_s(errors.OutOfStock("A", "berlin", 2, 1), 0, 0.5) is None
    assert tries().wait_s(errors.UnexpectedAnswer("why", 500), 0, 0.5) is None
    assert tries().wait_s(errors.Invalid("sku", "why"), 0, 0.5) is None


@given(st.floats(0, 1), st.integers(0, 50))
def test_waits_are_jittered_and_bounded(chance: float, failed: int) -> None:
    attempt = tries(max_retries=100, retry_for_s=1e9)
    waits = [attempt.wait_s(errors.Unavailable("away"), 0, chance) for _ in range(failed + 1)]
    assert all(wait is not None and 0 <= wait <= WAIT_MAX_S for wait in waits)


def test_never_sooner_than_the_server_asked() -> None:
    wait = tries().wait_s(errors.RateLimited("slow down", retry_after_s=7), 0, 0.0)
    assert wait == 7


def test_ends_by_number_and_by_time() -> None:
    attempt = tries(max_retries=1)
    assert attempt.wait_s(errors.Unavailable("away"), 0, 0) is not None
    assert attempt.wait_s(errors.Unavailable("away"), 0, 0) is None
    assert tries(retry_for_s=10).wait_s(errors.Unavailable("away", retry_after_s=6), 5, 0) is None
    assert tries(max_retries=0).wait_s(errors.Unavailable("away"), 0, 0) is None


def test_what_may_have_been_written_is_never_called_unavailable() -> None:
    attempt = tries(max_retries=1)
    unknown = errors.OutcomeUnknown("the connection was lost")
    attempt.wait_s(unknown, 0, 0)
    attempt.wait_s(errors.Unavailable("refused"), 0, 0)
    assert attempt.verdict(errors.Unavailable("refused")) is unknown
    refusal = errors.OutOfStock("A", "berlin", 2, 1)
    assert attempt.verdict(refusal) is refusal


def test_a_read_has_no_outcome_to_be_unsure_of() -> None:
    attempt = tries(max_retries=0, writes=False)
    unknown = errors.OutcomeUnknown("no answer")
    attempt.wait_s(unknown, 0, 0)
    assert type(attempt.verdict(unknown)) is errors.Unavailable
