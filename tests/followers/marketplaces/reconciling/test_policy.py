"""What is repaired without a person: little, old, quiet, so many a run; and nothing if everything differs."""

from dataclasses import replace

import pytest

from followers.marketplaces.reconciling.comparing import DriftClass
from followers.marketplaces.reconciling.policy import Drift, Policy, chosen, is_mass

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
