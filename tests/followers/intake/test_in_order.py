"""Nothing overtakes what another process still has in hand, or had, and nothing waits for ever."""

from hypothesis import given
from hypothesis import strategies as st

from followers.intake.in_order import InOrder


def told(hands: InOrder, floor: int, pending: int) -> None:
    """Nothing comes while the broker is asked."""
    hands.told(floor, pending, hands.held, hands.last)


def test_what_comes_in_its_order_is_begun_at_once() -> None:
    hands = InOrder(4)
    for sequence in (5, 6, 7):
        assert hands.come(sequence)
        assert hands.begin(9) == [sequence]
    assert (hands.held, hands.begun, len(hands)) == (0, 3, 3)
    assert not hands.come(6), "it is in hand already"
    hands.end(6)
    assert hands.come(6), "its acknowledgement was lost"
    assert hands.begin(9) == [6]


def test_what_comes_before_an_older_one_that_somebody_has_waits_for_it() -> None:
    hands = InOrder(4)
    hands.come(7)
    told(hands, 4, 3)
    assert hands.begin(9) == []
    hands.come(5)
    assert hands.begin(9) == [5]
    told(hands, 5, 2)
    assert hands.begin(9) == []
    told(hands, 6, 1)
    assert hands.begin(9) == [7]


def test_what_comes_while_the_broker_is_asked_is_not_taken_for_what_somebody_else_has() -> None:
    hands = InOrder(4)
    hands.come(6)
    asked = hands.held, hands.last
    hands.come(7)
    hands.told(4, 2, *asked)
    assert hands.begin(9) == [], "5 and 6 were pending, and somebody else has 5"
    hands.come(5)
    assert hands.begin(9) == [5, 6, 7]
    hands = InOrder(4)
    hands.come(6)
    asked = hands.held, hands.last
    hands.come(9)
    hands.told(4, 1, *asked)
    assert hands.begin(9) == [6], "of 9 it is not known what stands before it"


def test_what_was_deleted_is_not_waited_for() -> None:
    hands = InOrder(4)
    hands.come(9)
    hands.come(12)
    told(hands, 4, 2)
    assert hands.begin(1) == [9]
    assert hands.begin(9) == [12]


@given(st.permutations(range(1, 9)), st.sets(st.integers(1, 8)))
def test_whatever_comes_when_is_begun_in_order_when_it_is_all_here(order: list[int], deleted: set[int]) -> None:
    hands = InOrder(0)
    there = [one for one in order if one not in deleted]
    begun: list[int] = []
    for one in there:
        hands.come(one)
        begun += hands.begin(2)
    told(hands, 0, hands.held)
    while found := hands.begin(3):
        begun += found
    assert begun == sorted(there)
