"""What a view holds, whatever arrives in whatever order: versions never go back, and it converges."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from stockwire.frame import Position
from stockwire.level import Level
from stockwire.view import Replica

SKUS = ["A", "B", "C"]


def level(sku: str, version: int, location: str = "berlin") -> Level:
    # What a level is at a version is one truth: on_hand is a function of it
    return Level(sku, location, version, version * 10, 0, version * 10, "sale" if version else None, None, 0, version)


def position(seq: int) -> Position:
    return Position("e", {"0": seq})


levels = st.builds(level, st.sampled_from(SKUS), st.integers(0, 20))
steps = st.lists(
    st.one_of(
        levels,
        st.sampled_from(["complete", "resumed", "end"]),
        st.integers(0, 60).map(lambda seq: {"0": seq}),
    ),
    max_size=60,
)


@given(steps)
def test_versions_never_go_back_within_an_epoch(script: list[Level | str | dict[str, int]]) -> None:
    replica = Replica()
    newest: dict[tuple[str, str], int] = {}
    for step in script:
        match step:
            case Level():
                replica.apply(step)
            case "complete" | "resumed":
                replica.begin_snapshot(complete=step == "complete")
            case "end":
                replica.end_snapshot(position(1))
            case dict():
                replica.advance(step)
        for key, held in replica.levels.items():
            assert held.version >= newest.get(key, 0)
            assert held == level(held.sku, held.version)
            newest[key] = held.version


@given(st.permutations([level(sku, version) for sku in SKUS for version in range(1, 6)]), st.data())
def test_converges_in_any_order_with_any_repetition(order: list[Level], data: st.DataObject) -> None:
    replica = Replica()
    for arriving in order + data.draw(st.lists(st.sampled_from(order), max_size=20)):
        replica.apply(arriving)
    assert {held.sku: held.version for held in replica.levels.values()} == dict.fromkeys(SKUS, 5)


@given(
    st.dictionaries(st.sampled_from(SKUS), st.integers(1, 9)),
    st.dictionaries(st.sampled_from(SKUS), st.integers(1, 9)),
    st.dictionaries(st.sampled_from(SKUS), st.integers(1, 9)),
)
def test_a_complete_snapshot_replaces_the_view_but_keeps_what_is_newer(
    before: dict[str, int], snapshot: dict[str, int], between: dict[str, int]
) -> None:
    replica = Replica()
    for sku, version in before.items():
        replica.apply(level(sku, version))
    replica.begin_snapshot(complete=True)
    for sku, version in between.items():
        replica.apply(level(sku, version))
    for sku, version in snapshot.items():
        replica.apply(level(sku, version))
    replica.end_snapshot(position(9))
    assert {held.sku for held in replica.levels.values()} == snapshot.keys() | between.keys()
    for held in replica.levels.values():
        known = [source[held.sku] for source in (before, snapshot, between) if held.sku in source]
        assert held.version == max(known)


def test_a_level_that_a_snapshot_left_out_does_not_come_back_older() -> None:
    replica = Replica()
    replica.apply(level("A", 9))
    replica.begin_snapshot(complete=True)
    replica.end_snapshot(position(9))
    assert not replica.apply(level("A", 7))
    assert ("berlin", "A") not in replica.levels
    assert replica.apply(level("A", 9))


def test_another_epoch_forgets_everything_versions_included() -> None:
    replica = Replica()
    replica.apply(level("A", 9))
    replica.begin_snapshot(complete=False)
    replica.end_snapshot(position(5))
    replica.drop()
    assert not replica.levels
    assert replica.position is None
    assert replica.apply(level("A", 1))


def test_a_snapshot_that_was_cut_leaves_no_position_to_resume_from() -> None:
    replica = Replica()
    replica.begin_snapshot(complete=True)
    replica.end_snapshot(position(5))
    replica.begin_snapshot(complete=True)
    replica.apply(level("A", 9))
    assert replica.position is None


def test_a_resume_that_was_cut_keeps_the_old_position() -> None:
    replica = Replica()
    replica.begin_snapshot(complete=True)
    replica.end_snapshot(replace(position(5), selection="s"))
    replica.begin_snapshot(complete=False)
    replica.apply(level("A", 9))
    assert replica.position == Position("e", {"0": 5}, "s")


def test_a_heartbeat_moves_a_position_forward_only_and_keeps_its_selection() -> None:
    replica = Replica()
    replica.advance({"0": 3})  # nothing to move yet
    replica.begin_snapshot(complete=True)
    replica.end_snapshot(Position("e", {"0": 5, "1": 2}, "s"))
    replica.advance({"0": 4, "1": 7})
    assert replica.position == Position("e", {"0": 5, "1": 7}, "s")
    replica.advance({})
    assert replica.position == Position("e", {"0": 5, "1": 7}, "s")
