"""The client's side of protocol v1, message by message, without a socket."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockwire import errors
from stockwire.availability import Availability
from stockwire.frame import Position
from stockwire.kind import LEVELS, PUBLIC
from stockwire.session import Changed, Dropped, Ending, Output, Send, Session, Taken
from stockwire.stream import Freshness
from stockwire.view import State


def level(sku: str = "A", version: int = 1, **fields: Any) -> dict[str, Any]:
    state = {
        "sku": sku,
        "location": "berlin",
        "version": version,
        "on_hand": version,
        "reserved": 0,
        "available": version,
        "kind": "sale",
        "committed_at": "2026-11-22T10:00:00.123456Z",
        "shard": 0,
        "seq": version,
    }
    return state | fields


def connected(epoch: str = "e", **fields: Any) -> dict[str, Any]:
    return {
        "type": "connected",
        "id": 1,
        "node": "hub-1",
        "epoch": epoch,
        "heartbeat_s": 5,
        "expires_at": None,
    } | fields


def subscribed(*, recovered: bool = False) -> dict[str, Any]:
    return {"type": "subscribed", "id": 2, "sub": 2, "recovered": recovered}


def snapshot(*levels: dict[str, Any], last: bool = True, seq: int = 10, epoch: str = "e") -> dict[str, Any]:
    part: dict[str, Any] = {"type": "snapshot", "sub": 2, "levels": list(levels), "last": last}
    if last:
        part["position"] = {"epoch": epoch, "seq": {"0": seq}, "selection": "mark"}
    return part


def heartbeat(seq: int, *, fresh: bool = True, lag_ms: int = 3) -> dict[str, Any]:
    return {"type": "heartbeat", "seq": {"0": seq}, "fresh": fresh, "lag_ms": lag_ms}


def changed(sku: str = "A", version: int = 1) -> dict[str, Any]:
    return {"type": "level"} | level(sku, version)


class Hub:
    """Feeds a session as a hub would."""

    def __init__(self, session: Session | None = None) -> None:
        self.session = session or Session(LEVELS, "berlin", ["A", "B"])
        self.session.begin("key")

    def say(self, *messages: dict[str, Any]) -> list[Output]:
        return [output for message in messages for output in self.session.receive(json.dumps(message))]

    def serve(self, *levels: dict[str, Any], seq: int = 10) -> list[Output]:
        return self.say(connected(), subscribed(), snapshot(*levels, seq=seq))


def state(hub: Hub) -> State:
    return hub.session.view.state


def position(hub: Hub) -> Position | None:
    return hub.session.view.position


def sent(outputs: Sequence[Output[Any]]) -> list[dict[str, Any]]:
    return [json.loads(output.text) for output in outputs if isinstance(output, Send)]


def test_subscribes_once_connected_without_since_the_first_time() -> None:
    assert sent(Hub().say(connected())) == [{"type": "subscribe", "id": 2, "location": "berlin", "skus": ["A", "B"]}]


def test_becomes_fresh_with_the_last_part_of_the_snapshot_only() -> None:
    hub = Hub()
    outputs = hub.say(connected(), subscribed(), snapshot(level("A", 3), last=False))
    assert not [output for output in outputs if isinstance(output, Taken)]
    assert state(hub) is State.CONNECTING
    assert hub.say(snapshot(level("B", 4))) == [
        Taken({("berlin", "A"): None, ("berlin", "B"): None}, False, first=True)
    ]
    assert state(hub) is State.FRESH
    assert hub.session.view["berlin", "B"].on_hand == 4


def test_a_heartbeat_during_a_snapshot_moves_no_position() -> None:
    hub = Hub()
    hub.say(connected(), subscribed(), snapshot(level("A", 3), last=False), heartbeat(99))
    assert position(hub) is None
    hub.say(snapshot(seq=10))
    assert position(hub) == Position("e", {"0": 10}, "mark")
    hub.say(heartbeat(12))
    assert position(hub) == Position("e", {"0": 12}, "mark")


def test_a_heartbeat_during_a_resume_moves_no_position() -> None:
    hub = Hub()
    hub.serve(level("A", 3), seq=10)
    again = Hub(hub.session)
    again.say(connected(), subscribed(recovered=True), heartbeat(99))
    assert position(hub) == Position("e", {"0": 10}, "mark")


def test_a_level_never_moves_the_position() -> None:
    hub = Hub()
    hub.serve(seq=10)
    assert hub.say(changed("A", 500)) == [Changed({("berlin", "A"): None})]
    assert position(hub) == Position("e", {"0": 10}, "mark")


def test_resumes_with_the_position_as_the_hub_gave_it() -> None:
    hub = Hub()
    hub.serve(level("A", 3), seq=10)
    hub.say(heartbeat(12))
    hub.session.lost(None)
    assert state(hub) is State.CONNECTING
    (asked,) = sent(Hub(hub.session).say(connected()))
    assert asked["since"] == {"epoch": "e", "seq": {"0": 12}, "selection": "mark"}


def test_a_resume_that_is_not_possible_replaces_the_view() -> None:
    hub = Hub()
    hub.serve(level("A", 3), level("B", 4))
    again = Hub(hub.session)
    (taken,) = [o for o in again.serve(level("B", 2)) if isinstance(o, Taken)]
    assert not taken.recovered
    assert list(hub.session.view) == [("berlin", "B")]
    assert hub.session.view["berlin", "B"].version == 4


def test_a_change_that_a_cut_resume_brought_is_told_by_the_next_one() -> None:
    """The view has it already, so the next snapshot brings nothing new, and yet the application knows nothing of it."""
    hub = Hub()
    hub.serve(level("A", 1))
    before = hub.session.view["berlin", "A"]
    hub.session.lost(None)
    assert Hub(hub.session).say(connected(), subscribed(recovered=True), changed("A", 5))[1:] == []
    hub.session.lost(None)
    outputs = Hub(hub.session).say(connected(), subscribed(recovered=True), snapshot(level("A", 5)))
    assert outputs[1:] == [Taken({("berlin", "A"): before}, recovered=True, first=False)]


def test_another_epoch_drops_everything_before_it_subscribes() -> None:
    hub = Hub()
    hub.serve(level("A", 9))
    again = Hub(hub.session)
    outputs = again.say(connected("other"))
    assert Dropped() in outputs
    assert len(hub.session.view) == 0
    assert "since" not in sent(outputs)[0]
    again.say(subscribed(), snapshot(level("A", 1), epoch="other"))
    assert hub.session.view["berlin", "A"].version == 1


def test_another_epoch_tells_what_has_become_of_each_level_known() -> None:
    """Who follows changes alone would show the old epoch's numbers until each level's next sale, if there is one."""
    hub = Hub()
    hub.serve(level("A", 9), level("B", 4), level("C", 2))
    before = hub.session.view.copy()
    hub.session.lost(None)
    again = Hub(hub.session)
    again.say(connected("other"), subscribed(), snapshot(level("A", 9), last=False, epoch="other"))
    (taken,) = again.say(snapshot(level("B", 3), level("D", 1), epoch="other"))
    assert isinstance(taken, Taken)
    assert not taken.first
    told = {sku: taken.before["berlin", sku] for sku in "ABCD"}
    assert told == {sku: before.get(("berlin", sku)) for sku in "ABCD"}
    gone = hub.session.view["berlin", "C"]
    assert (gone.version, gone.on_hand, gone.available, gone.kind) == (0, 0, 0, None)
    changes = [key for key, known in taken.before.items() if LEVELS.tells(known, hub.session.view[key])]
    assert sorted(sku for _, sku in changes) == ["B", "C", "D"]


def test_an_epoch_that_ended_in_the_middle_of_its_snapshot_leaves_what_was_told_before_it() -> None:
    hub = Hub()
    hub.serve(level("A", 9))
    known = hub.session.view["berlin", "A"]
    Hub(hub.session).say(connected("f"), subscribed(), snapshot(level("A", 1), last=False, epoch="f"))
    (*_, taken) = Hub(hub.session).say(connected("g"), subscribed(), snapshot(level("A", 2), epoch="g"))
    assert taken == Taken({("berlin", "A"): known}, recovered=False, first=False)


def test_a_snapshot_of_another_epoch_than_the_connection_ends_it() -> None:
    hub = Hub()
    (ending,) = [o for o in hub.say(connected("e"), subscribed(), snapshot(epoch="f")) if isinstance(o, Ending)]
    assert ending.code == 4202
    assert ending.error is None
    assert position(hub) is None


def test_after_4202_nothing_is_kept_even_if_the_epoch_reads_the_same() -> None:
    hub = Hub()
    hub.serve(level("A", 9))
    assert hub.session.lost(4202)
    again = Hub(hub.session)
    assert "since" not in sent(again.say(connected()))[0]
    again.say(subscribed(), snapshot(level("A", 7)))
    assert hub.session.view["berlin", "A"].version == 7


def test_what_an_old_connection_left_behind_is_not_mistaken_for_the_new_one() -> None:
    hub = Hub()
    hub.serve(level("A", 1))
    again = Hub(hub.session)
    assert again.say(changed("A", 5)) == []  # before `connected` the epoch is not known
    assert hub.session.view["berlin", "A"].version == 1


def test_a_stale_hub_makes_a_stale_view_and_says_how_late_it_is() -> None:
    hub = Hub()
    hub.serve(level("A", 1))
    assert hub.say(heartbeat(10, fresh=False, lag_ms=800)) == [Freshness(False, 800)]
    assert state(hub) is State.STALE
    assert hub.session.view.lag_ms == 800
    hub.say(heartbeat(10))
    assert state(hub) is State.FRESH


def test_a_hub_that_was_stale_before_its_snapshot_is_stale_after_it() -> None:
    hub = Hub()
    outputs = hub.say(connected(), heartbeat(1, fresh=False), subscribed(), snapshot(level("A", 1)))
    assert outputs[-1] == Freshness(False, 3)
    assert state(hub) is State.STALE


def test_silence_is_measured_by_the_hubs_own_heartbeat() -> None:
    hub = Hub()
    assert hub.session.silence_s_max is None
    hub.say(connected(heartbeat_s=0.5))
    assert hub.session.silence_s_max == 1.0


def test_a_refused_subscription_is_a_typed_error_and_a_busy_hub_is_not() -> None:
    def answer(code: str, id_: int | None = 2) -> list[Output]:
        hub = Hub()
        hub.say(connected())
        return hub.say({"type": "error", "id": id_, "code": code, "message": "why"})

    for code, kind in {
        "forbidden": errors.Forbidden,
        "unauthorized": errors.BadToken,
        "invalid": errors.Invalid,
        "not-found": errors.NotFound,
        "of-a-later-protocol": errors.StreamRefused,
    }.items():
        (ending,) = answer(code)
        assert isinstance(ending, Ending)
        assert type(ending.error) is kind
    (busy,) = answer("limit")
    assert isinstance(busy, Ending)
    assert busy.error is None
    assert busy.paused
    assert answer("unauthorized", id_=7) == []  # a renewal that failed leaves the connection its token
    assert answer("invalid", id_=None) == []


def test_disconnect_carries_how_long_to_stay_away() -> None:
    def ending(**fields: Any) -> Ending:
        (output,) = Hub().say({"type": "disconnect", "code": 1012, "reason": "restart", "after_ms": 1234} | fields)
        assert isinstance(output, Ending)
        return output

    assert ending(reconnect=True) == Ending("restart", 1012, 1.234)
    assert type(ending(reconnect=False, code=4001).error) is errors.BadToken
    assert type(ending(reconnect=False, code=4003).error) is errors.Forbidden
    assert type(ending(reconnect=False, code=4009).error) is errors.StreamRefused


def test_a_token_is_renewed_before_it_ends() -> None:
    now = datetime(2026, 11, 22, 10, tzinfo=UTC)
    hub = Hub()
    assert hub.session.renew_after_s(0.0, now) is None
    hub.say(connected(expires_at="2026-11-22T10:10:00.000000Z", expires_in_s=600))
    assert hub.session.renew_after_s(0.0, now) == 480.0
    assert hub.session.renew_after_s(100.0, now) == 380.0
    assert hub.session.renew_after_s(1_200.0, now) == 5.0
    assert json.loads(hub.session.renew("fresh")) == {"type": "refresh", "id": 3, "token": "fresh"}
    hub.say({"type": "refreshed", "id": 3, "expires_at": "2026-11-22T10:20:00.000000Z", "expires_in_s": 1200})
    assert hub.session.renew_after_s(0.0, now) == 960.0
    hub.say({"type": "refreshed", "id": 4, "expires_at": None})
    assert hub.session.renew_after_s(0.0, now) is None


@pytest.mark.parametrize("off_h", [-2, 0, 2])
def test_a_clock_that_is_hours_off_changes_nothing_in_when_a_token_is_renewed(off_h: int) -> None:
    """Ahead it asked for a token every ten seconds; behind by a fifth of its life, the stream ended with each."""
    hub = Hub()
    hub.say(connected(expires_at="2026-11-22T10:10:00.000000Z", expires_in_s=600))
    now = datetime(2026, 11, 22, 10, tzinfo=UTC) + timedelta(hours=off_h)
    assert hub.session.renew_after_s(30.0, now) == 450.0


def test_a_hub_that_does_not_say_how_long_a_token_lasts_is_served_by_the_clock() -> None:
    hub = Hub()
    hub.say(connected(expires_at="2026-11-22T10:10:00.000000Z"))
    now = datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert hub.session.renew_after_s(0.0, now) == 480.0
    assert hub.session.renew_after_s(100.0, now + timedelta(seconds=100)) == 380.0


def test_what_the_public_sees_is_asked_for_without_a_position_and_taken_whole_each_time() -> None:
    session = Session(PUBLIC, "web", ["A", "B"])
    for number in (1, 2):
        session.begin("key")
        (asked,) = sent(session.receive(json.dumps(connected())))
        assert asked == {"type": "subscribe", "id": 2, "location": "web", "skus": ["A", "B"], "view": "public"}
        session.receive(json.dumps(subscribed()))
        session.receive(json.dumps(heartbeat(7)))
        part = {"type": "snapshot", "sub": 2, "last": True, "views": [view(number)]}
        taken = session.receive(json.dumps(part))[0]
        assert isinstance(taken, Taken)
        assert (list(taken.before), taken.recovered) == ([("web", "A")], False)
        assert session.receive(json.dumps({"type": "view"} | view(number))) == []
        assert session.view.position is None
        session.lost(None)
    assert session.view["web", "A"] == Availability("A", "web", 2, "low", "1+")


def test_a_hub_that_sends_levels_to_the_public_is_not_believed() -> None:
    session = Session(PUBLIC, "web", ["A"])
    session.begin("key")
    for message in (connected(), subscribed()):
        session.receive(json.dumps(message))
    assert isinstance(session.receive(json.dumps(snapshot(level())))[0], Ending)


def view(version: int) -> dict[str, Any]:
    return {"sku": "A", "location": "web", "version": version, "availability": "low", "quantity": "1+"}


messages = st.one_of(
    st.builds(changed, st.sampled_from(["A", "B"]), st.integers(0, 9)),
    st.builds(heartbeat, st.integers(0, 99), fresh=st.booleans()),
    st.builds(connected, st.sampled_from(["e", "f"])),
    st.builds(subscribed, recovered=st.booleans()),
    st.builds(
        lambda levels, last, epoch: snapshot(*levels, last=last, epoch=epoch),
        st.lists(st.builds(level, st.sampled_from(["A", "B"]), st.integers(0, 9)), max_size=3),
        st.booleans(),
        st.sampled_from(["e", "f"]),
    ),
    st.just({"type": "error", "id": 2, "code": "limit", "message": "full"}),
    st.just(None),
)


@given(st.lists(messages, max_size=40))
def test_any_messages_in_any_order_never_take_a_version_back(script: list[dict[str, Any] | None]) -> None:
    """None: the connection is lost and another begins."""
    session = Session(LEVELS, "berlin", ["A", "B"])
    session.begin("key")
    versions: dict[tuple[str, str], int] = {}
    for message in script:
        if message is None:
            session.lost(None)
            session.begin("key")
            continue
        outputs = session.receive(json.dumps(message))
        if Dropped() in outputs:
            versions.clear()
        for key, held in session.view.items():
            assert held.version >= versions.get(key, 0)
            versions[key] = held.version
        if any(isinstance(output, Ending) for output in outputs):
            session.lost(None)
            session.begin("key")
