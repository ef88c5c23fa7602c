"""Restores, new epochs, ledgers that are away, hubs that vanish: nobody goes on with what is no longer true."""

import pytest

from tests.simulation.seeds import chunks, run_all


@pytest.mark.usefixtures("sized")
@pytest.mark.parametrize("seeds", chunks("history"), ids=str)
def test_a_history_that_falls_back_never_stays_on_a_screen(seeds: range) -> None:
    run_all(seeds)
