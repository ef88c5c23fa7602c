"""Each fault is found by its own numbers, and what is allowed is not taken for one."""

from dataclasses import replace
from datetime import UTC, datetime

from stockwire.level import Level
from stockwire.operation import Event
from tests.load.report import summary, table
from tests.load.screen import Delivered, Shown
from tests.load.verdict import Fault, Log, Told, Watched, effects, faults

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
SEEN = Delivered(levels=3)


def event(version: int, delta: int, on_hand: int, operation: str, kind: str = "sale") -> Event:
    return Event(
        0, version, "A", "berlin", version, kind, delta, 0, on_hand, 0, on_hand, operation, "me", None,
        f"key of {operation}", None, NOW,
    )  # fmt: skip


RECEIVED = event(1, 5, 5, "opening", "receipt")
SOLD = event(2, -2, 3, "first")
SOLD_MORE = event(3, -1, 2, "second")
EVENTS = (RECEIVED, SOLD, SOLD_MORE)
SHOWN: Shown = (3, 2, 2, 1)


def level(version: int = 3, on_hand: int = 2) -> Level:
    return Level("A", "berlin", version, on_hand, 0, on_hand, "sale", NOW, 0, version)


def told(*events: Event, unknown: frozenset[str] = frozenset()) -> Told:
    return Told({one.operation: effects([one]) for one in events}, set(unknown))


def screen(shown: Shown | None = SHOWN, *, complete: bool = True) -> Watched:
    return Watched("somebody", complete, ["A"], {} if shown is None else {"A": shown})


def found(
    log: Log | None = None,
    heard: Told | None = None,
    *screens: Watched,
    delivered: Delivered = SEEN,
    unheard: tuple[str, ...] = (),
) -> dict[str, int]:
    log = log or Log(EVENTS, {"A": level()})
    judged = faults(log, heard or told(*EVENTS), screens or [screen()], delivered, unheard, "after 1 s")
    return {fault.name: fault.count for fault in judged if fault.count}


def test_a_clean_run_has_no_fault() -> None:
    assert found() == {}


def test_what_the_ledger_lets_go_of_was_asked_for_with_the_hold() -> None:
    held, released = (
        event(4, 0, 2, "held", "hold"),
        replace(event(5, 0, 2, "let go", "release"), reference="key of held"),
    )
    log = Log((*EVENTS, held, released), {"A": level(5)})
    assert found(log, told(*EVENTS, held), screen((5, 2, 2, 1))) == {}
    assert found(log, told(*EVENTS, released), screen((5, 2, 2, 1))) == {"unasked": 1}


def test_a_basket_that_is_let_go_of_twice_is_seen_twice() -> None:
    held, released = (
        event(4, 0, 2, "held", "hold"),
        replace(event(5, 0, 2, "let go", "release"), reference="key of held"),
    )
    again = replace(released, version=6, seq=6, operation="and again")
    log = Log((*EVENTS, held, released, again), {"A": level(6)})
    assert found(log, told(*EVENTS, held), screen((6, 2, 2, 1))) == {"seen twice": 1}


def test_less_than_nothing_is_oversold() -> None:
    below = replace(SOLD_MORE, on_hand_delta=-4, on_hand=-1, available=-1)
    judged = found(
        Log((RECEIVED, SOLD, below), {"A": level(on_hand=-1)}), told(RECEIVED, SOLD, below), screen((3, -1, -1, 1))
    )
    assert judged == {"oversold": 2}  # the event itself, and the units that never came in


def test_more_units_sold_than_came_in_are_oversold_even_if_no_event_says_so() -> None:
    judged = found(Log((SOLD, SOLD_MORE), {"A": level(2, -3)}), told(SOLD, SOLD_MORE), screen((2, -3, -3, 1)))
    assert judged == {"oversold": 1}


def test_an_acknowledged_operation_that_is_not_in_the_log_is_lost() -> None:
    gone = event(4, -1, 1, "gone")
    assert found(None, told(*EVENTS, gone)) == {"lost": 1}


def test_an_acknowledged_operation_that_the_log_tells_otherwise_is_lost() -> None:
    assert found(None, told(RECEIVED, SOLD, replace(SOLD_MORE, on_hand_delta=-2))) == {"lost": 1}


def test_a_hole_in_the_numbers_of_a_shard_is_lost() -> None:
    assert found(Log(EVENTS, {"A": level()}, gaps=2)) == {"lost": 1}


def test_a_level_that_is_not_the_sum_of_its_events_is_lost() -> None:
    assert found(Log(EVENTS, {"A": level(3, 7)}), None, screen((3, 7, 7, 1))) == {"lost": 1}


