"""A traceparent of another's: what is good is taken as it is, what is bad is as if there were none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.trace import Trace, trace_of

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"


def test_one_that_is_good_is_read_and_written_as_it_came() -> None:
    trace = trace_of(GOOD)
    assert trace == Trace(TRACE, SPAN, 1)
    assert trace.sampled
    assert trace.traceparent() == GOOD


@pytest.mark.parametrize(
    ("flags", "sampled", "passed_on"),
    [
        ("00", False, "00"),
        ("01", True, "01"),
        ("02", False, "02"),
        ("03", True, "03"),
        ("ff", True, "03"),
        ("fe", False, "02"),
    ],
)
def test_flags_that_version_00_does_not_have_are_ignored_and_not_passed_on(
    flags: str, sampled: bool, passed_on: str
) -> None:
    trace = trace_of(f"00-{TRACE}-{SPAN}-{flags}")
    assert trace is not None
    assert trace.sampled is sampled
    assert trace.traceparent() == f"00-{TRACE}-{SPAN}-{passed_on}"


@pytest.mark.parametrize("rest", ["", "-", "-what-the-future-will-be-like", "-" + "x" * 10_000])
def test_a_higher_version_is_read_by_its_first_fields(rest: str) -> None:
    trace = trace_of(f"cc-{TRACE}-{SPAN}-01{rest}")
    assert trace == Trace(TRACE, SPAN, 1)
    assert trace.traceparent() == GOOD


BAD = [
    "",
    "0",
    "-",
    "---",
    "nonsense",
    "x" * 55,
    "0" * 55,
    f"ff-{TRACE}-{SPAN}-01",
    f"FF-{TRACE}-{SPAN}-01",
    f"ff-{TRACE}-{SPAN}-01-more",
    f"0-{TRACE}-{SPAN}-01",
    f"000-{TRACE}-{SPAN}-01",
    f"0x-{TRACE}-{SPAN}-01",
    f"CC-{TRACE}-{SPAN}-01",
    f"00-{'0' * 32}-{SPAN}-01",
    f"00-{TRACE}-{'0' * 16}-01",
    f"00-{TRACE.upper()}-{SPAN}-01",
    f"00-{TRACE}-{SPAN.upper()}-01",
    f"00-{TRACE[:-1]}-{SPAN}-01",
    f"00-{TRACE}0-{SPAN}-01",
    f"00-{TRACE}-{SPAN[:-1]}-01",
    f"00-{TRACE}-{SPAN}0-01",
    f"00-{TRACE[:-1]}g-{SPAN}-01",
    f"00-{TRACE}-{SPAN}-1",
    f"00-{TRACE}-{SPAN}-0g",
    f"00-{TRACE}-{SPAN}-0A",
    f"00-{TRACE}-{SPAN}",
    f"00-{TRACE}-{SPAN}-",
    f"00-{TRACE}-{SPAN}-011",
    f"00-{TRACE}-{SPAN}-01-",
    f"00-{TRACE}-{SPAN}-01-more",
    f"cc-{TRACE}-{SPAN}-01.more",
    f"cc-{TRACE}-{SPAN}-012",
    f"00_{TRACE}_{SPAN}_01",
    f"00-{SPAN}-{TRACE}-01",
    f" {GOOD}",
    f"{GOOD} ",
    f"{GOOD}\n",
    f"{GOOD},{GOOD}",
    f"00-{TRACE[:-1]}٣-{SPAN}-01",
    f"00-{TRACE}-{SPAN}-\u0660\u0661",
    f"\x00{GOOD[1:]}",
]


@pytest.mark.parametrize("text", BAD)
def test_one_that_is_bad_is_none(text: str) -> None:
    assert trace_of(text) is None


@given(st.text(alphabet="0123456789abcdef-F \n", max_size=70))
def test_whatever_is_read_is_written_so_that_it_reads_the_same(text: str) -> None:
    trace = trace_of(text)
    if trace is not None:
        assert trace_of(trace.traceparent()) == trace._replace(flags=trace.flags & 3)
