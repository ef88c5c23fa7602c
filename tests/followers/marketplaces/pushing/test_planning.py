"""What goes first, and what has to wait."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followers.marketplaces.pushing.planning import STARVED_ROUNDS, Candidate, State, plan

LISTING = Candidate("1", target=5, state="due", sent=5, wanted=None, polled=False, settled=True, moved=False)
numbers = st.integers(0, 5)
candidates = st.lists(
    st.builds(
        Candidate,
        remote=st.uuids().map(str),
        target=numbers,
        state=st.sampled_from(["due", "accepted", "unknown"]),
        sent=st.none() | numbers,
        wanted=st.none() | numbers,
        polled=st.booleans(),
        settled=st.booleans(),
        moved=st.booleans(),
    ),
    max_size=12,
)


def fate(one: Candidate, *, compares: bool = False) -> str:
    planned = plan([one], compares=compares, passed_over={})
    return next((name for name in ("send", "rest", "wait") if getattr(planned, name)), "in doubt")


@pytest.mark.parametrize(
    ("change", "compares", "expected"),
    [
        ({}, False, "rest"),
        ({"target": 4}, False, "send"),
        ({"target": 0}, False, "send"),
        ({"target": 6}, False, "wait"),
        ({"target": 6, "polled": True}, False, "send"),
        ({"target": 6}, True, "send"),
        ({"target": 6, "settled": False}, True, "wait"),
        ({"target": 4, "settled": False}, True, "wait"),
        ({"target": 0, "settled": False}, True, "send"),
        ({"sent": None, "target": 5}, False, "wait"),
        ({"sent": None, "target": 0}, False, "send"),
        ({"moved": True}, False, "wait"),
        ({"moved": True, "polled": True}, False, "send"),
        ({"moved": True}, True, "send"),
        ({"moved": True, "target": 4}, False, "send"),
        ({"moved": True, "sent": 0, "target": 0}, False, "send"),
    ],
)
def test_a_raise_waits_for_orders_where_nothing_is_compared(
    change: dict[str, Any], compares: bool, expected: str
) -> None:
    assert fate(replace(LISTING, **change), compares=compares) == expected


@pytest.mark.parametrize("state", ["accepted", "unknown"])
@pytest.mark.parametrize(
    ("sent", "wanted", "target", "expected"),
    [
        (5, 3, 2, "send"),
        (5, 3, 3, "in doubt"),
        (5, 3, 4, "in doubt"),
        (2, 3, 2, "send"),
        (2, 3, 3, "in doubt"),
        (5, 3, 0, "send"),
        (5, 0, 0, "in doubt"),
        (None, None, 0, "send"),
        (None, None, 1, "in doubt"),
    ],
)
def test_what_is_in_doubt_is_sent_nothing_but_a_smaller_number(
    state: State, sent: int | None, wanted: int | None, target: int, expected: str
) -> None:
    one = Candidate("1", target, state, sent, wanted, polled=True, settled=True, moved=False)
    assert fate(one) == expected


def test_zeros_go_before_decreases_and_those_before_raises_but_one_that_waited_long() -> None:
    due = {"zero": (0, 9), "less": (3, 9), "more": (9, 3), "starved": (9, 3)}
    planned = plan(
        [
            Candidate(name, target, "due", sent, None, polled=True, settled=True, moved=False)
            for name, (target, sent) in due.items()
        ],
        compares=False,
        passed_over={"starved": STARVED_ROUNDS},
    )
    assert [one.remote for one in planned.send] == ["zero", "starved", "less", "more"]


@given(candidates, st.booleans())
def test_each_listing_has_one_fate_and_no_zero_waits_for_a_poll(found: list[Candidate], compares: bool) -> None:
    planned = plan(found, compares=compares, passed_over={})
    fates = [one.remote for group in (planned.send, planned.rest, planned.wait) for one in group]
    assert len(fates) == len(set(fates))
    assert not any(one.target == 0 for one in planned.wait)
    assert all(one.target == one.sent for one in planned.rest)
    targets = [one.target == 0 for one in planned.send]
    assert targets == sorted(targets, reverse=True)
