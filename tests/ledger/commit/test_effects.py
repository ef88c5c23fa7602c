"""The table of effects: every kind that a request may name has a row, and each row refuses what it must."""

from typing import get_args, get_type_hints

import pytest

from ledger.commit.effects import EFFECTS, Units, count, move
from ledger.commit.line import COMMIT, COUNT, FULFIL, HOLD, LOST, RELEASE, TRANSFER, TRANSIT
from ledger.commit.stock import Stock
from ledger.errors import BelowReserved, InsufficientStock
from ledger.http.bodies import Movement
from tests.ledger.commit_path import line

STOCK = Stock(on_hand=10, reserved=4, version=7)


def test_every_kind_that_can_be_asked_for_has_an_effect() -> None:
    of_holds = {HOLD, RELEASE, COMMIT, FULFIL, TRANSFER, TRANSIT, LOST}
    assert set(EFFECTS) == {*get_args(get_type_hints(Movement)["kind"]), COUNT, *of_holds}


def test_lines_on_one_level_add_up() -> None:
    assert move(STOCK, [line("A", "berlin", -9), line("A", "berlin", 3)]) == Units(4, 4)


@pytest.mark.parametrize(("taken", "left"), [(6, Units(4, 4)), (7, None)])
def test_what_is_reserved_is_not_taken(taken: int, left: Units | None) -> None:
    if left is None:
        with pytest.raises(InsufficientStock):
            move(STOCK, [line("A", "berlin", -taken)])
    else:
        assert move(STOCK, [line("A", "berlin", -taken)]) == left


@pytest.mark.parametrize(("counted", "left"), [(4, Units(4, 4)), (3, None)])
def test_a_count_finds_at_least_what_is_reserved(counted: int, left: Units | None) -> None:
    if left is None:
        with pytest.raises(BelowReserved):
            count(STOCK, [line("A", "berlin", counted, kind=COUNT)])
    else:
        assert count(STOCK, [line("A", "berlin", counted, kind=COUNT)]) == left
