"""Thousands of orders in a world that goes wrong at every question: what was taken and held agree in the end."""

import random
from collections import Counter

import pytest

from stockwire.orders import Order, OrderState
from stockwire.orders.decide import Policy
from tests.client.orders.worlds import LATE_S, LEASE_S, TTL_S, Died, World, an_order
from tests.harness.chance import ROUNDS, SEED

WORLDS = 600 * ROUNDS
ATTEMPTS = 12
"""Of processes that may die."""
FINISHES = 12
"""Of processes that do not, with a provider that has become honest; the first may have to wait for a lease."""
SOLD = {OrderState.COMMITTED, OrderState.FULFILLED}
NOTHING = {OrderState.REFUSED, OrderState.DECLINED, OrderState.EXPIRED, OrderState.CANCELLED}
REPORTED = {OrderState.UNRESOLVED, OrderState.CHARGED_WITHOUT_STOCK}
HELD = {"pending", "committed", "fulfilled"}


def world_of(seed: int) -> World:
    chance = random.Random(seed)
    late_s = chance.choice((None, LATE_S + LEASE_S))
    policy = Policy(chance.random() < 0.7, chance.random() < 0.7, chance.choice((30.0, 3_600.0)), 3, late_s)
    return World(chance, policy, free=chance.choice((0, 1, 1, 1)), declined=chance.random() < 0.1)


def live(world: World) -> Order:
    """Until nobody has anything to do any more."""
    before = world.free
    until = world.chance.choice((OrderState.COMMITTED, OrderState.FULFILLED))
    steps = [OrderState.RESERVED, OrderState.CHARGED, until] if world.chance.random() < 0.5 else [until]
    for number in range(ATTEMPTS):
        world.attempt(an_order(), steps[min(number, len(steps) - 1)], f"worker-{number}")
        world.pass_time(world.chance.choice((0.0, LEASE_S / 2, LEASE_S, TTL_S * 1.5)))
    world.doomed = world.lying = 0.0
    for number in range(FINISHES):
        world.attempt(an_order(), until, f"finisher-{number}")
        world.pass_time(LEASE_S + LATE_S)
    assert before == world.free + world.sold_to_others + (world.hold in HELD), "a unit leaked, or was sold twice"
    return world.order


def test_money_or_stock_is_kept_of_an_order_that_went_wrong() -> None:
    seen: Counter[OrderState] = Counter()
    for seed in range(SEED, SEED + WORLDS):
        world = world_of(seed)
        order = live(world)
        seen[order.state] += 1
        told = (seed, order.state, order.reason, world.charged, world.refunds, world.hold)
        if order.state in SOLD:
            assert (world.charged, world.refunds, world.hold in ("committed", "fulfilled")) == (True, 0, True), told
        elif order.state is OrderState.REFUNDED:
            assert (world.charged, world.refunds, world.hold in HELD) == (True, 1, False), told
        elif order.state in NOTHING:
            assert (world.charged, world.refunds, world.hold in HELD) == (False, 0, False), told
        else:
            assert order.state in REPORTED, told
            assert (world.refunds, world.hold in HELD) == (0, False), told
    floor = WORLDS // 300
    wanted = {*SOLD, *REPORTED, OrderState.REFUSED, OrderState.DECLINED, OrderState.EXPIRED, OrderState.REFUNDED}
    assert {state for state in wanted if seen[state] < floor} == set(), seen


def test_a_world_goes_wrong_in_another_way_the_second_time() -> None:
    first, second = (live(world_of(SEED)) for _ in range(2))
    assert first == second


def test_a_shop_that_died_is_taken_for_one_that_ended() -> None:
    world = world_of(SEED)
    world.doomed = 1.0
    assert isinstance(world.attempt(an_order(), OrderState.COMMITTED, "me"), Died)
    assert world.order.state is OrderState.RESERVING


@pytest.mark.parametrize("free", [0, 1])
def test_an_honest_world_is_asked_more_than_it_has_to_be(free: int) -> None:
    world = World(random.Random(SEED), Policy(True, True), free=free, doomed=0.0, lying=0.0)
    world.attempt(an_order(), OrderState.COMMITTED, "me")
    order = world.order
    assert order.state is (OrderState.COMMITTED if free else OrderState.REFUSED)
    assert world.row is not None
    assert world.row.version == (4 if free else 2), "a write to the journal more than steps that need one"
    assert set(world.answers) == ({"o-1/reserve", "o-1/commit"} if free else {"o-1/reserve"})
