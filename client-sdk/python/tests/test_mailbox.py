"""A slow reader gets the newest of everything, late, and costs only what is watched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockwire.frame import Position
from stockwire.kind import LEVELS
from stockwire.level import Level
from stockwire.mailbox import Mailbox
from stockwire.session import Changed, Dropped, Taken
from stockwire.stream import Freshness, LevelChanged, Reconnecting, Snapshot, StreamEvent
from stockwire.view import Replica, View

SKUS = ["A", "B", "C"]


def level(sku: str, version: int) -> Level:
    return Level(sku, "berlin", version, version, 0, version, "sale", None, 0, version)


def key(sku: str) -> tuple[str, str]:
    return ("berlin", sku)


class Watched:
    def __init__(self) -> None:
        self.replica = Replica()
        self.mailbox = Mailbox(LEVELS, View(self.replica))

    def change(self, sku: str, version: int) -> None:
        if self.replica.apply(level(sku, version)):
            self.mailbox.changed({key(sku): None})

    def taken(self) -> list[StreamEvent]:
        events = []
        while (event := self.mailbox.take()) is not None:
            events.append(event)
        assert not self.mailbox
        return events


def test_many_changes_of_a_level_are_one_event_with_the_newest() -> None:
    watched = Watched()
    for version in range(1, 1000):
        watched.change("A", version)
    watched.change("B", 1)
    assert watched.taken() == [LevelChanged(level("A", 999)), LevelChanged(level("B", 1))]


def test_what_changes_behind_a_snapshot_that_waits_is_a_change_all_the_same() -> None:
    """Who has begun with `ready` and follows nothing but changes would never learn of it."""
    watched = Watched()
    watched.replica.apply(level("A", 1))
    watched.replica.apply(level("B", 1))
    watched.mailbox.put(Taken({key("A"): None, key("B"): None}, recovered=False, first=True))
    watched.change("A", 2)
    held = (level("A", 2), level("B", 1))
    assert watched.taken() == [Snapshot(held, recovered=False), LevelChanged(level("A", 2))]


@pytest.mark.parametrize("recovered", [True, False])
def test_what_a_later_snapshot_brings_is_told_as_a_change(recovered: bool) -> None:
    watched = Watched()
    watched.replica.apply(level("A", 1))
    watched.mailbox.put(Taken({key("A"): None}, recovered=False, first=True))
    assert [type(event) for event in watched.taken()] == [Snapshot]
    watched.replica.apply(level("A", 2))
    watched.mailbox.put(Taken({key("A"): level("A", 1)}, recovered=recovered, first=False))
    assert watched.taken() == [Snapshot((level("A", 2),), recovered=recovered), LevelChanged(level("A", 2))]


def test_a_complete_snapshot_that_waits_stays_complete_after_a_resume() -> None:
    watched = Watched()
    watched.change("A", 1)
    watched.mailbox.snapshot({}, recovered=False)
    watched.mailbox.notice(Reconnecting(1, 0.1, "lost"))
    watched.change("B", 1)
    watched.mailbox.snapshot({key("B"): None}, recovered=True)
    (snapshot, *changes) = watched.taken()
    assert snapshot == Snapshot((level("A", 1), level("B", 1)), recovered=False)
    assert changes == [LevelChanged(level("A", 1)), LevelChanged(level("B", 1))]


def test_two_resumes_are_one_with_all_that_changed() -> None:
    watched = Watched()
    watched.change("A", 1)
    watched.change("B", 1)
    watched.taken()
    watched.replica.apply(level("A", 2))
    watched.mailbox.snapshot({key("A"): None}, recovered=True)
    watched.replica.apply(level("B", 2))
    watched.mailbox.snapshot({key("B"): None}, recovered=True)
    assert watched.taken() == [Snapshot((level("A", 2), level("B", 2)), recovered=True)]


def test_the_last_word_on_the_connection_is_the_newest() -> None:
    watched = Watched()
    watched.mailbox.notice(Freshness(True, 1))
    watched.mailbox.notice(Reconnecting(1, 0.1, "lost"))
    watched.mailbox.notice(Reconnecting(2, 0.2, "lost"))
    assert watched.taken() == [Reconnecting(2, 0.2, "lost")]
    watched.mailbox.notice(Reconnecting(1, 0.1, "lost"))
    watched.mailbox.snapshot({}, recovered=False)
    watched.mailbox.notice(Freshness(True, 1))
    assert watched.taken() == [Snapshot((), recovered=False), Freshness(True, 1)]


def test_another_epoch_takes_back_what_was_not_read() -> None:
    watched = Watched()
    watched.change("A", 1)
    watched.replica.drop()
    watched.mailbox.forget()
    assert watched.taken() == []


def test_what_a_late_snapshot_showed_is_what_the_reader_knows_in_the_next_epoch() -> None:
    """It was complete at version 1 and read at version 2; the next epoch is at version 1 again."""
    watched = Watched()
    watched.replica.apply(level("A", 1))
    watched.mailbox.put(Taken({key("A"): None}, recovered=False, first=True))
    watched.replica.apply(level("A", 2))
    watched.mailbox.put(Changed({key("A"): level("A", 1)}))
    assert watched.mailbox.take() == Snapshot((level("A", 2),), recovered=False)
    watched.replica.drop()
    watched.mailbox.put(Dropped())
    watched.replica.apply(level("A", 1))
    watched.mailbox.put(Taken({key("A"): level("A", 2)}, recovered=False, first=False))
    events = watched.taken()
    assert events[-2:] == [Snapshot((level("A", 1),), recovered=False), LevelChanged(level("A", 1))]


def test_what_a_resume_did_not_show_is_still_taken_back_by_another_epoch() -> None:
    watched = Watched()
    watched.change("A", 1)
    watched.replica.apply(level("B", 1))
    watched.mailbox.put(Taken({key("B"): None}, recovered=True, first=False))
    assert watched.mailbox.take() == Snapshot((level("B", 1),), recovered=True)
    watched.replica.drop()
    watched.mailbox.put(Dropped())
    assert watched.taken() == [LevelChanged(level("B", 1))]


def test_what_was_not_read_in_one_epoch_is_held_against_the_next() -> None:
    """The reader knows version 1; version 2 was taken back unread; the next epoch begins where the reader stands."""
    watched = Watched()
    watched.replica.apply(level("A", 1))
    watched.replica.apply(level("B", 1))
    watched.mailbox.put(Taken({}, recovered=False, first=True))
    watched.taken()
    for sku in "AB":
        watched.replica.apply(level(sku, 2))
        watched.mailbox.put(Changed({key(sku): level(sku, 1)}))
    watched.replica.drop()
    watched.mailbox.put(Dropped())
    watched.replica.apply(level("A", 1))
    watched.replica.apply(level("B", 3))
    watched.mailbox.put(Taken({key("A"): level("A", 2), key("B"): level("B", 2)}, recovered=False, first=False))
    held = (level("A", 1), level("B", 3))
    assert watched.taken() == [Snapshot(held, recovered=False), LevelChanged(level("B", 3))]


steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(SKUS), st.integers(1, 30)),
        st.sampled_from(["read", "complete", "resumed", "lost"]),
    ),
    max_size=60,
)


@given(steps)
def test_a_reader_that_follows_the_events_shows_what_the_view_holds(script: list[tuple[str, int] | str]) -> None:
    watched = Watched()
    shown: dict[tuple[str, str], Level] = {}

    def read(event: StreamEvent | None) -> None:
        if isinstance(event, LevelChanged):
            assert event.level.version >= (shown[event.level.key].version if event.level.key in shown else 0)
            shown[event.level.key] = event.level
        elif isinstance(event, Snapshot):
            if not event.recovered:
                shown.clear()
            shown.update({changed.key: changed for changed in event.levels})

    for step in script:
        match step:
            case "read":
                read(watched.mailbox.take())
            case "complete" | "resumed":
                watched.replica.begin_snapshot(complete=step == "complete")
                kept = list(watched.replica.levels.values())[:1]
                for held in kept:
                    watched.replica.apply(held)
                watched.replica.end_snapshot(Position("e", {}))
                watched.mailbox.snapshot(dict.fromkeys(held.key for held in kept), recovered=step == "resumed")
            case "lost":
                watched.mailbox.notice(Reconnecting(1, 0.1, "lost"))
            case (str(sku), int(version)):
                watched.change(sku, version)
    for event in watched.taken():
        read(event)
    assert shown == dict(watched.replica.levels)
