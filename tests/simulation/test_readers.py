"""Readers that are slow, stop, are cut off and come back elsewhere: they miss nothing and see nothing go back."""

import pytest

from tests.simulation.seeds import chunks, run_all


@pytest.mark.usefixtures("sized")
@pytest.mark.parametrize("seeds", chunks("readers"), ids=str)
def test_a_reader_that_comes_and_goes_never_misses_a_change(seeds: range) -> None:
    run_all(seeds)
