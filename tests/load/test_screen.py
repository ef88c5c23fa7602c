"""The wire against the promises of the protocol: what a hub does is allowed, what it must not do is counted."""

import json
import random
from datetime import UTC, datetime, timedelta

from hub.fanout.session import Session as HubSession
from stockwire.session import Send
from tests.hub.in_memory import Loads, Pipe, batch, make_fanout, open_session, repair
from tests.load.screen import Screen
from tests.simulation.history import EPOCH, History
from wire.messages import Position, Subscribe

CONNECTED = {"type": "connected", "id": 1, "node": "n", "epoch": EPOCH, "heartbeat_s": 5, "expires_at": None}
SKUS = ["A", "B", "C"]


def receive(screen: Screen, message: dict[str, object]) -> list[int]:
    """The versions that are newly on the screen."""
    return [level.version for level in screen.receive(json.dumps(message))[1]]


def level(version: int, sku: str = "A", on_hand: int = 5) -> dict[str, object]:
    return {
        "type": "level", "sku": sku, "location": "berlin", "version": version, "on_hand": on_hand, "reserved": 0,
        "available": on_hand, "kind": "sale", "committed_at": "2026-11-22T10:00:00.000000Z", "shard": 0, "seq": version,
    }  # fmt: skip


def snapshot(*levels: dict[str, object]) -> dict[str, object]:
    return {
        "type": "snapshot", "sub": 2, "levels": list(levels), "last": True,
        "position": {"epoch": EPOCH, "seq": {"0": 1}, "selection": "s"},
    }  # fmt: skip


def connected(*levels: dict[str, object], screen: Screen | None = None) -> Screen:
    """With a complete snapshot."""
    screen = screen or Screen("somebody", "ws://hub", "berlin", ["A"])
    screen.begin("token")
    receive(screen, CONNECTED)
    receive(screen, {"type": "subscribed", "id": 2, "sub": 2, "recovered": False})
    receive(screen, snapshot(*levels))
    assert screen.complete
    return screen


def deviations(screen: Screen) -> tuple[int, int, int]:
    delivered = screen.delivered
    return delivered.repeated, delivered.backwards, delivered.repeated_after_a_gap


def test_a_version_that_comes_twice_is_counted() -> None:
    screen = connected(level(3))
    assert receive(screen, level(4)) == [4]
    assert receive(screen, level(4)) == []
    assert deviations(screen) == (1, 0, 0)
    assert screen.delivered.samples == ("somebody: A version 4 twice",)


def test_a_version_of_the_snapshot_that_comes_again_is_counted() -> None:
    screen = connected(level(3))
    receive(screen, level(3))
    assert deviations(screen) == (1, 0, 0)


def test_a_version_that_goes_back_is_counted_whatever_was_left_out() -> None:
    screen = connected(level(3))
    receive(screen, level(9))
    receive(screen, level(8))
    assert deviations(screen) == (0, 1, 0)


def test_after_a_version_was_left_out_the_next_may_come_twice_but_not_three_times() -> None:
    screen = connected(level(3))
    for _ in range(3):
        receive(screen, level(5))
    assert deviations(screen) == (1, 0, 1)


def test_the_one_repeat_after_a_gap_may_come_behind_newer_versions() -> None:
    screen = connected(level(3))
    for version in (5, 6, 7, 7, 8, 8):
        receive(screen, level(version))
    assert deviations(screen) == (1, 0, 1)


def test_what_comes_before_the_snapshot_is_complete_is_not_counted() -> None:
    screen = connected(level(3))
    screen.lost(None)
    screen.begin("token")
    receive(screen, CONNECTED)
    receive(screen, level(2))
    receive(screen, level(2))
    assert deviations(screen) == (0, 0, 0)
    assert not screen.complete


def test_a_new_connection_may_repeat_what_the_last_one_showed() -> None:
    screen = connected(level(3))
    receive(screen, level(4))
    connected(level(4), screen=screen)
    assert deviations(screen) == (0, 0, 0)
    assert receive(screen, level(5)) == [5]


def test_a_screen_remembers_where_each_level_stood_when_it_began() -> None:
    screen = connected(level(3))
    receive(screen, level(4, on_hand=2))
    connected(level(6, on_hand=1), screen=screen)
    assert screen.levels() == {"A": (6, 1, 1, 3)}


def test_a_hub_never_deviates_however_slow_and_often_cut_its_reader_is() -> None:
    """The hub's own core, with pub/sub that loses and reorders, and small buffers: the rules above are its rules."""
    repeats = levels = 0
    for seed in range(60):
        screen = simulate(seed)
        assert deviations(screen)[:2] == (0, 0), (seed, screen.delivered.samples)
        repeats += screen.delivered.repeated_after_a_gap
        levels += screen.delivered.levels
    assert levels > 1_000
    assert repeats > 0, "never slow enough to be repeated to: the simulation shows nothing"


def simulate(seed: int) -> Screen:
    chance = random.Random(seed)
    history = History(shards=1)
    history.commit("berlin", "A")
    node = make_fanout(history)
    loads = Loads(node, history)
    screen = Screen("somebody", "ws://hub", "berlin", chance.choice([None, SKUS]))
    link: tuple[HubSession, Pipe] | None = None
    for step in range(300):
        if link is None or chance.random() < 0.01:
            if link is not None:
                node.leave(link[0])
                screen.lost(None)
            link = open_session(node, limit=chance.choice([2, 6, 1_000]))
            subscribed = reconnect(screen)
            node.subscribe(link[0], subscribed)
        events = history.commit("berlin", *chance.choices(SKUS, k=chance.randrange(3)))
        if events and chance.random() < 0.9:
            node.broker(batch(events), step * 0.1)
        if chance.random() < 0.2:
            repair(node, history, step * 0.1)
        loads.all()
        node.confirmed(history.heads())
        if chance.random() < 0.7:
            node.delivery.flush()
        for message in link[1].take(chance.choice([0, 0, 1, 3, 10])):
            receive(screen, message)
    return screen


def reconnect(screen: Screen) -> Subscribe:
    """What the client asks for."""
    screen.begin("token")
    (output,) = screen.receive(json.dumps(CONNECTED))[0]
    assert isinstance(output, Send)
    asked = json.loads(output.text)
    since = asked.get("since")
    position = None if since is None else Position(since["epoch"], since["seq"], since.get("selection"))
    return Subscribe(asked["id"], asked["location"], asked.get("skus"), position)


def test_a_change_that_comes_before_its_commit_is_counted_and_has_no_age() -> None:
    screen = connected(level(3))
    _, (shown,) = screen.receive(json.dumps(level(4)))
    committed_at = datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert screen.age_ms(shown, committed_at + timedelta(milliseconds=7)) == 7
    assert screen.age_ms(shown, committed_at - timedelta(milliseconds=7)) is None
    assert screen.delivered.too_early == 1
