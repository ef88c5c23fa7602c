"""Every event of a shard is applied once and in order, and what is missing is noticed."""

from hypothesis import given
from hypothesis import strategies as st

from hub.stock.sequence import GAP_GRACE_S, WAITING_EVENTS_MAX, ShardSequence
from tests.simulation.history import History
from wire.messages import Event

LENGTH = 40


def events(first: int, last: int) -> list[Event]:
    history = History(shards=1)
    history.commit("berlin", *["A"] * last)
    return history.events[0][first - 1 : last]


def seqs(applied: object) -> list[int]:
    assert isinstance(applied, list | tuple)
    return [event.seq for event in applied]


@given(st.lists(st.tuples(st.integers(1, LENGTH), st.integers(1, 8)), max_size=60))
def test_whatever_comes_in_whatever_order_is_applied_once_and_in_order(batches: list[tuple[int, int]]) -> None:
    sequence = ShardSequence(0, 0, 0.0)
    log = events(1, LENGTH)
    applied: list[int] = []
    for first, length in batches:
        applied += seqs(sequence.batch(log[first - 1 : first - 1 + length], 1.0))
        assert sequence.last == len(applied)
    applied += seqs(sequence.batch(log, 1.0))
    assert applied == list(range(1, LENGTH + 1))


def test_a_gap_is_waited_for_a_moment_and_then_read() -> None:
    sequence = ShardSequence(0, 0, 0.0)
    assert not sequence.batch(events(3, 4), 1.0)
    assert not sequence.gap(1.0)
    assert sequence.gap(1.0 + GAP_GRACE_S)
    assert seqs(sequence.batch(events(1, 2), 1.1)) == [1, 2, 3, 4]
    assert not sequence.gap(9.0)


def test_a_heartbeat_shows_a_lost_tail() -> None:
    sequence = ShardSequence(0, 5, 0.0)
    assert not sequence.heard(7, 1.0)
    assert sequence.gap(1.0 + GAP_GRACE_S)
    assert sequence.known_at == 0.0
    sequence.batch(events(6, 7), 2.0)
    assert sequence.known_at == 2.0


def test_an_old_heartbeat_is_no_suspicion_a_fallen_head_is() -> None:
    sequence = ShardSequence(0, 0, 0.0)
    sequence.heard(0, 0.0)
    sequence.batch(events(1, 9), 1.0)
    assert not sequence.heard(3, 1.1)  # read before the newest batch was committed
    assert not sequence.heard(9, 3.0)
    assert not sequence.heard(9, 6.0)
    assert sequence.heard(3, 9.0)


def test_a_doubt_is_only_cleared_by_a_read_that_was_asked_for_after_it() -> None:
    sequence = ShardSequence(0, 5, 0.0)
    asked = sequence.asking(1.0)
    sequence.doubt()
    sequence.read(5, asked, 2.0)
    assert sequence.gap(2.0)
    sequence.heard(5, 2.5)
    assert sequence.known_at == 0.0
    sequence.read(5, sequence.asking(3.0), 4.0)
    assert not sequence.gap(4.0)
    assert sequence.known_at == 4.0


def test_a_head_that_the_log_does_not_know_is_forgotten() -> None:
    """Else the log would be read for ever: a restored database may never get there."""
    sequence = ShardSequence(0, 5, 0.0)
    sequence.heard(9, 1.0)
    sequence.read(5, sequence.asking(2.0), 3.0)
    assert not sequence.gap(9.0)
    asked = sequence.asking(10.0)
    sequence.heard(6, 11.0)
    sequence.read(5, asked, 12.0)
    assert sequence.gap(13.0)


def test_what_waits_is_bounded_and_the_rest_is_left_to_the_log() -> None:
    sequence = ShardSequence(0, 0, 0.0)
    log = events(1, WAITING_EVENTS_MAX + 1_000)
    for first in range(2, len(log), 500):
        sequence.batch(log[first - 1 : first + 499], 1.0)
    while sequence.last < len(log):
        assert sequence.batch(log[sequence.last : sequence.last + 1_000], 2.0)
    assert sequence.last == len(log)
