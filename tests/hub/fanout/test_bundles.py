"""What changes together is written once to each who watches some of it, whatever its audiences have in common."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.fanout.fanout import Fanout
from hub.fanout.session import PART_LEVELS, Session
from tests.hub.in_memory import Loads, Pipe, batch, make_fanout, open_session, subscribe
from tests.simulation.history import History

SKUS = tuple("ABCD")
LOCATIONS = ("berlin", "paris")


class Reader:
    """``writes``: what was written since it was last looked at, each with its (sku, version)s."""

    def __init__(self, fanout: Fanout) -> None:
        self.session, self.pipe = open_session(fanout)
        self.writes: list[list[tuple[str, int]]] = []
        self.session.write = self._write

    def take(self) -> list[list[tuple[str, int]]]:
        writes, self.writes = self.writes, []
        return writes

    def _write(self, data: bytes) -> None:
        self.pipe.queue.clear()
        Pipe.write(self.pipe, data)
        told: list[dict[str, Any]] = [message for message in self.pipe.queue if message["type"] == "level"]
        if told:
            self.writes.append([(f"{one['location']}/{one['sku']}", one["version"]) for one in told])


def a_shop(skus: tuple[str, ...] = SKUS) -> tuple[History, Fanout, Loads]:
    """With version 1 of each sku everywhere."""
    history = History(shards=2)
    fanout = make_fanout(history)
    for location in LOCATIONS:
        fanout.broker(batch(history.commit(location, *skus)), 0.0)
    return history, fanout, Loads(fanout, history)


def come(fanout: Fanout, loads: Loads, *subscriptions: tuple[str, list[str] | None]) -> Reader:
    reader = Reader(fanout)
    for location, skus in subscriptions:
        subscribe(fanout, reader.session, location, skus)
    loads.all()
    while fanout.delivery.flush():
        pass
    reader.take()
    return reader


def change(fanout: Fanout, history: History, location: str, *skus: str) -> None:
    fanout.broker(batch(history.commit(location, *skus)), 0.0)


def test_what_everybody_watches_is_written_once_to_each_in_the_order_of_its_changes() -> None:
    history, fanout, loads = a_shop()
    readers = [come(fanout, loads, ("berlin", ["C", "A", "B"])) for _ in range(3)]
    writes, deliveries = fanout.counts.writes, fanout.counts.deliveries
    change(fanout, history, "berlin", "B", "A", "C")
    fanout.delivery.flush()
    for reader in readers:
        assert reader.take() == [[("berlin/B", 2), ("berlin/A", 2), ("berlin/C", 2)]]
    assert (fanout.counts.writes - writes, fanout.counts.deliveries - deliveries) == (3, 9)


def test_one_that_cannot_be_written_to_is_owed_each_level_of_a_bundle_and_the_others_are_not_held_up() -> None:
    history, fanout, loads = a_shop()
    slow, fast = (come(fanout, loads, ("berlin", ["A", "B"])) for _ in range(2))
    slow.session.paused()
    for version in (2, 3):
        change(fanout, history, "berlin", "A", "B")
        fanout.delivery.flush()
        assert (slow.take(), fast.take()) == ([], [[("berlin/A", version), ("berlin/B", version)]])
    assert (len(slow.session.dirty), fanout.counts.conflated) == (2, 2)
    slow.session.resumed()
    fanout.delivery.flush()
    assert slow.take() == [[("berlin/A", 3), ("berlin/B", 3)]]


@pytest.mark.parametrize("third", [False, True])
def test_a_tick_of_more_than_a_part_is_written_in_parts(*, third: bool) -> None:
    """``third``: somebody watches every third level only, so that no two that follow each other have one audience."""
    skus = tuple(f"{number:03}" for number in range(2 * PART_LEVELS + 50))
    history, fanout, loads = a_shop(skus)
    everything, some = skus, skus[::3]
    readers = [
        (come(fanout, loads, ("berlin", list(watched))), watched)
        for watched in ((everything, some) if third else (everything,))
    ]
    change(fanout, history, "berlin", *skus)
    while fanout.delivery.flush():
        pass
    for reader, watched in readers:
        writes = reader.take()
        assert sorted(name for write in writes for name, _ in write) == [f"berlin/{sku}" for sku in watched]
        assert max(map(len, writes)) <= PART_LEVELS


subscriptions = st.tuples(
    st.sampled_from(LOCATIONS), st.none() | st.lists(st.sampled_from(SKUS), min_size=1, max_size=4, unique=True)
)
readers_of = st.lists(
    st.lists(subscriptions, max_size=3, unique_by=lambda one: (one[0], one[1] is None)), min_size=1, max_size=6
)
bursts_of = st.lists(
    st.lists(st.tuples(st.sampled_from(LOCATIONS), st.sampled_from(SKUS)), min_size=1, max_size=8),
    min_size=1,
    max_size=4,
)


@settings(max_examples=200, deadline=None)
@given(readers_of, bursts_of, st.data())
def test_whatever_audiences_have_in_common_each_is_written_once_what_it_watches(
    wanted: list[list[tuple[str, list[str] | None]]],
    bursts: list[list[tuple[str, str]]],
    data: st.DataObject,
) -> None:
    history, fanout, loads = a_shop()
    readers = [(come(fanout, loads, *subscribed), subscribed) for subscribed in wanted]
    for burst in bursts:
        owed = _held_up(data, [reader.session for reader, _ in readers])
        for location, sku in burst:
            change(fanout, history, location, sku)
        fanout.delivery.flush()
        for reader, subscribed in readers:
            told = reader.take()
            watched = {
                f"{location}/{sku}"
                for location, sku in burst
                if any(location == at and (skus is None or sku in skus) for at, skus in subscribed)
            }
            newest = {name: len(history.versions[tuple(name.split("/"))]) for name in watched}  # type: ignore[index]
            if reader.session in owed:
                assert told == []
                reader.session.resumed()
                while fanout.delivery.flush():
                    pass
                assert {one for write in reader.take() for one in write} == set(newest.items())
            else:
                assert len(told) == bool(watched)
                assert sorted(one for write in told for one in write) == sorted(newest.items())


def _held_up(data: st.DataObject, sessions: list[Session]) -> list[Session]:
    """Some that cannot be written to now."""
    held = [session for session in sessions if data.draw(st.integers(0, 3)) == 0]
    for session in held:
        session.paused()
    return held
