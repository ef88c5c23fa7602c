"""What is repaired without a person: little, old, quiet, so many a run; and nothing if everything differs."""

from dataclasses import replace
from typing import Any

import pytest

from followers.marketplaces.reconciling.comparing import DriftClass
from followers.marketplaces.reconciling.policy import Drift, Policy, PolicyRefused, chosen, is_mass, policy_of

POLICY = Policy(classes=frozenset({DriftClass.QUANTITY}), units_max=3, older_than_s=600, quiet_s=900, run_max=2)
SMALL = Drift(1, DriftClass.QUANTITY, units=3, stood_s=600, quiet_s=900)


def test_nothing_is_repaired_by_itself_unless_somebody_says_so() -> None:
    assert chosen([SMALL], Policy()) == []
    assert chosen([SMALL], POLICY) == [1]


@pytest.mark.parametrize(
    "drift",
    [
        replace(SMALL, units=4),
        replace(SMALL, stood_s=599),
        replace(SMALL, quiet_s=899),
        replace(SMALL, kind=DriftClass.MISSING_THERE),
        replace(SMALL, can_be_repaired=False),
    ],
    ids=["too far apart", "too new", "a recent order", "another class", "a person has to look"],
)
def test_what_is_beyond_a_limit_is_left_to_a_person(drift: Drift) -> None:
    assert chosen([drift], POLICY) == []


def test_the_oldest_are_repaired_first_and_so_many_a_run() -> None:
    drifts = [replace(SMALL, identifier=number, stood_s=600 + number) for number in (1, 2, 3)]
    assert chosen(drifts, POLICY) == [3, 2]


@pytest.mark.parametrize(
    ("compared", "differing", "mass"),
    [(1_000, 50, False), (1_000, 51, True), (3, 3, False), (10, 5, False), (10, 6, True), (0, 0, False)],
)
def test_more_than_a_twentieth_is_a_fault_of_the_whole(compared: int, differing: int, mass: bool) -> None:
    assert is_mass(compared, differing, POLICY) is mass


def test_a_policy_is_read_from_what_a_channel_says() -> None:
    assert policy_of({}) == Policy()
    said = {"every_s": 3600, "classes": ["quantity"], "units_max": 1, "older_than_s": 0, "quiet_s": 60, "run_max": 5}
    assert policy_of({**said, "stop_share": 0.1}) == Policy(
        3600, frozenset({DriftClass.QUANTITY}), 1, older_than_s=0, quiet_s=60, run_max=5, stop_share=0.1
    )


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"evry_s": 60}, "is none of every_s, classes, units_max"),
        ({"every_s": 59}, "is a number from 60 to 604800"),
        ({"every_s": True}, "is a number from 60"),
        ({"classes": "quantity"}, "is a list of classes: quantity, buffer-not-kept"),
        ({"classes": ["quantities"]}, "is a list of classes"),
        ({"units_max": 1.5}, "is a whole number from 1 to 1000000"),
        ({"run_max": 0}, "is a whole number from 1 to 10000"),
        ({"stop_share": 1.1}, "is a number from 0 to 1"),
    ],
)
def test_what_is_no_policy_is_refused_by_its_field(said: dict[str, Any], message: str) -> None:
    with pytest.raises(PolicyRefused) as refused:
        policy_of(said)
    assert (refused.value.name, message in str(refused.value)) == (next(iter(said)), True)
