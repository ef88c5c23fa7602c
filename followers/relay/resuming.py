"""Where to go on: from what stands in the sink, and what the ledger has. Pure."""

from typing import NamedTuple

from followers.relay.message import Checkpoint


class Following(NamedTuple):
    """With the events behind ``seq``; ``levels``: see Checkpoint."""

    seq: int
    levels: int


class Filling(NamedTuple):
    """With all levels, which the sink keeps apart and has none of, or not all; then with the events behind ``seq``."""

    head: int
    seq: int


class Rewriting(NamedTuple):
    """With the news that history is another one, and all levels of it; then with the events behind ``head``."""

    head: int


class Ahead(NamedTuple):
    """Nowhere: what stands in the sink is in no log. Told on, the same ids would mean other events."""

    seq: int
    head: int

    def __str__(self) -> str:
        return (
            f"the sink has events up to {self.seq:,}, and the log of the same epoch ends at {self.head:,}: if an older "
            "database was restored, finish that with `stockwire migrate --new-epoch`"
        )


def resume(
    checkpoint: Checkpoint | None, epoch: str, head: int, *, levels_apart: bool
) -> Following | Filling | Rewriting | Ahead:
    """``epoch``, ``head``: of the shard, read after ``checkpoint``."""
    if checkpoint is None:
        checkpoint = Checkpoint(epoch, 0)
    if checkpoint.epoch != epoch or not checkpoint.complete:
        return Rewriting(head)
    if checkpoint.seq > head:
        return Ahead(checkpoint.seq, head)
    empty = not checkpoint.seq and not checkpoint.levels
    if levels_apart and head and (empty or not checkpoint.levels_whole):
        return Filling(head, checkpoint.seq)
    return Following(checkpoint.seq, checkpoint.levels)
