"""Traces of changes are told with the changes, to whoever watches levels, and are forgotten with the flush."""

from typing import Any

from hub.fanout.fanout import Fanout
from hub.fanout.session import Session
from tests.hub.in_memory import Loads, Pipe, batch, make_fanout, open_session, subscribe
from tests.simulation.history import History
from wire.messages import Event, Subscribe, When
from wire.trace import Trace, trace_of

FIRST, SECOND = (f"00-{digit * 32}-{digit * 16}-01" for digit in "ab")


def a_shop() -> tuple[History, Fanout]:
    history = History(shards=1)
    history.commit("berlin", "A", "B")
    return history, make_fanout(history)


def watching(history: History, fanout: Fanout, limit: int = 1_000_000) -> tuple[Session, Pipe]:
    session, pipe = open_session(fanout, limit)
    subscribe(fanout, session, "berlin", ["A", "B"])
    Loads(fanout, history).all()
    fanout.delivery.flush()
    pipe.queue.clear()
    return session, pipe


def commit(fanout: Fanout, history: History, sku: str, traceparent: str | None = None) -> Event:
    """Of an operation that is traced, if there is a ``traceparent``."""
    (event,) = history.commit("berlin", sku)
    traces = None if traceparent is None else {event.operation: traceparent}
    message = batch([event])
    fanout.broker(type(message)(message.epoch, message.shard, message.first, message.events, traces=traces), 0.0)
    return event


def told(pipe: Pipe) -> list[dict[str, Any]]:
    messages, pipe.queue = pipe.queue, []
    return messages


def trace(traceparent: str) -> Trace:
    read = trace_of(traceparent)
    assert read is not None
    return read


def test_a_change_tells_the_trace_of_its_operation_once() -> None:
    history, fanout = a_shop()
    _, pipe = watching(history, fanout)
    commit(fanout, history, "A", FIRST)
    commit(fanout, history, "B")
    assert fanout.delivery.traced.traces == [trace(FIRST)]
    fanout.delivery.flush()
    assert [(level["sku"], level.get("traceparent")) for level in told(pipe)] == [("A", FIRST), ("B", None)]
    assert not fanout.delivery.traced.traces
    assert not fanout.delivery.traced.by_level
    commit(fanout, history, "A")
    fanout.delivery.flush()
    assert ["traceparent" in level for level in told(pipe)] == [False]


def test_of_a_level_that_changed_several_times_the_newest_trace_is_told_and_all_are_known() -> None:
    history, fanout = a_shop()
    _, pipe = watching(history, fanout)
    for traceparent in (FIRST, SECOND, None):
        commit(fanout, history, "A", traceparent)
    assert fanout.delivery.traced.traces == [trace(FIRST), trace(SECOND)]
    fanout.delivery.flush()
    assert [level.get("traceparent") for level in told(pipe)] == [SECOND]


def test_the_first_traces_changes_are_told_within_the_span_of_the_flush() -> None:
    history, fanout = a_shop()
    _, pipe = watching(history, fanout)
    commit(fanout, history, "A", FIRST)
    commit(fanout, history, "B", SECOND)
    within = trace(FIRST)._replace(span_id="c" * 16)
    fanout.delivery.traced.hand_on(within)
    fanout.delivery.flush()
    assert [level["traceparent"] for level in told(pipe)] == [within.traceparent(), SECOND]


def test_what_is_wrong_about_a_trace_is_none_and_the_change_is_told_all_the_same() -> None:
    history, fanout = a_shop()
    _, pipe = watching(history, fanout)
    commit(fanout, history, "A", '00-nonsense","sku":"B')
    assert not fanout.delivery.traced.traces
    fanout.delivery.flush()
    assert [(level["sku"], "traceparent" in level) for level in told(pipe)] == [("A", False)]


def test_what_the_public_sees_thresholds_and_snapshots_tell_no_trace() -> None:
    history, fanout = a_shop()
    session, pipe = open_session(fanout)
    fanout.subscribe(session, Subscribe(1, "berlin", ["A"], view="public"))
    fanout.subscribe(
        session, Subscribe(2, "berlin", ["A"], when=When(at_least=history.state("berlin", "A").available + 3))
    )
    Loads(fanout, history).all()
    while fanout.delivery.flush():
        pass
    for _ in range(20):
        commit(fanout, history, "A", FIRST)
        fanout.delivery.flush()
    late, snapshots = open_session(fanout)
    commit(fanout, history, "A", FIRST)
    subscribe(fanout, late, "berlin", ["A"])
    while fanout.delivery.flush():
        pass
    messages = [*told(pipe), *told(snapshots)]
    assert {str(message["type"]) for message in messages} >= {"view", "threshold", "snapshot"}
    assert not [message for message in messages if message["type"] != "level" and "traceparent" in str(message)]


def test_a_slow_reader_gets_the_newest_state_without_a_trace() -> None:
    history, fanout = a_shop()
    session, pipe = watching(history, fanout)
    session.paused()
    commit(fanout, history, "A", FIRST)
    fanout.delivery.flush()
    session.resumed()
    while fanout.delivery.flush():
        pass
    assert [(level["type"], "traceparent" in level) for level in told(pipe)] == [("level", False)]
