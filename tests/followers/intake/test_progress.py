"""An offset says no more than what is done, and a command that ends the process is found out, alone."""

from hypothesis import given
from hypothesis import strategies as st

from followers.intake.answering import DELIVERIES_MAX
from followers.intake.progress import Progress


@given(st.permutations(range(8)))
def test_what_is_done_out_of_order_waits_for_what_stands_before_it(order: list[int]) -> None:
    offsets = [10, 11, 13, 14, 20, 21, 22, 30]
    progress = Progress[int](10, "", 100)
    assert [progress.take(offset) for offset in offsets] == [1] * 8
    settled: list[int] = []
    done: set[int] = set()
    for one in order:
        done.add(offsets[one])
        progress.done(offsets[one], offsets[one])
        settled += progress.settle()
        prefix = next((at for at, offset in enumerate(offsets) if offset not in done), len(offsets))
        assert settled == offsets[:prefix]
        assert progress.offset == (settled[-1] + 1 if settled else 10)
    assert progress.in_hand == 0


@given(st.integers(0, 9), st.integers(1, 10))
def test_whoever_ends_the_process_is_laid_aside_and_nobody_else_is(poison: int, window: int) -> None:
    """Each life of a process reads offset and note, and ends when it comes to the one."""
    offset, note = 0, ""
    ended, dead = 0, []
    while offset < 10:
        progress = Progress[int](offset, note, window)
        note = progress.note
        for at in range(offset, 10):
            if not progress.may_take or progress.in_hand >= window:
                break
            deliveries = progress.take(at)
            if deliveries > DELIVERIES_MAX:
                dead.append(at)
            elif at == poison:
                ended += 1
                assert deliveries == 1 or progress.in_hand == 1, "it takes no others with it a second time"
                break
            progress.done(at, at)
            if progress.settle():
                offset, note = progress.offset, progress.note
    assert dead == [poison]
    assert DELIVERIES_MAX <= ended <= DELIVERIES_MAX + 1


def test_a_note_of_somebody_else_counts_as_none() -> None:
    for note in ("", "by hand", "-1", "9" * 40):
        assert Progress[int](0, note, 5).take(0) == 1
