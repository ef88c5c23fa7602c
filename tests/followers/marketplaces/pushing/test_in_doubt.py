"""What is sent of a listing while nobody knows what became of the last push: less than that, and nothing else."""

import pytest

from followers.marketplaces.pushing.planning import Candidate, State, plan


def goes(target: int, sent: int | None, wanted: int | None, state: State) -> bool:
    candidate = Candidate("mug", target, state, sent, wanted, polled=False, settled=False, moved=False)
    planned = plan([candidate], compares=False, passed_over={})
    assert not planned.rest
    assert not planned.wait
    return bool(planned.send)


@pytest.mark.parametrize("state", ["accepted", "unknown"])
def test_less_than_the_last_push_goes_at_once_also_if_that_was_a_raise(state: State) -> None:
    """A raise may take a quarter of an hour: what is sold here meanwhile must not be on offer there for so long."""
    assert goes(6, sent=3, wanted=10, state=state)
    assert goes(0, sent=3, wanted=10, state=state)
    assert goes(1, sent=3, wanted=2, state=state)
    assert goes(2, sent=3, wanted=None, state=state)


@pytest.mark.parametrize("state", ["accepted", "unknown"])
def test_as_much_and_more_waits_until_it_is_known_what_became_of_it(state: State) -> None:
    assert not goes(10, sent=3, wanted=10, state=state)
    assert not goes(11, sent=3, wanted=10, state=state)
    assert not goes(2, sent=3, wanted=2, state=state)
    assert not goes(3, sent=3, wanted=None, state=state)
    assert not goes(1, sent=None, wanted=None, state=state)
    assert goes(0, sent=None, wanted=None, state=state)
