"""Deciding a batch in memory: all or nothing, in order, never below what is promised."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ledger.commit.decide import ON_HAND_MAX, Decision, decide
from ledger.commit.line import COUNT, key_of
from ledger.commit.operation import Operation
from ledger.commit.stock import LevelKey, Stock
from ledger.errors import BelowReserved, InsufficientStock, Refusal, VersionConflict
from server.problems import Invalid, NotFound, Problem
from tests.ledger.commit_path import line, operation

A = key_of(line("A", "berlin", 1))
B = key_of(line("B", "berlin", 1))


def one(decision: Decision) -> Any:
    (verdict,) = decision.verdicts
    return verdict


def test_a_sale_moves_the_level_and_its_version() -> None:
    decision = decide([operation(line("A", "berlin", -3))], {A: Stock(10, 2, 7)})
    assert one(decision) == 1
    assert decision.before == {A: Stock(10, 2, 7)}
    assert decision.after == {A: Stock(7, 2, 8)}
    (event,) = decision.events
    assert (event["version"], event["on_hand_delta"], event["on_hand"], event["available"]) == (8, -3, 7, 5)


def test_what_is_reserved_cannot_be_sold() -> None:
    decision = decide([operation(line("A", "berlin", -9))], {A: Stock(10, 2, 7)})
    error = one(decision)
    assert isinstance(error, InsufficientStock)
    assert error.numbers == {"sku": "A", "location": "berlin", "available": 8, "requested": 9}
    assert decision.after == {A: Stock(10, 2, 7)}
    assert decision.stored[0][1] is error


def test_the_operations_of_a_batch_see_each_other() -> None:
    batch = [operation(line("A", "berlin", -1)) for _ in range(3)]
    decision = decide(batch, {A: Stock(2, 0, 0)})
    assert decision.verdicts[:2] == [1, 1]
    assert isinstance(decision.verdicts[2], InsufficientStock)
    assert decision.after == {A: Stock(0, 0, 2, view_version=2)}
    assert [event["version"] for event in decision.events] == [1, 2]


def test_one_short_line_refuses_the_whole_operation() -> None:
    levels = {A: Stock(5, 0, 1), B: Stock(0, 0, 1)}
    decision = decide([operation(line("A", "berlin", -1), line("B", "berlin", -1))], levels)
    assert isinstance(one(decision), InsufficientStock)
    assert decision.after == levels
    assert decision.events == []


def test_lines_on_one_level_are_one_event() -> None:
    lines = [line("A", "berlin", -2, reference="r"), line("A", "berlin", 1, kind="return", reference="r")]
    decision = decide([operation(*lines)], {A: Stock(2, 0, 3)})
    (event,) = decision.events
    assert (event["kind"], event["on_hand_delta"], event["version"], event["reference"]) == ("mixed", -1, 4, "r")


def test_an_expected_version_that_has_moved_is_refused_with_the_level() -> None:
    batch = [operation(line("A", "berlin", -1)), operation(line("A", "berlin", -1, expected_version=3))]
    error = decide(batch, {A: Stock(9, 0, 3)}).verdicts[1]
    assert isinstance(error, VersionConflict)
    assert error.numbers["expected_version"] == 3
    assert error.numbers["level"]["version"] == 4
    assert error.numbers["level"]["on_hand"] == 8


def test_a_count_sets_the_level_and_may_not_fall_below_what_is_reserved() -> None:
    counts = [operation(line("A", "berlin", n, kind=COUNT)) for n in (12, 3)]
    decision = decide(counts, {A: Stock(10, 4, 1)})
    assert decision.verdicts[0] == 1
    error = decision.verdicts[1]
    assert isinstance(error, BelowReserved)
    assert error.numbers == {"sku": "A", "location": "berlin", "on_hand": 3, "reserved": 4}
    assert decision.after[A] == Stock(12, 4, 2)


def test_an_unknown_item_hurts_nobody_else_and_is_not_stored() -> None:
    decision = decide([operation(line("X", "berlin", 1)), operation(line("A", "berlin", 1))], {A: Stock(0, 0, 0)})
    assert isinstance(decision.verdicts[0], NotFound)
    assert decision.verdicts[1] == 1
    assert len(decision.stored) == 1


def test_more_than_fits_is_invalid_and_not_stored() -> None:
    decision = decide([operation(line("A", "berlin", 1))], {A: Stock(ON_HAND_MAX, 0, 1)})
    assert isinstance(one(decision), Invalid)
    assert decision.stored == []


def test_an_operation_on_two_shards_lists_its_events_by_shard() -> None:
    far, near = line("A", "paris", 1), line("A", "berlin", 1)
    assert far.shard != near.shard
    levels = {key_of(far): Stock(0, 0, 0), key_of(near): Stock(0, 0, 0)}
    for lines in ((far, near), (near, far)):
        shards = [event["shard"] for event in decide([operation(*lines)], levels).events]
        assert shards == sorted(shards)


quantities = st.integers(-5, 5).filter(bool)
operations = st.lists(
    st.builds(line, st.sampled_from("AB"), st.just("berlin"), quantities, kind=st.just("adjustment")),
    min_size=1,
    max_size=4,
).map(lambda lines: operation(*lines))
stocks = st.builds(
    lambda on_hand, reserved, version: Stock(on_hand + reserved, reserved, version),
    st.integers(0, 8),
    st.integers(0, 4),
    st.integers(0, 9),
)


@given(st.lists(operations, max_size=12), stocks, stocks)
def test_a_batch_equals_its_operations_one_by_one(batch: list[Operation], a: Stock, b: Stock) -> None:
    together = decide(batch, {A: a, B: b})
    levels = {A: a, B: b}
    for request, verdict in zip(batch, together.verdicts, strict=True):
        alone = decide([request], levels)
        assert _kind(one(alone)) == _kind(verdict)
        levels |= alone.after
    assert {**{A: a, B: b}, **together.after} == levels


@given(st.lists(operations, max_size=12), stocks, stocks)
def test_nothing_is_oversold_and_every_event_follows_from_the_last(batch: list[Operation], a: Stock, b: Stock) -> None:
    levels: dict[LevelKey, Stock] = {A: a, B: b}
    for event in decide(batch, levels).events:
        key = LevelKey(event["shard"], event["location"], event["sku"])
        before = levels[key]
        assert event["version"] == before.version + 1
        assert event["on_hand"] == before.on_hand + event["on_hand_delta"]
        assert event["on_hand"] >= event["reserved"] == before.reserved
        levels[key] = Stock(event["on_hand"], event["reserved"], event["version"])


def _kind(verdict: int | Problem) -> object:
    return (verdict.type, verdict.numbers) if isinstance(verdict, Refusal) else verdict
