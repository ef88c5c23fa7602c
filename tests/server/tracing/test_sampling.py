"""What is traced: callers are believed, but no number of them can make us spend more than is allowed."""

import random

import pytest

from server.tracing.sampling import UNASKED_PER_S, Rule, Sampling
from wire.trace import Trace

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED, UNSAMPLED = (f"00-{TRACE}-{SPAN}-{flags}".encode() for flags in ("01", "00"))


@pytest.mark.parametrize("ratio", [0.0, 1.0])
def test_who_says_whether_it_is_sampled_is_believed(ratio: float) -> None:
    sampling = Sampling(Rule(ratio, believes=True), 100)
    assert sampling.follows(SAMPLED) == (True, Trace(TRACE, SPAN, 1))
    assert sampling.follows(UNSAMPLED) == (False, Trace(TRACE, SPAN, 0))


@pytest.mark.parametrize("believes", [True, False])
def test_who_shows_no_key_decides_nothing(believes: bool) -> None:
    lowest = b"00-" + b"1".rjust(32, b"0") + SAMPLED[35:]
    never, always = (Sampling(Rule(ratio, believes), 100) for ratio in (1e-12, 1))
    assert [never.follows(header, keyless=True)[0] for header in (SAMPLED, lowest)] == [False, False]
    assert always.follows(UNSAMPLED, keyless=True) == (True, Trace(TRACE, SPAN, 0))


@pytest.mark.parametrize(
    "header", [b"", b"nonsense", SAMPLED.upper(), SAMPLED + b"-", b"\xff" * 55, b"00-" + b"0" * 52]
)
def test_a_header_that_is_none_is_as_if_there_were_none(header: bytes) -> None:
    assert Sampling(Rule(1, believes=True), 100).follows(header) == (True, None)
    assert Sampling(Rule(0, believes=True), 100).follows(header) == (False, None)


def test_where_nobody_is_believed_the_ratio_decides_by_the_end_of_the_traces_id() -> None:
    """As OpenTelemetry's own samplers do: all who have the same ratio decide alike."""
    sampling = Sampling(Rule(0.5, believes=False), 100)
    for first, wanted in {"0000000000000000": True, "7fffffffffffffff": True, "8000000000000000": False}.items():
        for flags in ("00", "01"):
            traceparent = f"00-{TRACE[:16]}{first}-{SPAN}-{flags}"
            assert sampling.follows(traceparent.encode())[0] is wanted
    assert Sampling(Rule(1, believes=False), 100).follows(f"00-{'f' * 32}-{SPAN}-00".encode())[0]


def test_the_ratio_is_met_by_what_begins_here() -> None:
    random.seed(7)
    sampling = Sampling(Rule(0.01, believes=True), 100)
    assert 900 < sum(sampling.may_begin() for _ in range(100_000)) < 1_100


def test_no_more_than_the_bound_in_a_second_and_the_others_are_counted() -> None:
    sampling = Sampling(Rule(1, believes=True), 10)
    assert sum(sampling.room(1_000) for _ in range(100)) == 10
    assert sampling.limited == 90
    assert sum(sampling.room(1_000.5) for _ in range(100)) == 5
    assert sum(sampling.room(2_000) for _ in range(100)) == 10


def test_what_is_always_traced_has_room_of_its_own_and_a_bound() -> None:
    sampling = Sampling(Rule(1, believes=True), 1)
    assert [sampling.room(1_000) for _ in range(2)] == [True, False]
    assert sum(sampling.unasked.room(1_000) for _ in range(100)) == UNASKED_PER_S
    assert sampling.limited == 1 + 90


def test_a_bound_below_one_in_a_second_still_lets_one_through() -> None:
    sampling = Sampling(Rule(1, believes=True), 0.5)
    assert [sampling.room(now) for now in (100.0, 101.0, 102.5, 103.0, 104.5)] == [True, False, True, False, True]
