"""One thread feeds, others take and read: memory is bounded, every read sees one moment, nobody waits in vain."""

import threading
from typing import Any

import orjson
import pytest

from stockwire.asyncio.inbox import Inbox as AsyncInbox
from stockwire.kind import LEVELS
from stockwire.session import Session
from stockwire.stream import LevelChanged, Snapshot, StreamEvent
from stockwire.sync.inbox import Ended, Inbox
from stockwire.sync.listener import Listener

DEADLINE_S = 20.0
CHANGES = 20_000
SKUS = [f"S{number}" for number in range(50)]


def level(sku: str, version: int) -> dict[str, Any]:
    return {
        **{"type": "level", "sku": sku, "location": "berlin", "version": version, "kind": "sale"},
        **{"on_hand": version, "reserved": 0, "available": version, "shard": 0, "seq": version},
        "committed_at": "2026-11-22T10:00:00Z",
    }


def feed(inbox: Inbox | AsyncInbox, message: dict[str, Any]) -> None:
    inbox.receive(orjson.dumps(message))


def begun(
    inbox: Inbox | AsyncInbox, skus: list[str], *, version: int = 1, recovered: bool = False, epoch: str = "e"
) -> None:
    """A connection's beginning, its snapshot complete."""
    inbox.session.begin("token")
    feed(inbox, {"type": "connected", "id": 1, "node": "n", "epoch": epoch, "heartbeat_s": 5, "expires_at": None})
    feed(inbox, {"type": "subscribed", "id": 2, "sub": 2, "recovered": recovered})
    position = {"epoch": epoch, "seq": {"0": 1}}
    levels = [level(sku, version) for sku in skus]
    feed(inbox, {"type": "snapshot", "sub": 2, "levels": levels, "last": True, "position": position})


def test_thousands_of_changes_behind_a_blocked_callback_are_a_few_with_the_newest() -> None:
    inbox = Inbox(LEVELS, "berlin", None)
    heard: list[StreamEvent] = []
    blocked, go_on, done = threading.Event(), threading.Event(), threading.Event()

    def callback(event: StreamEvent) -> None:
        blocked.set()
        assert go_on.wait(DEADLINE_S)
        heard.append(event)
        if len(heard) == 1 + len(SKUS):
            done.set()

    listener = Listener(inbox, callback, "berlin", set())
    begun(inbox, SKUS)
    assert blocked.wait(DEADLINE_S)
    for version in range(2, CHANGES // len(SKUS) + 2):
        for sku in SKUS:
            feed(inbox, level(sku, version))
    go_on.set()
    assert done.wait(DEADLINE_S)
    listener.stop()
    listener.join(DEADLINE_S)
    assert isinstance(heard[0], Snapshot)
    newest = CHANGES // len(SKUS) + 1
    assert {
        event.level.sku: event.level.version for event in heard if isinstance(event, LevelChanged)
    } == dict.fromkeys(SKUS, newest)
    assert len(heard) == 1 + len(SKUS)


def test_a_reader_of_changes_alone_learns_what_a_resume_and_another_epoch_brought() -> None:
    """In both clients: one empties a mailbox, the other is called at once."""
    blocking = Inbox(LEVELS, "berlin", None)
    mailbox = blocking.open_mailbox()
    asynchronous = AsyncInbox(Session(LEVELS, "berlin", None), "berlin")
    heard: list[StreamEvent] = []
    asynchronous.listeners.append(heard.append)
    shown: list[list[tuple[str, int]]] = []
    for inbox in (blocking, asynchronous):
        begun(inbox, ["S0", "S1"])
        inbox.lost(None)
        begun(inbox, ["S0"], version=5, recovered=True)
        inbox.lost(None)
        begun(inbox, ["S0", "S1"], version=2, epoch="f")
    taken = []
    while event := mailbox.take():
        taken.append(event)
    for events in (taken, heard):
        shown.append([(one.level.sku, one.level.version) for one in events if isinstance(one, LevelChanged)])
    assert shown == [[("S0", 2), ("S1", 2)], [("S0", 5), ("S0", 2), ("S1", 2)]]


def test_a_view_read_while_it_changes_is_of_one_moment() -> None:
    inbox = Inbox(LEVELS, "berlin", None)
    begun(inbox, SKUS)
    view = inbox.session.view
    ended = threading.Event()

    def snapshots() -> None:
        for number in range(300):
            begun(inbox, SKUS if number % 2 else SKUS[:10])
        ended.set()

    feeding = threading.Thread(target=snapshots, daemon=True)
    feeding.start()
    while not ended.is_set():
        for held in (len(list(view)), len(dict(view.items())), len(list(view.values())), len(view.copy())):
            assert held in (10, len(SKUS))
        assert {level.location for level in view.of(view.keys())} == {"berlin"}
    feeding.join(DEADLINE_S)


def test_who_waits_is_woken_by_the_end_and_what_waited_can_still_be_taken() -> None:
    inbox = Inbox(LEVELS, "berlin", None)
    mailbox = inbox.open_mailbox()
    begun(inbox, ["S0"])
    inbox.end(None)
    inbox.end(ZeroDivisionError("too late"))
    assert isinstance(inbox.take(mailbox, None), Snapshot)
    with pytest.raises(Ended) as ended:
        inbox.take(mailbox, None)
    assert ended.value.error is None
    with pytest.raises(Ended):
        inbox.wait_ready(DEADLINE_S)
    inbox.close_mailbox(mailbox)
    assert inbox.take(mailbox, None) is None
