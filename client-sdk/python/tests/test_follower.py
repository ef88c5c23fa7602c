"""The consumer's rule, message by message. What any interleaving comes to: tests/client/test_follower_model.py."""

from typing import Any

import pytest

from stockwire.level import Level
from stockwire.operation import Event
from stockwire.streams import Change, Complete, Follower, Gap, Levels, LevelTold, Rewritten, Step, Unreadable


def event(seq: int, sku: str = "A", version: int = 1, shard: int = 0) -> Event:
    moment = Level.parse(level_data(seq, sku, version, shard)).committed_at
    assert moment is not None
    return Event(
        *(shard, seq, sku, "berlin", version, "count", 0, 0, version, 0, version),
        *("00000000-0000-0000-0000-000000000000", "till", None, None, None, moment),
    )


def level_data(seq: int, sku: str = "A", version: int = 1, shard: int = 0) -> dict[str, Any]:
    return {
        **{"sku": sku, "location": "berlin", "version": version, "on_hand": version, "reserved": 0},
        **{"available": version, "kind": "count", "committed_at": "2026-11-22T10:00:00.000000Z"},
        **{"shard": shard, "seq": seq},
    }


def level(seq: int, sku: str = "A", version: int = 1, shard: int = 0) -> Level:
    return Level.parse(level_data(seq, sku, version, shard))


def change(epoch: str, seq: int, sku: str = "A", version: int = 1, shard: int = 0) -> Change:
    return Change(f"{epoch}.{shard}.{seq}", epoch, event(seq, sku, version, shard), level(seq, sku, version, shard))


def told(epoch: str, seq: int, sku: str = "A", version: int = 1) -> LevelTold:
    return LevelTold(f"{epoch}.0.level/berlin/{sku}/{version}", epoch, level(seq, sku, version))


def rewritten(epoch: str, head: int) -> Rewritten:
    return Rewritten(f"{epoch}.0.rewritten", epoch, 0, head)


def complete(epoch: str, head: int) -> Complete:
    return Complete(f"{epoch}.0.complete", epoch, 0, head)


def test_changes_come_once_in_order_and_a_repeat_is_nothing() -> None:
    follower = Follower()
    assert follower.checkpoint(0) is None
    assert follower.take(change("e", 1)) == Step(0, "e", True, event(1), level(1))
    assert follower.take(change("e", 2)) == Step(0, "e", False, event(2), level(2))
    assert follower.take(change("e", 1)) is None
    assert follower.take(change("e", 2)) is None
    assert follower.take(None) is None


def test_what_is_missing_is_named_with_its_numbers_and_nothing_is_taken() -> None:
    follower = Follower()
    follower.take(change("e", 1))
    stored = follower.checkpoint(0)
    for _ in range(2):
        with pytest.raises(Gap, match=r"shard 0: seq 2 of epoch e had to come, and 4 came") as gap:
            follower.take(change("e", 4))
        assert (gap.value.shard, gap.value.epoch, gap.value.expected, gap.value.got) == (0, "e", 2, 4)
        assert follower.checkpoint(0) == stored
    assert follower.take(change("e", 2)) is not None


@pytest.mark.parametrize("first", [change("e", 7), complete("e", 6)])
def test_a_log_that_begins_in_the_middle_is_a_gap(first: Change | Complete) -> None:
    with pytest.raises(Gap) as gap:
        Follower().take(first)
    assert (gap.value.expected, gap.value.got) == (1, 7)


def test_who_joins_late_says_which_levels_are_known() -> None:
    follower = Follower()
    follower.begin_at(0, "e", 6)
    assert follower.take(change("e", 6)) == Step(0, "e")
    assert follower.take(change("e", 6)) is None
    assert follower.take(change("e", 7)) == Step(0, "e", False, event(7), level(7))


@pytest.mark.parametrize("dense", [True, False])
def test_who_joins_passes_over_what_is_still_told_of_an_older_epoch(dense: bool) -> None:
    follower = Follower(dense=dense)
    follower.begin_at(0, "f", 6)
    for message in (change("e", 3), told("e", 3, "A", 1), complete("e", 3), rewritten("e", 4), change("e", 1)):
        assert follower.take(message) in (None, Step(0, "f"))
        follower.begin(0, follower.checkpoint(0))
    assert follower.take(change("f", 7)) == Step(0, "f", False, event(7), level(7))
    assert follower.take(rewritten("e", 4)) is None


def test_who_joins_comes_back_from_an_older_epoch_that_is_told_from_its_beginning() -> None:
    follower = Follower()
    follower.begin_at(0, "f", 6)
    assert follower.take(change("e", 1)) == Step(0, "e", True, event(1), level(1))
    assert follower.take(rewritten("f", 5)) == Step(0, "f", True)
    assert follower.take(change("e", 2)) is None


def test_who_joins_goes_on_to_a_newer_epoch_though_its_own_is_never_told() -> None:
    follower = Follower()
    follower.begin_at(0, "f", 6)
    assert follower.take(rewritten("g", 4)) == Step(0, "g", True)


