"""When a relay takes a shard that another one may be writing. Pure.

Nobody holds a lease: a relay takes a shard where nothing stands yet, and where the checkpoint stands still for a while
though the log ends elsewhere. The sink then refuses whoever wrote before. So that two relays never throw each other
out in turn, one that was thrown out waits twice as long as the time before, until something is written again by anyone.
"""

from collections.abc import Callable

from followers.relay.message import Checkpoint

TAKEOVER_S = 5.0
"""For the checkpoint to move: some 50 times what a page needs. Drawn between this and the half more, so that of two
that wait one is first."""
TAKEOVER_S_MAX = 60.0
"""However often a relay was thrown out."""
DOUBLED_MAX = 4
"""Times: more than that is above the most anyway."""


class StandingBy:
    """Of one shard. ``chance``: from 0 to 1, drawn anew by each call. ``ours``: what may stand in the sink if nobody
    else has written since we did."""

    def __init__(self, chance: Callable[[], float]) -> None:
        self._chance = chance
        self._thrown_out = 0
        self.ours: frozenset[Checkpoint | None] = frozenset([None])
        self._seen: Checkpoint | None = None
        self._due_s: float | None = None

    def takes(self, now_s: float, checkpoint: Checkpoint | None, epoch: str, head: int) -> bool:
        """Whether to claim it now. ``checkpoint``: what stands in the sink; ``epoch``, ``head``: of the ledger, read
        after it."""
        if checkpoint != self._seen:
            self._thrown_out = 0
            self._due_s = None
        self._seen = checkpoint
        if _place(checkpoint) in map(_place, self.ours):
            return True
        if _is_whole(checkpoint, epoch, head):
            self._due_s = None
            return False
        if self._due_s is None:
            self._due_s = now_s + self._patience_s()
        return now_s >= self._due_s

    def wrote(self, *ours: Checkpoint | None) -> None:
        """What may stand there from now on if nobody else writes: then there is no need to wait."""
        self.ours = frozenset(ours)

    def was_thrown_out(self) -> None:
        self._thrown_out = min(self._thrown_out + 1, DOUBLED_MAX)
        self.ours = frozenset()
        self._due_s = None

    def _patience_s(self) -> float:
        patience_s = TAKEOVER_S * (1 << self._thrown_out)
        return min(patience_s, TAKEOVER_S_MAX) * (1 + self._chance() / 2)


def _place(checkpoint: Checkpoint | None) -> tuple[str, int, bool] | None:
    """Without what not every sink keeps."""
    return None if checkpoint is None else (checkpoint.epoch, checkpoint.seq, checkpoint.complete)


def _is_whole(checkpoint: Checkpoint | None, epoch: str, head: int) -> bool:
    """Nothing is to be done. Also what is ahead of the log has to be taken, by whoever then says so: an older database
    was restored, and what it writes from now on would pass for what comes next."""
    if checkpoint is None:
        return head == 0
    return checkpoint.epoch == epoch and checkpoint.complete and checkpoint.seq == head
