"""What viewers sort and search by is sorted within a bounded share of the time, however many they are: counted."""

import itertools

import pytest

from console.watched.orders import BURST_S, ORDERS_MAX, SORT_S, SORTING_SHARE_MAX, Orders, TooManyOrders, Wanted

SKUS = 100_000
A_SORT_S = SKUS * SORT_S
ASKS_PER_S = 4


def order(name: object) -> Wanted:
    return str(name), "sku", False, ""


class Looking:
    """People who ask for orders, and get them as the console lets them. ``sorts``: how many were made."""

    def __init__(self) -> None:
        self.orders = Orders()
        self.sorts = 0
        self.answered = dict[Wanted, int]()

    def ask(self, wanted: Wanted, now: float) -> None:
        try:
            if self.orders.wait_s(wanted, now) == 0:
                self.orders.skus(wanted, SKUS, self._sort, now)
                self.answered[wanted] = self.answered.get(wanted, 0) + 1
        except TooManyOrders:
            return

    def _sort(self) -> list[str]:
        self.sorts += 1
        return []


def test_twenty_who_look_at_twenty_orders_leave_three_quarters_of_the_time() -> None:
    looking = Looking()
    for tick, viewer in itertools.product(range(ASKS_PER_S * 60), range(20)):
        looking.ask(order(viewer), tick / ASKS_PER_S)
    assert (looking.sorts - 20) * A_SORT_S <= SORTING_SHARE_MAX * 60 + 20 * A_SORT_S
    before = looking.sorts
    for tick in range(ASKS_PER_S * 60, ASKS_PER_S * 70):
        looking.ask(order(0), tick / ASKS_PER_S)
    assert looking.sorts - before >= 7, "alone it is new once a second again"


def test_of_more_than_are_kept_the_first_go_on_and_the_others_are_told() -> None:
    """If one took the place of another, each would be sorted anew with every question."""
    looking = Looking()
    for tick, viewer in itertools.product(range(ASKS_PER_S * 60), range(3 * ORDERS_MAX)):
        looking.ask(order(viewer), tick / ASKS_PER_S)
    assert len(looking.orders) == len(looking.answered) == ORDERS_MAX
    assert min(looking.answered.values()) >= ASKS_PER_S * 30
    assert looking.sorts * A_SORT_S <= SORTING_SHARE_MAX * (60 + BURST_S) + SORTING_SHARE_MAX * 60
    with pytest.raises(TooManyOrders):
        looking.orders.wait_s(order("late"), 60)
    assert looking.orders.wait_s(order("late"), 65) == 0, "they have gone"


def test_who_asks_for_another_order_each_time_has_a_quarter_of_the_time() -> None:
    looking = Looking()
    for number in range(20 * 60):
        looking.ask(order(number), number / 20)
    assert looking.sorts * A_SORT_S <= SORTING_SHARE_MAX * (60 + BURST_S) + A_SORT_S
    assert looking.sorts * A_SORT_S >= SORTING_SHARE_MAX * 60 * 0.8
    assert looking.orders.wait_s(order("new"), 60) <= A_SORT_S / SORTING_SHARE_MAX


def test_while_it_is_quiet_some_are_saved_up() -> None:
    looking = Looking()
    for number in range(20):
        looking.ask(order(number), 100.0)
    assert pytest.approx(looking.sorts, abs=1) == BURST_S * SORTING_SHARE_MAX / A_SORT_S
