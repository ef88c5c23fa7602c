"""What a writer remembers of levels is bounded, and what was used last stays."""

from ledger.commit.line import key_of
from ledger.commit.remembered import RememberedLevels
from ledger.commit.stock import Stock
from tests.ledger.commit_path import line

A, B, C = (key_of(line(sku, "berlin", 1)) for sku in "ABC")


def test_the_level_that_was_not_kept_for_longest_makes_room() -> None:
    remembered = RememberedLevels(levels_max=2)
    remembered.keep({A: Stock(1, 0, 1), B: Stock(2, 0, 1)})
    remembered.keep({A: Stock(3, 0, 2), C: Stock(4, 0, 1)})
    assert remembered.of([A, B, C]) == {A: Stock(3, 0, 2), C: Stock(4, 0, 1)}
    assert len(remembered) == 2


def test_what_is_heard_late_or_of_a_level_that_nobody_asked_for_is_not_kept() -> None:
    remembered = RememberedLevels()
    remembered.keep({A: Stock(5, 0, 5)})
    for key, stock in ((A, Stock(4, 0, 4)), (A, Stock(6, 0, 6)), (A, Stock(5, 0, 5)), (B, Stock(1, 0, 1))):
        remembered.refresh(key, stock)
    assert remembered.of([A, B]) == {A: Stock(6, 0, 6)}
    remembered.keep({A: Stock(5, 0, 5), B: Stock(2, 0, 2)})
    assert remembered.of([A, B]) == {A: Stock(6, 0, 6), B: Stock(2, 0, 2)}, "a refusal was decided on what is old now"


def test_a_level_that_somebody_else_wrote_contradicts_and_one_that_is_unknown_does_not() -> None:
    remembered = RememberedLevels()
    remembered.keep({A: Stock(1, 0, 1)})
    assert not remembered.contradict({A: Stock(1, 0, 1), B: Stock(9, 0, 9)})
    assert remembered.contradict({A: Stock(1, 0, 2)})
    remembered.forget([A, B])
    assert not remembered.contradict({A: Stock(1, 0, 2)})
