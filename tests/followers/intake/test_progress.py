"""An offset says no more than what is done, and a command that ends the process is found out, alone."""

from dataclasses import dataclass
from typing import Self

from hypothesis import given
from hypothesis import strategies as st

from followers.intake.answering import DELIVERIES_MAX
from followers.intake.progress import Progress, may_begin


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
            if (progress.in_doubt and progress.in_hand) or progress.in_hand >= window:
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


EACH = 6
"""Commands of each of three partitions."""


@dataclass
class Partition:
    """``waiting``: offsets. ``note``: as it stands at the broker, with the offset."""

    number: int
    waiting: list[int]
    progress: Progress[int]
    note: str

    @classmethod
    def found(cls, number: int, offset: int, note: str, window: int) -> Self:
        return cls(number, list(range(offset, EACH)), Progress[int](offset, note, window), note)


@given(st.integers(0, 2), st.integers(0, EACH - 1), st.integers(1, EACH))
def test_nothing_of_another_partition_is_taken_for_what_ends_the_process(
    partition: int, offset: int, window: int
) -> None:
    lines = [Partition.found(number, 0, "", window) for number in range(3)]
    dead: list[tuple[int, int]] = []
    for _ in range(10 * DELIVERIES_MAX):
        while _ends_at((partition, offset), lines, window, dead):
            lines = [Partition.found(one.number, one.progress.offset, one.note, window) for one in lines]
    assert not any(one.waiting for one in lines)
    assert dead == [(partition, offset)]


def _ends_at(poison: tuple[int, int], lines: list[Partition], window: int, dead: list[tuple[int, int]]) -> bool:
    """Begins what may be, and has it done. Whether it came to what ends the process."""
    begun, alone = may_begin(lines)
    taken: list[tuple[Partition, int]] = []
    for line in begun:
        for _ in range(1 if alone else min(window, len(line.waiting))):
            if not line.progress.in_hand:
                line.note = line.progress.note
            offset = line.waiting.pop(0)
            if line.progress.take(offset) > DELIVERIES_MAX:
                dead.append((line.number, offset))
            elif (line.number, offset) == poison:
                return True
            taken.append((line, offset))
    for line, offset in taken:
        line.progress.done(offset, offset)
    for line in lines:
        if line.progress.settle():
            line.note = line.progress.note
    return False


def test_a_note_of_somebody_else_counts_as_none() -> None:
    for note in ("", "by hand", "-1", "9" * 40):
        assert Progress[int](0, note, 5).take(0) == 1
