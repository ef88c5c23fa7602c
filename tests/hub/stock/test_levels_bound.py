"""A full hub: what nobody watches makes room, what somebody watches stays."""

import pytest

from hub.errors import Full
from hub.fanout.fanout import Bounds
from tests.hub.in_memory import Loads, make_fanout, open_session, subscribe
from tests.simulation.history import History


def test_what_nobody_watches_makes_room_for_what_is_asked_for() -> None:
    history = History(shards=2)
    history.commit("paris", "A", "B", "C")
    fanout = make_fanout(history, bounds=Bounds(levels_max=6, idle_max=6))
    loads = Loads(fanout, history)
    session, pipe = open_session(fanout)
    subscribe(fanout, session, "paris")
    loads.all()
    fanout.delivery.flush()
    fanout.unsubscribe(session, 1)
    for sku in "ABC":
        fanout.levels.hold("rome", sku)
    assert fanout.levels.count == 6
    subscribe(fanout, session, "berlin", list("ABCDEF"))
    loads.all()
    fanout.delivery.flush()
    assert session.subscriptions[1].served
    assert len(pipe.queue[-1]["levels"]) == 6
    assert list(fanout.levels.locations) == ["berlin"]
    assert not fanout.levels.areas
    assert fanout.levels.count == 6


def test_what_is_watched_or_being_read_stays_and_a_refusal_leaves_nothing_behind() -> None:
    fanout = make_fanout(History(shards=2), bounds=Bounds(levels_max=4, idle_max=4))
    session, _ = open_session(fanout)
    reading = fanout.levels.area("paris")
    subscribe(fanout, session, "berlin", ["A", "B"])
    with pytest.raises(Full):
        subscribe(fanout, session, "berlin", list("BCDEF"))
    assert list(session.subscriptions) == [1]
    assert [held.watchers for held in fanout.levels.locations["berlin"].values() if held.watchers] == [
        {session: 1},
        {session: 1},
    ]
    assert fanout.levels.is_reading(reading)
    subscribe(fanout, session, "rome", ["A", "B"])
    assert fanout.levels.count == 4
