"""Whose turn it is: those that fight go one after the other, and nobody waits for one that has nothing to commit."""

from ledger.commit.turns import Turns


def waits(turns: Turns) -> bool:
    """A call, since what is asked again may have changed."""
    return turns.first is not None


class Shard:
    """Writers of one shard, each told of every commit of the others."""

    def __init__(self, *names: str) -> None:
        self.turns = {name: Turns() for name in names}
        self._seq = 0
        for turns in self.turns.values():
            turns.lost()

    def commit(self, *names: str) -> None:
        for name in names:
            self._seq += 10
            self.turns[name].committed(self._seq)
            for other in self.turns.keys() - {name}:
                self.turns[other].heard(name, self._seq)

    @property
    def free(self) -> set[str]:
        """Those that would not wait."""
        return {name for name, turns in self.turns.items() if turns.first is None}


def test_two_that_fight_commit_in_turns() -> None:
    shard = Shard("A", "B")
    shard.commit("A", "B")
    for name, other in (("A", "B"), ("B", "A")) * 3:
        assert shard.free == {name}
        shard.commit(name)
        assert shard.free == {other}


def test_four_that_fight_keep_the_order_in_which_they_came() -> None:
    shard = Shard("A", "B", "C", "D")
    shard.commit("C", "A", "D", "B", "C")
    for name in "ADBC" * 3:
        assert shard.free == {name}
        shard.commit(name)


def test_one_that_commits_out_of_turn_goes_behind_the_others() -> None:
    shard = Shard("A", "B", "C")
    shard.commit("A", "B", "C", "B", "A")
    shard.commit("C")
    assert "A" not in shard.free, "the last batch of B was behind that of C"


def test_one_that_let_its_turn_go_is_waited_for_by_nobody() -> None:
    shard = Shard("A", "B", "C")
    shard.commit("A", "B", "C", "A")
    assert shard.free == {"B"}
    shard.commit("C")  # it has waited for B for long enough
    assert shard.free == {"A", "B"}, "B may come back at any time"
    shard.commit("A")
    assert shard.free == {"B", "C"}


def test_one_that_commits_again_and_again_waits_for_nobody_who_does_not() -> None:
    shard = Shard("A", "B")
    shard.commit("A", "B", "A")
    shard.turns["A"].missed()
    shard.commit("A", "A")
    shard.turns["A"].lost()
    assert "A" in shard.free


def test_one_that_is_waited_for_in_vain_twice_in_a_row_does_not_fight() -> None:
    shard = Shard("A", "B")
    waiting = shard.turns["A"]
    shard.commit("A", "B", "A")
    waiting.missed()
    shard.commit("B", "A")
    assert "A" not in shard.free, "it was late once"
    waiting.missed()
    shard.commit("B", "A")
    waiting.missed()
    shard.commit("B", "A")
    assert "A" in shard.free


def test_one_that_has_taken_its_turn_again_may_miss_the_next() -> None:
    shard = Shard("A", "B")
    shard.commit("A", "B", "A")
    shard.turns["A"].missed()
    shard.commit("B", "A", "B", "A")
    shard.turns["A"].missed()
    shard.commit("B", "A")
    assert "A" not in shard.free


def test_one_that_commits_seldom_is_not_waited_for_without_a_race() -> None:
    turns = Turns()
    for seq in range(0, 100, 20):
        turns.committed(seq)
        turns.heard("B", seq + 10)
        assert not waits(turns)
    turns.committed(100)
    assert not waits(turns)
    turns.lost()
    assert waits(turns)


def test_a_commit_that_is_told_late_counts_where_it_was_made() -> None:
    turns = Turns()
    turns.lost()
    turns.committed(20)
    turns.heard("B", 10)
    assert waits(turns), "B went before us, so that it is its turn now"
    turns.heard("B", 30)
    assert not waits(turns)
    turns.committed(40)
    turns.heard("B", 25)
    assert waits(turns), "it had two batches, of which the later one was told first"


def test_nobody_is_waited_for_who_is_not_heard() -> None:
    turns = Turns()
    turns.lost()
    turns.heard("B", 10)
    turns.committed(20)
    assert waits(turns)
    turns.forget()
    assert not waits(turns)
