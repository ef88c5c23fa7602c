"""Who is sent elsewhere is so at a time of its own: thousands that came together neither leave nor return as a wave."""

import asyncio
from bisect import bisect_left
from itertools import pairwise

import pytest

from hub.endings import MOVED_AWAY_MAX_MS, Ending
from hub.entry.connections import AGE_SPREAD, Connections
from hub.entry.moves import LOOK_S, SENDERS, Moves
from hub.errors import Ended
from hub.limits import Limits
from server.problems import Unavailable
from tests.simulation.loop import on_virtual_clock

LIMITS = Limits(connection_age_s=300, handshakes_per_s=500)
AGED_PER_S = LIMITS.handshakes_per_s // SENDERS
SPREAD_S = 10.0


class Guest:
    """One connection, and when it was told to go."""

    served = None

    def __init__(self) -> None:
        self.told: list[tuple[float, Ended]] = []

    def end(self, ended: Ended) -> None:
        self.told.append((asyncio.get_running_loop().time(), ended))

    def check_deadlines(self, now: float, wall: float) -> None: ...


class House:
    """A hub's WebSocket connections and its event streams, and what moves them."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.places = [Connections[Guest](100_000, limits.connection_age_s) for _ in range(2)]
        self.moves = Moves(self.places, limits, SPREAD_S)
        self.guests: list[Guest] = []

    def come(self, connections: int, event_streams: int = 0) -> None:
        for place, number in zip(self.places, (connections, event_streams), strict=True):
            for _ in range(number):
                self.guests.append(Guest())
                place.add(self.guests[-1])

    def told(self) -> list[float]:
        """When: of all who were, none of them twice."""
        assert all(len(guest.told) <= 1 for guest in self.guests)
        return sorted(at for guest in self.guests for at, _ in guest.told)


def most_within(times: list[float], seconds: float) -> int:
    return max(bisect_left(times, at + seconds) - index for index, at in enumerate(times))


@on_virtual_clock
async def test_connections_of_one_age_leave_one_by_one_over_its_last_quarter() -> None:
    loop, house = asyncio.get_running_loop(), House()
    house.come(connections=3_000, event_streams=1_000)
    began = loop.time()
    moving = loop.create_task(house.moves.run())
    await asyncio.sleep(LIMITS.connection_age_s * (1 - AGE_SPREAD))
    assert not house.told(), "too early"
    await asyncio.sleep(LIMITS.connection_age_s * AGE_SPREAD + LOOK_S + 1)
    times = house.told()
    assert len(times) == 4_000
    assert times[-1] - began <= LIMITS.connection_age_s + LOOK_S + 1
    quarter_s = LIMITS.connection_age_s * AGE_SPREAD
    parts = [bisect_left(times, times[0] + quarter_s * part / 5) for part in range(6)]
    assert all(700 <= after - before <= 900 for before, after in pairwise(parts)), parts
    assert house.moves.moved == {"age": 4_000, "share": 0}
    endings = {ended.ending for guest in house.guests for _, ended in guest.told}
    aways = [ended.after_ms for guest in house.guests for _, ended in guest.told]
    assert endings == {Ending.AGED}
    assert 0 <= min(aways) < MOVED_AWAY_MAX_MS / 10 < MOVED_AWAY_MAX_MS * 9 / 10 < max(aways) <= MOVED_AWAY_MAX_MS
    moving.cancel()


@on_virtual_clock
async def test_however_many_came_in_one_second_only_so_many_leave_in_one() -> None:
    """10,000 within 25 s would be 400 a second: a hub that is new takes 500, of all others together."""
    loop, limits = asyncio.get_running_loop(), Limits(connection_age_s=100, handshakes_per_s=500)
    house = House(limits)
    house.come(connections=8_000, event_streams=2_000)
    began = loop.time()
    moving = loop.create_task(house.moves.run())
    await asyncio.sleep(0.75 * limits.connection_age_s + 10_000 / AGED_PER_S + 5)
    times = house.told()
    assert len(times) == 10_000
    assert most_within(times, 1) <= AGED_PER_S + AGED_PER_S * LOOK_S
    assert times[-1] - began > limits.connection_age_s, "the bound was met"
    for kind in (house.guests[:8_000], house.guests[8_000:]):
        told = [at for guest in kind for at, _ in guest.told]
        assert (min(told) - times[0] < 1, times[-1] - max(told) < 1) == (True, True), "neither kind waits for the other"
    moving.cancel()


@on_virtual_clock
async def test_without_an_age_nobody_is_sent_away() -> None:
    house = House(Limits())
    house.come(connections=10)
    moving = asyncio.get_running_loop().create_task(house.moves.run())
    await asyncio.sleep(3_600)
    assert not house.told()
    moving.cancel()


@on_virtual_clock
async def test_a_share_leaves_evenly_within_the_time_of_a_drain_and_is_drawn_from_all() -> None:
    loop, house = asyncio.get_running_loop(), House(Limits())
    house.come(connections=8_000, event_streams=2_000)
    moving = loop.create_task(house.moves.run())
    began = loop.time()
    assert house.moves.shed(0.2, began) == 2_000
    house.come(connections=1_000)  # who comes meanwhile stays
    await asyncio.sleep(SPREAD_S + LOOK_S)
    times = house.told()
    assert (len(times), house.moves.moving, house.moves.moved) == (2_000, 0, {"age": 0, "share": 2_000})
    assert times[-1] - began <= SPREAD_S + LOOK_S
    assert house.moves.took.sum == pytest.approx(times[-1] - began)
    assert sum(house.moves.took.counts) == 1
    assert most_within(times, 1) <= 2_000 / SPREAD_S * (1 + LOOK_S) + 5
    assert not any(guest.told for guest in house.guests[10_000:])
    tenths = [sum(bool(guest.told) for guest in house.guests[at : at + 1_000]) for at in range(0, 10_000, 1_000)]
    assert all(140 <= told <= 260 for told in tenths), f"not drawn without favour: {tenths}"
    assert {ended.ending for guest in house.guests for _, ended in guest.told} == {Ending.SHED}
    moving.cancel()


@on_virtual_clock
async def test_of_a_few_the_first_does_not_go_at_once_and_the_last_goes_in_time() -> None:
    loop, house = asyncio.get_running_loop(), House(Limits())
    house.come(connections=2)
    moving = loop.create_task(house.moves.run())
    began = loop.time()
    house.moves.shed(1, began)
    await asyncio.sleep(SPREAD_S + LOOK_S)
    first, last = (at - began for at in house.told())
    assert SPREAD_S / 2 <= first <= SPREAD_S / 2 + LOOK_S + 0.1
    assert SPREAD_S <= last <= SPREAD_S + LOOK_S
    moving.cancel()


@on_virtual_clock
async def test_a_share_goes_in_time_also_where_looks_were_missed_and_counts_nobody_who_left_by_itself() -> None:
    loop, house = asyncio.get_running_loop(), House(Limits())
    house.come(connections=100)
    house.moves.shed(0.5, loop.time())
    for guest in house.guests[::2]:
        house.places[0].remove(guest)
    await asyncio.sleep(SPREAD_S)
    house.moves.look(loop.time())
    told = [guest for guest in house.guests if guest.told]
    assert house.moves.moving == 0
    assert house.moves.moved["share"] == len(told) > 0
    assert all(guest in house.places[0] for guest in told)


@on_virtual_clock
async def test_a_second_share_is_refused_until_the_first_has_gone() -> None:
    """A script that got no answer sends its request again: that must not move twice as many."""
    loop, house = asyncio.get_running_loop(), House(Limits())
    house.come(connections=100)
    moving = loop.create_task(house.moves.run())
    house.moves.shed(0.3, loop.time())
    await asyncio.sleep(SPREAD_S / 2)
    with pytest.raises(Unavailable) as refused:
        house.moves.shed(0.3, loop.time())
    assert 1 <= refused.value.retry_after_s <= SPREAD_S / 2 + 1
    await asyncio.sleep(refused.value.retry_after_s + LOOK_S)
    assert house.moves.shed(0.3, loop.time()) == 30
    await asyncio.sleep(1)
    house.moves.stop()
    moved = house.moves.moved["share"]
    await asyncio.sleep(SPREAD_S)
    assert house.moves.moved["share"] == moved, "who was not told to go stays"
    assert 30 < moved < 60
    assert house.moves.shed(0.001, loop.time()) == 0
    assert house.moves.shed(1, loop.time()) == 100, "nobody waits for a share of nobody"
    moving.cancel()
