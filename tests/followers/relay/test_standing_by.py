"""Who takes a shard, and when: two relays that never throw each other out in turn, one that is alone and goes on."""

import random

import pytest

from followers.relay.message import Checkpoint
from followers.relay.standing_by import TAKEOVER_S, TAKEOVER_S_MAX, StandingBy

MOST_S = TAKEOVER_S * 1.5


def checkpoint(seq: int, epoch: str = "e", *, complete: bool = True, told: int = 0) -> Checkpoint:
    return Checkpoint(epoch, seq, complete, told=told)


def waited(one: StandingBy, standing: Checkpoint | None, head: int, *, from_s: float = 0.0) -> float:
    """Until it takes what stands still."""
    now_s = from_s
    while not one.takes(now_s, standing, "e", head):
        now_s += 0.1
        assert now_s < from_s + 1_000
    return now_s - from_s


def test_where_nothing_stands_it_does_not_wait() -> None:
    assert StandingBy(random.random).takes(0, None, "e", 5)


def test_what_moves_is_never_taken() -> None:
    one = StandingBy(random.random)
    assert not any(one.takes(now_s, checkpoint(now_s), "e", 10_000) for now_s in range(1, 1_000))


def test_levels_that_are_being_told_move_too() -> None:
    one = StandingBy(random.random)
    assert not any(one.takes(now_s, checkpoint(7, complete=False, told=now_s), "e", 7) for now_s in range(1, 1_000))


@pytest.mark.parametrize(
    ("standing", "head"),
    [
        *((checkpoint(4), 5), (checkpoint(5, "older"), 5), (checkpoint(5, complete=False), 5)),
        *((checkpoint(5, "older"), 0), (checkpoint(6), 5), (checkpoint(6), 0)),
    ],
)
def test_what_stands_still_and_is_not_all_is_taken_after_a_while(standing: Checkpoint, head: int) -> None:
    for chance in (lambda: 0.0, lambda: 1.0):
        assert TAKEOVER_S - 0.2 <= waited(StandingBy(chance), standing, head) <= MOST_S + 0.2


def test_what_is_all_there_is_left_alone_and_the_wait_begins_with_the_next_event() -> None:
    one = StandingBy(lambda: 0.0)
    assert not any(one.takes(now_s, checkpoint(5), "e", 5) for now_s in range(1_000))
    assert waited(one, checkpoint(5), 6, from_s=1_000) >= TAKEOVER_S - 0.2


def test_what_it_wrote_itself_is_taken_at_once_however_the_sink_tells_it() -> None:
    one = StandingBy(random.random)
    one.wrote(checkpoint(4), Checkpoint("e", 5, levels=3))
    assert one.takes(0, checkpoint(5, told=0), "e", 9)
    assert one.takes(0, checkpoint(4), "e", 9)
    one.was_thrown_out()
    assert not one.takes(0, checkpoint(5), "e", 9)


def test_who_is_thrown_out_again_and_again_waits_longer_until_something_moves() -> None:
    one = StandingBy(lambda: 0.0)
    waits: list[float] = []
    now_s = 0.0
    for _ in range(7):
        waits.append(waited(one, checkpoint(5), 9, from_s=now_s))
        now_s += waits[-1]
        one.was_thrown_out()
    assert [round(wait_s) for wait_s in waits[:4]] == [5, 10, 20, 40]
    assert max(waits) <= TAKEOVER_S_MAX + 0.2
    one.takes(now_s, checkpoint(6), "e", 9)
    assert waited(one, checkpoint(6), 9, from_s=now_s) <= TAKEOVER_S + 0.2


def test_of_two_that_are_both_slow_one_gets_through() -> None:
    """Each needs 12 s for a page, and whoever claims throws the other out."""
    chances = random.Random(7)
    pair = [StandingBy(chances.random) for _ in range(2)]
    standing, writer, since_s, pages = checkpoint(1), 0, 0.0, 0
    pair[0].wrote(standing)
    for now_s in range(1_000):
        if now_s - since_s >= 12:
            pages += 1
            standing, since_s = checkpoint(1 + pages), float(now_s)
            pair[writer].wrote(standing)
        other = 1 - writer
        if pair[other].takes(now_s, standing, "e", 10_000):
            pair[writer].was_thrown_out()
            pair[other].wrote(standing)
            writer, since_s = other, float(now_s)
    assert pages >= 5
