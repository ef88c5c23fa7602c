"""Frames, orders, resumes, rates and deadlines, each against what it must agree with."""

from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from hub.endings import Ending
from hub.errors import Ended
from hub.fanout.frames import state_payload, websocket_frame
from hub.fanout.resume import Resume, decide, fingerprint
from hub.limits import Limits, Rate
from hub.stock.held import Held
from hub.stock.order import SeqOrder
from hub.stream.pulse import CLOSE_S, Act, Pulse
from hub.stream.stream_protocol import REASON_BYTES_MAX
from tests.simulation.history import History
from wire.close_codes import CloseCode
from wire.messages import Level, Position, decode_hub_message

LIMITS = Limits()


@given(st.sampled_from([0, 1, 125, 126, 127, 65_535, 65_536, 70_000]))
def test_frames_are_those_of_the_library(size: int) -> None:
    payload = b"x" * size
    assert websocket_frame(payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)


def test_a_level_message_is_the_level_with_its_type() -> None:
    history = History(shards=2)
    history.commit("berlin", "A")
    state = history.state("berlin", "A")
    message = decode_hub_message(state_payload(state))
    assert isinstance(message, Level)
    assert {name: getattr(message, name) for name in state.__struct_fields__} == {
        name: getattr(state, name) for name in state.__struct_fields__
    }


@given(st.lists(st.integers(0, 5), max_size=400), st.integers(0, 400), st.integers(1, 7))
def test_an_order_gives_the_newest_seq_of_each_level_behind_any_cursor(
    moves: list[int], cursor: int, limit: int
) -> None:
    levels = [Held("berlin", str(number)) for number in range(6)]
    order = SeqOrder(levels)
    for seq, moved in enumerate(moves, start=1):
        new = levels[moved].seq == 0
        levels[moved].seq = seq
        order.moved(levels[moved], new=new)
    assert len(order) == len(set(moves))
    found, at = [], cursor
    while part := order.after(at, limit):
        assert len(part) <= limit
        found += part
        at = part[-1].seq
    assert found == sorted((held for held in levels if held.seq > cursor), key=lambda held: held.seq)


def test_a_resume_is_served_asked_or_refused_never_guessed() -> None:
    selection = fingerprint("berlin", ["A", "B"])
    since = Position("e", {"0": 5, "1": 9}, selection)
    assert decide(since, "e", {0: 5}, selection) is Resume.CHANGES
    assert decide(since, "e", {0: 4}, selection) is Resume.ASK
    assert decide(since, "e", {0: 4}, selection, asked=True) is Resume.SNAPSHOT
    assert decide(since, "e", {0: 6}, selection, asked=True) is Resume.CHANGES
    assert decide(since, "other", {0: 5}, selection) is Resume.SNAPSHOT
    assert decide(since, "e", {0: 5, 2: 0}, selection) is Resume.SNAPSHOT
    assert decide(since, "e", {0: 5}, "another") is Resume.SNAPSHOT
    assert decide(Position("e", {"0": 5}), "e", {0: 5}, selection) is Resume.CHANGES
    assert decide(None, "e", {0: 5}, selection) is Resume.SNAPSHOT


def test_a_fingerprint_is_of_the_selection_not_of_how_it_was_written() -> None:
    assert fingerprint("berlin", ["A", "B"]) == fingerprint("berlin", ["B", "A", "B"])
    others = [fingerprint("berlin", None), fingerprint("berlin", ["A"]), fingerprint("A", ["berlin"])]
    assert len({fingerprint("berlin", ["A", "B"]), *others}) == 4


def test_a_rate_allows_its_burst_and_then_its_pace() -> None:
    rate = Rate(per_minute=60, burst=3, now=0.0)
    assert [rate.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [rate.take(1.0), rate.take(1.0)] == [True, False]
    assert [rate.take(100.0) for _ in range(4)] == [True, True, True, False]


def test_deadlines_of_a_connection() -> None:
    pulse = Pulse(0.0)
    assert pulse.due(4.9, 0, LIMITS) is None
    # A device that slept, or a hub that was busy, is no reason to stay away for ever.
    assert _code(pulse.due(5.0, 0, LIMITS)) == CloseCode.TOO_SLOW
    pulse.waiting_for_us = True
    assert pulse.due(20.0, 0, LIMITS) is Act.PING
    assert pulse.due(29.9, 0, LIMITS) is None
    assert _code(pulse.due(30.0, 0, LIMITS)) == CloseCode.GOING_AWAY
    pulse.heard_at = 21.0
    assert pulse.due(30.0, 0, LIMITS) is None
    pulse.expires_at = 100.0
    assert pulse.due(30.0, 99.9, LIMITS) is None
    assert _code(pulse.due(30.0, 100.0, LIMITS)) == CloseCode.TOKEN_EXPIRED
    pulse.blocked_at = 30.0
    assert _code(pulse.due(35.0, 0, LIMITS)) == CloseCode.TOO_SLOW
    pulse.closing_at = 35.0
    assert pulse.due(36.0, 0, LIMITS) is None
    assert pulse.due(35.0 + CLOSE_S, 0, LIMITS) is Act.ABORT


def test_silence_ends_also_where_answers_may_take_longer_than_the_time_between_pings() -> None:
    patient = Limits(ping_s=1.0, pong_s=5.0)
    pulse = Pulse(0.0)
    pulse.waiting_for_us = True
    assert pulse.due(1.0, 0, patient) is Act.PING
    assert [pulse.due(now, 0, patient) for now in (2.0, 3.0, 5.9)] == [None] * 3
    assert _code(pulse.due(6.0, 0, patient)) == CloseCode.GOING_AWAY
    pulse.heard_at = 5.0
    assert pulse.due(6.0, 0, patient) is Act.PING


def test_each_close_code_has_an_ending_that_fits_a_close_frame_and_none_hides_another() -> None:
    """Two rows that are equal would be one member under two names."""
    assert {ending.code for ending in Ending} == set(CloseCode) - {CloseCode.POLICY}  # the library's own
    assert [ending.name for ending in Ending] == list(Ending.__members__)
    assert all(len(ending.reason) <= REASON_BYTES_MAX for ending in Ending)
    assert all(ending.after_ms <= ending.after_ms_max for ending in Ending)


def _code(due: object) -> CloseCode:
    assert isinstance(due, Ended)
    return due.code
