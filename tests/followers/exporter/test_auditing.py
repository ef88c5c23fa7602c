"""A right log has no violations however it is read; a wrong one has the right one, once."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followers.exporter.auditing import AGAIN_MAX
from tests.followers.exporter.logs import SHARD, Bench, Log

MOVES = st.lists(
    st.tuples(st.sampled_from("ABCD"), st.sampled_from(["berlin", "hamburg"]), st.integers(-3, 3), st.integers(-3, 3)),
    min_size=1,
    max_size=60,
)


def log_of(moves: list[tuple[str, str, int, int]]) -> Log:
    """As far as they are possible."""
    log = Log()
    for sku, location, on_hand, reserved in moves:
        _, has, holds = log.levels.get((sku, location), (0, 0, 0))
        if 0 <= holds + reserved <= has + on_hand:
            log.add(sku, on_hand, reserved, location)
    return log


@given(MOVES, st.lists(st.integers(1, 20), max_size=10), st.integers(0, 40), st.integers(1, 8))
def test_a_right_log_is_right_wherever_it_is_begun_and_cut_and_however_little_is_kept(
    moves: list[tuple[str, str, int, int]], cuts: list[int], after: int, levels_max: int
) -> None:
    events = log_of(moves).events
    after = min(after, len(events))
    bench = Bench(after, levels_max, all_of_them=after == 0)
    rest = events[after:]
    while rest:
        size = cuts.pop() if cuts else len(rest)
        bench.read(rest[:size])
        rest = rest[size:]
    assert bench.found == {}
    assert bench.audit.seqs == {SHARD: len(events)}
    assert bench.counts.events == len(events) - after
    assert bench.known.count <= levels_max


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        ({"version": 5}, "versions"),
        ({"version": 2}, "versions"),
        ({"on_hand_delta": -2}, "balance"),
        ({"on_hand": 7}, "balance"),
        ({"reserved_delta": 1}, "balance"),
        ({"seq": 5}, "seqs"),
        ({"seq": 3}, "seqs"),
        ({"on_hand": -1, "on_hand_delta": -10}, "negative"),
        ({"reserved": -1, "reserved_delta": -1}, "negative"),
        ({"reserved": 9, "reserved_delta": 9}, "oversold"),
    ],
)
def test_one_wrong_event_is_one_violation(wrong: dict[str, Any], found: str) -> None:
    """And what comes behind it is judged by what it says."""
    log = Log()
    log.add("A", 10)
    log.add("B", 10)
    log.add("A", -1)
    event = log.add("A", -1)
    assert (event["version"], event["on_hand"]) == (3, 8)
    event |= wrong
    bench = Bench(all_of_them=True).read(log.events)
    assert bench.found == {found: 1}
    after = {**event, "version": event["version"] + 1, "seq": max(4, event["seq"]) + 1}
    after |= {"on_hand_delta": -1 - min(0, event["on_hand"]) * 2, "reserved_delta": -event["reserved"], "reserved": 0}
    after["on_hand"] = event["on_hand"] + after["on_hand_delta"]
    bench.read([after | {"seq": bench.audit.seqs[SHARD] + 1}])
    assert bench.found == {found: 1}


def test_all_is_reserved_that_is_on_its_way() -> None:
    log = Log()
    log.add("A", 3, 3, "transit:hamburg")
    log.add("A", 1, 0, "transit:hamburg")
    assert Bench(all_of_them=True).read(log.events).found == {"transit": 1}


def test_a_head_without_its_events_is_one_violation() -> None:
    log = Log()
    log.add("A", 10)
    bench = Bench().read(log.events)
    for _ in range(3):
        bench.audit.page(SHARD, [], 4)
    assert bench.found == {"seqs": 1}
    bench.read([{**log.add("A", -1), "seq": 5}])
    assert bench.found == {"seqs": 1}


def test_a_level_of_which_nothing_is_known_is_judged_by_itself_unless_all_are_known() -> None:
    log = Log()
    for _ in range(3):
        log.add("A", 5)
    bench = Bench(after=2).read(log.events[2:])
    assert (bench.found, bench.counts.first_sights) == ({}, 1)
    assert Bench(after=2, all_of_them=True).read(log.events[2:]).found == {"versions": 1}


def test_what_is_changed_later_is_found_in_the_second_reading() -> None:
    log = Log()
    for _ in range(AGAIN_MAX + 5):
        log.add("A", 5)
    bench = Bench(all_of_them=True).read(log.events)
    assert bench.audit.tail(SHARD) == (6, AGAIN_MAX + 5)
    first, last = 6, AGAIN_MAX + 5
    bench.audit.again(SHARD, first, last, log.events[5:])
    assert (bench.found, bench.counts.events_again) == ({}, AGAIN_MAX)
    log.events[10]["on_hand"] = -1
    changed = [event for event in log.events[5:] if event["seq"] != 20]
    changed.append({**log.events[30], "sku": "B"})
    for _ in range(2):
        bench.audit.again(SHARD, first, last, changed)
        assert bench.found == {"history": 3}


def test_minus_one_is_not_taken_for_minus_two() -> None:
    """Python's hash of both is the same."""
    log = Log()
    log.add("A", 10)
    log.add("A", -1)
    bench = Bench(all_of_them=True).read(log.events)
    log.events[1]["on_hand_delta"] = -2
    bench.audit.again(SHARD, 1, 2, log.events)
    assert bench.found == {"history": 1}


def test_events_that_came_while_the_log_was_read_again_are_left_alone() -> None:
    log = Log()
    for _ in range(10):
        log.add("A", 5)
    bench = Bench(all_of_them=True).read(log.events[:5])
    first, last = bench.audit.tail(SHARD) or (0, 0)
    for _ in range(AGAIN_MAX):
        log.add("A", 5)
    bench.read(log.events[5:])
    bench.audit.again(SHARD, first, last, log.events[:7])
    assert bench.found == {}
