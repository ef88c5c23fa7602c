"""Nobody waits for ever while the ledgers are away, and nobody is refused for reading slowly."""

from hub.fanout.starting import START_S
from tests.hub.in_memory import Loads, make_fanout, open_session, subscribe
from tests.simulation.history import EPOCH, History
from wire.messages import Position


def test_what_the_ledger_never_gives_is_refused_in_the_end() -> None:
    history = History(shards=2)
    fanout = make_fanout(history)
    session, pipe = open_session(fanout)
    ahead = Position(EPOCH, {"0": 9, "1": 9})
    subscribe(fanout, session, "berlin", ["A"])
    subscribe(fanout, session, "paris")
    subscribe(fanout, session, "*")
    subscribe(fanout, session, "rome", ["A"], ahead)
    for now in (10.0, 10.0 + 0.9 * START_S):
        fanout.give_up(now)
        assert len(session.subscriptions) == 4
    fanout.give_up(10.0 + START_S)
    errors = [(message["id"], message["code"]) for message in pipe.queue if message["type"] == "error"]
    assert errors == [(id_, "unavailable") for id_ in (1, 2, 3, 4)]
    assert not session.subscriptions
    assert not session.unserved
    assert not fanout.confirming
    Loads(fanout, history).all()
    subscribe(fanout, session, "berlin", ["A"])
    fanout.delivery.flush()
    assert pipe.queue[-1]["type"] == "snapshot"


def test_a_location_that_is_still_being_read_is_waited_for() -> None:
    history = History(shards=1)
    history.commit("berlin", *(f"sku-{number}" for number in range(40)))
    fanout = make_fanout(history)
    loads = Loads(fanout, history)
    session, _ = open_session(fanout)
    subscribe(fanout, session, "berlin")
    loads.ask()
    for page in range(10):
        fanout.give_up(page * 0.9 * START_S)
        loads.read(1)
        loads.answer(1)
    fanout.give_up(10 * START_S)
    fanout.delivery.flush()
    assert session.subscriptions[1].served


def test_a_reader_that_is_slow_is_never_refused_by_it() -> None:
    history = History(shards=1)
    history.commit("berlin", "A")
    fanout = make_fanout(history)
    session, _ = open_session(fanout)
    session.paused()
    subscribe(fanout, session, "berlin")
    Loads(fanout, history).all()
    for now in (0.0, START_S, 10 * START_S):
        fanout.give_up(now)
        fanout.delivery.flush()
    assert not session.subscriptions[1].served
    session.resumed()
    fanout.delivery.flush()
    assert session.subscriptions[1].served
