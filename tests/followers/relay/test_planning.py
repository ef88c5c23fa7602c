"""What a relay writes of a page, of levels, of another history; and where it goes on."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict

from followers.relay.message import Checkpoint
from followers.relay.resuming import Ahead, Filling, Following, Rewriting, resume
from tests.followers.relay.batches import EPOCH, event, logged, planning, row


def test_a_page_is_its_events_and_the_newest_of_each_level() -> None:
    page = [event(8, "A"), event(9, "B"), event(10, "A")]
    batch = planning().changes(logged(page), 0)
    assert [orjson.loads(message.data) for message in batch.messages] == page
    assert [(message.key, message.seq) for message in batch.messages] == [
        ("berlin/A", 8),
        ("berlin/B", 9),
        ("berlin/A", 10),
    ]
    assert [message.attributes["id"] for message in batch.messages] == [f"{EPOCH}.0.{seq}" for seq in (8, 9, 10)]
    levels = [orjson.loads(message.data) for message in batch.levels]
    assert levels == [{"epoch": EPOCH, **asdict(row("B", 9))}, {"epoch": EPOCH, **asdict(row("A", 10))}]
    assert batch.checkpoint == Checkpoint(EPOCH, 10)


def test_levels_that_were_filled_do_not_go_back() -> None:
    batch = planning().changes(logged([event(8, "A"), event(9, "B")]), 8)
    assert [message.key for message in batch.levels] == ["berlin/B"]
    assert batch.checkpoint == Checkpoint(EPOCH, 9, levels=8)


def test_a_sink_without_levels_is_told_events_alone() -> None:
    assert planning(levels_apart=False).changes(logged([event(1)]), 0).levels == []


@pytest.mark.parametrize("levels_apart", [True, False])
def test_another_history_is_told_whole_to_who_reads_events_and_to_who_reads_levels(levels_apart: bool) -> None:
    plan = planning(levels_apart=levels_apart)
    batches = [plan.rewritten(9), plan.retold([row("A", 8), row("B", 9)], 9, 0), plan.complete(9)]
    told = [message.attributes["type"] for batch in batches for message in batch.messages]
    level, history = "stockwire.level.v1", "stockwire.history."
    assert told == [f"{history}rewritten.v1", level, level, f"{history}complete.v1"]
    apart = [message.key for batch in batches for message in batch.levels]
    assert apart == (["0", "berlin/A", "berlin/B"] if levels_apart else [])
    assert [batch.checkpoint for batch in batches] == [
        Checkpoint(EPOCH, 9, complete=False),
        Checkpoint(EPOCH, 9, complete=False, told=2),
        Checkpoint(EPOCH, 9, levels=9),
    ]


def test_filling_tells_levels_and_no_event() -> None:
    plan = planning()
    for seq in (0, 7):
        batch = plan.filling([row("A", 3)], Filling(9, seq), 4)
        assert (batch.messages, batch.checkpoint) == ([], Checkpoint(EPOCH, seq, told=5, levels_whole=False))
        assert plan.filled(Filling(9, seq)).checkpoint == Checkpoint(EPOCH, seq, levels=9)


def test_what_changed_last_comes_last_of_a_page_s_levels() -> None:
    batch = planning().changes(logged([event(8, "A"), event(9, "B"), event(10, "A")]), 0)
    assert [message.attributes["sequence"][-2:] for message in batch.levels] == ["09", "10"]


@pytest.mark.parametrize(
    ("checkpoint", "head", "apart", "expected"),
    [
        (None, 0, True, Following(0, 0)),
        (None, 9, False, Following(0, 0)),
        (None, 9, True, Filling(9, 0)),
        (Checkpoint("e", 0, told=5), 9, True, Filling(9, 0)),
        (Checkpoint("e", 4, levels_whole=False), 9, True, Filling(9, 4)),
        (Checkpoint("e", 0, levels=7), 9, True, Following(0, 7)),
        (Checkpoint("e", 4, levels=7), 9, True, Following(4, 7)),
        (Checkpoint("e", 9), 9, True, Following(9, 0)),
        (Checkpoint("e", 10), 9, True, Ahead(10, 9)),
        (Checkpoint("before", 4), 9, True, Rewriting(9)),
        (Checkpoint("before", 10), 9, False, Rewriting(9)),
        (Checkpoint("before", 4), 0, False, Rewriting(0)),
        (Checkpoint("e", 9, complete=False), 9, False, Rewriting(9)),
        (Checkpoint("e", 9, complete=False, told=3), 12, True, Rewriting(12)),
    ],
)
def test_where_it_goes_on(checkpoint: Checkpoint | None, head: int, apart: bool, expected: object) -> None:
    assert resume(checkpoint, "e", head, levels_apart=apart) == expected


@given(st.integers(0, 60), st.lists(st.integers(1, 7), max_size=20), st.booleans())
def test_pages_of_any_size_tell_each_event_once_and_levels_never_go_back(
    filled: int, sizes: list[int], apart: bool
) -> None:
    """However often somebody else goes on from the checkpoint: nothing else is kept."""
    plan, head = planning(levels_apart=apart), sum(sizes)
    log = [event(seq, "ABC"[seq % 3]) for seq in range(1, head + 1)]
    standing: Checkpoint | None = Checkpoint(EPOCH, 0, levels=min(filled, head)) if apart and filled else None
    seqs: list[int] = []
    levels: dict[str, int] = {}
    for size in sizes:
        going = resume(standing, EPOCH, head, levels_apart=apart)
        going = Following(0, 0) if isinstance(going, Filling) else going
        assert isinstance(going, Following)
        batch = plan.changes(logged(log[going.seq : going.seq + size]), going.levels)
        seqs += [message.seq or 0 for message in batch.messages]
        for message in batch.levels:
            version = orjson.loads(message.data)["version"]
            assert version > max(levels.get(message.key, 0), going.levels)
            levels[message.key] = version
        standing = batch.checkpoint
    assert seqs == list(range(1, head + 1))


def test_of_a_batch_in_windows_each_may_be_the_last_that_stands() -> None:
    batch = planning(levels_apart=False).changes(logged([event(seq) for seq in range(1, 8)]), 0)
    assert batch.parts(3) == [Checkpoint(EPOCH, 3), Checkpoint(EPOCH, 6)]
    assert batch.parts(None) == []
    assert planning(levels_apart=False).rewritten(7).parts(1) == [], "of a history all or nothing"