def test_a_rewritten_history_is_lost() -> None:
    assert found(Log(EVENTS, {"A": level()}, rewritten=True)) == {"lost": 1}


def test_a_level_of_which_a_screen_never_heard_is_lost_to_it() -> None:
    assert found(None, None, screen((1, 5, 5, 1))) == {"lost": 1}
    assert found(None, None, screen(None)) == {"lost": 1}


def test_a_screen_that_stopped_following_is_stale() -> None:
    assert found(None, None, screen((2, 3, 3, 1))) == {"stale": 1}


def test_a_screen_with_other_numbers_or_ahead_of_the_ledger_is_stale() -> None:
    assert found(None, None, screen((3, 9, 9, 1))) == {"stale": 1}
    assert found(None, None, screen((4, 1, 1, 1))) == {"stale": 1}


def test_a_screen_without_a_snapshot_is_stale() -> None:
    assert found(None, None, screen(None, complete=False)) == {"stale": 1}


def test_a_level_that_only_a_screen_has_is_stale() -> None:
    whole_location = Watched("somebody", True, None, {"A": SHOWN, "B": (1, 1, 1, 0)})
    assert found(None, None, whole_location) == {"stale": 1}


def test_an_operation_booked_twice_is_seen_by_its_id() -> None:
    again = replace(SOLD_MORE, seq=4, version=4, on_hand=1, available=1)
    log = Log((*EVENTS, again), {"A": level(4, 1)})
    assert found(log, None, screen((4, 1, 1, 1))) == {"seen twice": 1}


def test_a_key_booked_under_two_ids_is_seen() -> None:
    again = replace(SOLD_MORE, seq=4, version=4, on_hand=1, available=1, operation="another")
    log = Log((*EVENTS, again), {"A": level(4, 1)})
    assert found(log, told(*EVENTS, again), screen((4, 1, 1, 1))) == {"seen twice": 1}


def test_an_operation_of_several_lines_is_not_booked_twice() -> None:
    other = replace(SOLD_MORE, sku="B", version=1, seq=4, on_hand_delta=1, on_hand=1, available=1)
    log = Log((*EVENTS, other), {"A": level(), "B": replace(level(1, 1), sku="B")})
    heard = told(*EVENTS)
    heard.acknowledged["second"] = effects([SOLD_MORE, other])
    assert found(log, heard) == {}


def test_level_messages_that_came_twice_or_went_back_are_seen_twice() -> None:
    assert found(delivered=Delivered(5, repeated=2, backwards=1, repeated_after_a_gap=7)) == {"seen twice": 3}


def test_an_unknown_outcome_may_be_booked_once_or_not_at_all() -> None:
    assert found(None, told(RECEIVED, SOLD, unknown=frozenset({"second"}))) == {}
    assert found(None, told(*EVENTS, unknown=frozenset({"never"}))) == {}


def test_an_unknown_outcome_that_was_booked_twice_is_seen() -> None:
    again = replace(SOLD_MORE, seq=4, version=4, on_hand=1, available=1)
    log = Log((*EVENTS, again), {"A": level(4, 1)})
    heard = told(RECEIVED, SOLD, unknown=frozenset({"second"}))
    assert found(log, heard, screen((4, 1, 1, 1))) == {"seen twice": 1}


def test_an_operation_that_nobody_asked_for_is_named() -> None:
    assert found(None, told(RECEIVED, SOLD)) == {"unasked": 1}


def test_a_run_that_measured_nothing_fails() -> None:
    nothing = faults(Log([], {}), Told(), [], Delivered(), [], "after 1 s")
    assert {fault.name: fault.count for fault in nothing if fault.count} == {"unmeasured": 3}


def test_a_clock_that_is_behind_fails_the_run_instead_of_making_it_fast() -> None:
    assert found(delivered=Delivered(levels=3, too_early=2)) == {"unmeasured": 1}


def test_a_load_process_that_did_not_answer_fails_the_run() -> None:
    assert found(unheard=("load process 2 did not answer",)) == {"unheard": 1}


def test_the_table_names_each_fault_with_its_numbers() -> None:
    judged = [Fault("lost", 1_200, "9 operations", ("operation x",)), Fault("stale", 0, "3 screens")]
    lines = table("launch-1", judged).splitlines()
    assert lines[0] == "Verdict on launch-1"
    assert lines[1].split() == ["lost", "1,200", "in", "9", "operations"]
    assert lines[3:] == ["FAILED: lost 1,200", "  lost: operation x"]
    assert summary(judged[1:]).startswith("PASSED")
