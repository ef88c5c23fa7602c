"""What a threshold is asked for with, and that no edge is told twice, whatever happens in between."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockwire.asyncio.inbox import Inbox
from stockwire.errors import Invalid
from stockwire.kind import thresholds
from stockwire.mailbox import Mailbox
from stockwire.session import Ending, Session
from stockwire.stream import Snapshot, StreamEvent, ThresholdCrossed
from stockwire.threshold import AtLeast, AtMost, Threshold

KIND = thresholds(AtMost(5, until=8), public=False)


def threshold(sku: str, version: int, raised: bool | None, **fields: Any) -> dict[str, Any]:
    return {"sku": sku, "location": "berlin", "version": version, "raised": raised, **fields}


def connected(epoch: str = "e") -> dict[str, Any]:
    return {"type": "connected", "id": 1, "node": "h", "epoch": epoch, "heartbeat_s": 5, "expires_at": None}


def snapshot(*held: dict[str, Any], last: bool = True) -> dict[str, Any]:
    return {"type": "snapshot", "sub": 2, "last": last, "thresholds": list(held)}


def crossing(sku: str, version: int, raised: bool) -> dict[str, Any]:
    return {"type": "threshold"} | threshold(sku, version, raised)


SUBSCRIBED = {"type": "subscribed", "id": 2, "sub": 2, "recovered": False}


class Watched:
    """A subscription with a reader who may be slow, and a listener who never is."""

    def __init__(self) -> None:
        self.session = Session(KIND, "berlin", ["A", "B"])
        self.inbox = Inbox(self.session, "berlin")
        self.heard: list[StreamEvent[Threshold, ThresholdCrossed]] = []
        self.inbox.listeners.append(self.heard.append)
        self.session.begin("key")

    @property
    def mailbox(self) -> Mailbox[Threshold, ThresholdCrossed]:
        return self.inbox.mailbox

    def say(self, *messages: dict[str, Any]) -> None:
        for message in messages:
            self.inbox.receive(json.dumps(message))

    def serve(self, *held: dict[str, Any]) -> None:
        self.say(connected(), SUBSCRIBED, snapshot(*held))

    def again(self, *held: dict[str, Any]) -> None:
        self.inbox.lost(None)
        self.session.begin("key")
        self.serve(*held)

    def taken(self) -> list[StreamEvent[Threshold, ThresholdCrossed]]:
        events = []
        while (event := self.mailbox.take()) is not None:
            events.append(event)
        assert not self.mailbox
        return events


def edges(events: list[StreamEvent[Threshold, ThresholdCrossed]]) -> list[tuple[str, bool]]:
    return [(event.threshold.sku, event.threshold.raised) for event in events if isinstance(event, ThresholdCrossed)]


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: AtMost(-1), "units"),
        (lambda: AtMost(2**31), "units"),
        (lambda: AtMost(5, until=5), "until"),
        (lambda: AtLeast(0), "units"),
        (lambda: AtLeast(3, until=3), "until"),
        (lambda: AtLeast(3, until=-1), "until"),
    ],
)
def test_a_threshold_that_no_hub_takes_is_refused_before_anything_connects(make: Any, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        make()
    assert refused.value.field == field


def test_what_is_asked_for() -> None:
    assert thresholds(AtMost(0), public=False).asks == {"when": {"at_most": 0}}
    assert thresholds(AtLeast(9, until=2), public=True).asks == {
        "view": "public",
        "when": {"at_least": 9, "until": 2},
    }


def test_crossings_come_after_the_snapshot_that_they_were_found_in() -> None:
    watched = Watched()
    watched.serve(threshold("A", 1, False, available=9), threshold("B", 1, True, available=2))
    assert [type(event) for event in watched.taken()] == [Snapshot]
    watched.again(threshold("A", 3, True, available=5), threshold("B", 4, True, available=1))
    crossed = ThresholdCrossed(Threshold("A", "berlin", 3, raised=True, available=5))
    held = tuple(watched.session.view.values())
    assert watched.taken() == [Snapshot(held, recovered=False), crossed] == watched.heard[1:]


def test_a_crossing_that_waits_survives_the_snapshot_of_a_reconnect() -> None:
    watched = Watched()
    watched.serve(threshold("A", 1, False))
    watched.taken()
    watched.say(crossing("A", 2, True))
    watched.again(threshold("A", 2, True))
    watched.again(threshold("A", 2, None))
    assert edges(watched.taken()) == [("A", True)] == edges(watched.heard)


def test_a_slow_reader_is_not_told_of_two_crossings_that_undo_each_other() -> None:
    watched = Watched()
    watched.serve(threshold("A", 1, False))
    watched.taken()
    watched.say(crossing("A", 2, True), crossing("A", 3, False))
    assert not watched.mailbox
    watched.say(crossing("A", 4, True), crossing("A", 5, False), crossing("A", 6, True))
    assert edges(watched.taken()) == [("A", True)]
    assert edges(watched.heard) == [("A", True), ("A", False), ("A", True), ("A", False), ("A", True)]


def test_what_a_part_of_a_snapshot_takes_back_is_not_told_again() -> None:
    watched = Watched()
    watched.serve(threshold("A", 1, True))
    watched.taken()
    watched.say(crossing("A", 2, False))
    assert edges(watched.taken()) == [("A", False)]
    watched.say(crossing("A", 3, True))
    watched.inbox.lost(None)
    watched.session.begin("key")
    watched.say(connected(), SUBSCRIBED, snapshot(threshold("A", 5, False), last=False))
    assert edges(watched.taken()) == []
    watched.say(snapshot(threshold("B", 1, False)))
    assert edges(watched.taken()) == []
    watched.say(crossing("A", 6, True))
    assert edges(watched.taken()) == [("A", True)]


def test_a_crossing_that_a_late_snapshot_showed_is_told_before_the_one_that_undoes_it() -> None:
    """Else who heeds snapshots would show the first one for ever, and who does not would hear the second one twice."""
    watched = Watched()
    watched.serve(threshold("A", 1, False))
    watched.taken()
    watched.say(crossing("A", 2, True))
    watched.again(threshold("A", 2, True))
    snapshot = watched.mailbox.take()
    assert isinstance(snapshot, Snapshot)
    assert [level.raised for level in snapshot.levels] == [True]
    watched.say(crossing("A", 3, False))
    assert edges(watched.taken()) == [("A", True), ("A", False)]


def test_what_a_snapshot_left_out_is_held_against_what_was_told_when_it_comes_back() -> None:
    """A hub that is behind may leave out a level whose crossing a cut connection had brought, and which nobody told."""
    watched = Watched()
    watched.serve(threshold("A", 1, True))
    watched.taken()
    watched.inbox.lost(None)
    watched.session.begin("key")
    watched.say(connected(), SUBSCRIBED, crossing("A", 4, False))
    watched.again()
    assert edges(watched.taken()) == []
    watched.say(crossing("A", 4, False))
    assert edges(watched.taken()) == [("A", False)] == edges(watched.heard)


def test_another_epoch_is_held_against_what_each_reader_knows() -> None:
    watched = Watched()
    watched.serve(threshold("A", 1, False))
    watched.say(crossing("A", 2, True))
    watched.inbox.lost(4202)
    watched.session.begin("key")
    watched.say(connected("f"), SUBSCRIBED, snapshot(threshold("A", 1, True)))
    assert edges(watched.taken()) == [("A", True)] == edges(watched.heard)
    watched.inbox.lost(4202)
    watched.session.begin("key")
    watched.say(connected("g"), SUBSCRIBED, snapshot(threshold("B", 1, True)))
    assert sorted(edges(watched.taken())) == [("A", False), ("B", True)]
    assert sorted(edges(watched.heard)) == [("A", False), ("A", True), ("B", True)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "threshold"} | threshold("A", 1, True) | {"raised": "yes"},
        {"type": "threshold", "sku": "A", "location": "berlin", "version": 1},
        snapshot() | {"thresholds": None},
        {"type": "snapshot", "sub": 2, "last": True, "levels": []},
        snapshot(threshold("A", 1, True, available="many")),
    ],
)
def test_a_message_that_makes_no_sense_ends_the_connection_and_nothing_else(wrong: dict[str, Any]) -> None:
    session = Session(KIND, "berlin", ["A"])
    session.begin("key")
    (ending,) = session.receive(json.dumps(wrong))
    assert isinstance(ending, Ending)
    assert ending.error is None


skus = st.sampled_from(["A", "B"])
scripts = st.lists(
    st.one_of(
        st.builds(crossing, skus, st.integers(1, 9), st.booleans()),
        st.lists(st.builds(threshold, skus, st.integers(1, 9), st.sampled_from([True, False, None])), max_size=2),
        st.sampled_from(["read", "cut"]),
    ),
    max_size=40,
)


@given(scripts)
def test_whatever_comes_no_reader_is_told_the_same_edge_twice_in_a_row(script: list[Any]) -> None:
    watched = Watched()
    watched.serve()
    read: list[StreamEvent[Threshold, ThresholdCrossed]] = []
    for step in script:
        match step:
            case "read":
                event = watched.mailbox.take()
                read += [] if event is None else [event]
            case "cut":
                watched.inbox.lost(None)
                watched.session.begin("key")
                watched.say(connected(), SUBSCRIBED)
            case list():
                watched.again(*step)
            case dict():
                watched.say(step)
    read += watched.taken()
    for events in (read, watched.heard):
        for sku in "AB":
            told = [raised for name, raised in edges(events) if name == sku]
            assert all(before != after for before, after in pairwise(told))
            held = watched.session.view.get(("berlin", sku))
            if told and held is not None and watched.inbox.ready.is_set():
                assert told[-1] == held.raised