def test_a_rewritten_history_drops_everything_sets_levels_and_goes_on_behind_its_head() -> None:
    follower, levels = Follower(), Levels()
    messages = [
        *(change("e", 1), change("e", 2, "gone"), rewritten("f", 9), told("f", 9, "A", 5), told("f", 10, "B", 3)),
        *(complete("f", 9), change("f", 10, "B", 3), change("f", 11, "A", 6)),
    ]
    steps = [follower.take(message) for message in messages]
    for step in steps:
        assert step is not None
        levels.apply(step)
    assert [step.starts_over for step in steps if step] == [True, False, True, False, False, False, False, False]
    assert {(level.sku, level.version) for level in levels} == {("A", 6), ("B", 3)}
    assert levels.get("berlin", "gone") is None
    assert len(levels) == 2


def test_a_level_that_is_older_than_what_is_held_stays_away() -> None:
    levels = Levels()
    assert levels.apply(Step(0, "e", level=level(5, version=5)))
    assert not levels.apply(Step(0, "e", level=level(4, version=4)))
    assert not levels.apply(Step(0, "e", level=level(5, version=5)))
    assert not levels.apply(Step(1, "e", starts_over=True))
    assert levels.apply(Step(0, "f", starts_over=True))
    assert not len(levels)


def test_a_change_before_all_levels_were_told_is_a_gap() -> None:
    follower = Follower()
    follower.take(rewritten("f", 9))
    with pytest.raises(Gap) as gap:
        follower.take(change("f", 10))
    assert (gap.value.expected, gap.value.got) == (9, 10)


def test_levels_are_told_again_by_a_relay_that_began_again() -> None:
    follower = Follower()
    for message in (rewritten("f", 9), told("f", 9)):
        assert follower.take(message) is not None
    assert follower.take(rewritten("f", 9)) is None
    assert follower.take(rewritten("f", 12)) is None
    again = follower.take(told("f", 9))
    assert again is not None
    assert not again.starts_over
    assert follower.take(complete("f", 12)) == Step(0, "f")
    assert follower.take(complete("f", 9)) is None
    assert follower.take(change("f", 13)) is not None


def test_what_comes_again_of_an_epoch_that_was_left_is_nothing_also_after_a_restart() -> None:
    follower = Follower()
    for message in (change("e", 1), rewritten("f", 0), complete("f", 0), change("f", 1)):
        follower.take(message)
    stored = follower.checkpoint(0)
    assert stored is not None
    for restarted in (follower, Follower({0: stored})):
        for message in (change("e", 1), change("e", 2), told("e", 2), rewritten("e", 5), rewritten("f", 0)):
            assert restarted.take(message) is None
        assert restarted.take(complete("f", 0)) is None
        assert restarted.checkpoint(0) == stored


def test_an_epoch_whose_log_is_there_from_its_first_event_needs_no_levels() -> None:
    """As Debezium tells it, which knows no epochs."""
    follower = Follower()
    follower.take(change("e", 1))
    assert follower.take(change("f", 1)) == Step(0, "f", True, event(1), level(1))
    with pytest.raises(Gap):
        follower.take(change("g", 5))


def test_a_part_of_the_levels_has_no_gaps() -> None:
    follower = Follower(dense=False)
    assert follower.take(change("e", 3)) == Step(0, "e", True, event(3), level(3))
    assert follower.take(change("e", 9)) == Step(0, "e", False, event(9), level(9))
    assert follower.take(change("e", 3)) is None
    assert follower.take(complete("f", 20)) == Step(0, "f", True)


def test_shards_do_not_know_of_each_other() -> None:
    follower = Follower()
    follower.take(change("e", 1))
    follower.take(rewritten("f", 4))
    assert follower.take(change("e", 1, shard=1)) == Step(1, "e", True, event(1, shard=1), level(1, shard=1))


def test_what_could_not_be_stored_is_taken_again() -> None:
    follower = Follower()
    follower.take(change("e", 1))
    stored = follower.checkpoint(0)
    follower.take(change("e", 2))
    follower.begin(0, stored)
    assert follower.take(change("e", 2)) is not None
    follower.begin(0, None)
    assert follower.checkpoint(0) is None


def test_epochs_that_were_left_are_bounded() -> None:
    follower = Follower()
    for number in range(100):
        follower.take(change(f"epoch-{number}", 1))
    stored = follower.checkpoint(0)
    assert stored is not None
    assert len(stored) < 400
    assert follower.take(change("epoch-98", 1)) is None


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"epoch":"e","seq":"1","told_from":null,"left":[]}',
        '{"epoch":"e","left":[1]}',
        '{"epoch":"e","left":[],"joined":1}',
    ],
)
def test_a_checkpoint_that_is_none_is_refused(stored: str) -> None:
    with pytest.raises(Unreadable, match="checkpoint"):
        Follower({0: stored})
    with pytest.raises(Unreadable, match="checkpoint"):
        Follower().begin(0, stored)
