"""A simulation that finds no bug proves nothing: each that is planted must be found."""

import pytest

from tests.simulation.planted import PLANTED, Planted
from tests.simulation.violation import Violation
from tests.simulation.world import simulate, small

SEEDS_MAX = 400


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name)
def test_a_planted_bug_is_found(planted: Planted) -> None:
    with small(), planted.planted():
        seed, violation = first_violation()
    print(f"{planted.name}: found after {seed + 1} seeds by {violation.check}")


def first_violation() -> tuple[int, Violation]:
    for seed in range(SEEDS_MAX):
        try:
            simulate(seed)
        except Violation as violation:
            return seed, violation
    pytest.fail(f"not found in {SEEDS_MAX} seeds")
