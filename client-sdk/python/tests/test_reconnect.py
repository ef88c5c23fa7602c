"""Whether and when a stream comes back."""

from hypothesis import given
from hypothesis import strategies as st

from stockwire import errors
from stockwire.reconnect import AFTER_S_MAX, BOUND_MAX_S, PAUSE_S, Reconnect
from stockwire.session import Ending


def after(ending: Ending, chance: float = 0.5, *, token_changes: bool = True) -> object:
    return Reconnect(token_changes=token_changes).after(ending, chance)


def test_codes_that_forbid_to_come_back_raise_what_they_mean() -> None:
    for code, kind in {
        1008: errors.StreamRefused,
        4001: errors.BadToken,
        4003: errors.Forbidden,
        4005: errors.StreamRefused,
        4099: errors.StreamRefused,
    }.items():
        error = after(Ending("why", code))
        assert type(error) is kind
        assert "why" in str(error)


def test_an_ended_token_comes_back_only_if_there_can_be_another() -> None:
    assert isinstance(after(Ending("ended", 4104), token_changes=True), float)
    assert type(after(Ending("ended", 4104), token_changes=False)) is errors.TokenExpired


def test_pauses_where_the_hub_asked_for_less() -> None:
    for ending in (Ending("slow", 4101), Ending("limit: full", paused=True)):
        assert after(ending, 0.0) == PAUSE_S


@given(st.floats(0, 120), st.floats(0, 1))
def test_never_sooner_than_the_hub_asked(after_s: float, chance: float) -> None:
    wait = after(Ending("drain", 1012, after_s), chance)
    assert isinstance(wait, float)
    assert after_s <= wait <= after_s + BOUND_MAX_S


def test_no_hub_can_send_a_client_away_for_ever() -> None:
    assert after(Ending("drain", 1012, 1e9), 0.0) == AFTER_S_MAX


@given(st.integers(1, 200), st.floats(0, 1))
def test_is_back_within_a_bound_however_long_the_outage(losses: int, chance: float) -> None:
    reconnect = Reconnect(token_changes=False)
    waits = [reconnect.after(Ending("lost"), chance) for _ in range(losses)]
    assert all(isinstance(wait, float) and 0 <= wait <= BOUND_MAX_S for wait in waits)
    assert reconnect.attempt == losses
    reconnect.succeeded()
    first = reconnect.after(Ending("lost"), 1.0)
    assert isinstance(first, float)
    assert first < 1.0


def test_a_code_that_is_not_known_means_what_its_range_says() -> None:
    """A hub may be newer than this client."""
    assert type(after(Ending("why", 4050))) is errors.StreamRefused
    assert after(Ending("why", 4150), 0.0) == PAUSE_S
    for code in (1014, 3999, 4250, 4999):
        assert after(Ending("why", code), 0.0) == 0.0
