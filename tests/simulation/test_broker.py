"""Whatever a broker loses, doubles, delays or garbles: every view becomes right, no position promises too much."""

import pytest

from tests.simulation.seeds import chunks, run_all


@pytest.mark.usefixtures("sized")
@pytest.mark.parametrize("seeds", chunks("broker"), ids=str)
def test_a_broker_that_loses_messages_never_makes_a_view_wrong(seeds: range) -> None:
    run_all(seeds)
