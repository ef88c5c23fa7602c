"""What a relay writes: messages, batches of them, and the checkpoint that goes with each."""

from typing import NamedTuple

from msgspec import Struct

from wire.envelope import Attributes, Common


class Message(Struct, frozen=True, gc=False):
    """``common``, ``own``: attributes of CloudEvents, see ``wire.envelope``; ``data``: JSON; ``key``: ``location/sku``,
    or the shard as text where it is about no level; ``seq``: of a change, None of what is none."""

    common: Common
    own: Attributes
    key: str
    data: bytes
    seq: int | None = None

    @property
    def id(self) -> str:
        return self.own["id"]

    @property
    def attributes(self) -> Attributes:
        """All of them."""
        return self.common.attributes | self.own


class Checkpoint(NamedTuple):
    """Everything of ``epoch`` up to ``seq`` stands in the sink. ``complete`` False: history was rewritten, and its
    levels are being told: they are told again from the beginning. ``levels``: of a sink that keeps levels apart, whose
    levels are there as they were at this seq, or newer; 0 before they were filled. ``told``: grows while levels are
    being told, by which whoever stands by sees that it goes on; else 0. ``levels_whole`` False: some of such a sink's
    levels may be missing there: all are told again, and no event twice.
    """

    epoch: str
    seq: int
    complete: bool = True
    levels: int = 0
    told: int = 0
    levels_whole: bool = True


class Batch(NamedTuple):
    """Of one shard, written whole or not at all, or in windows (``Sink``). ``messages``: what every sink is told, in
    order. ``levels``: beside them, for sinks that keep the newest state of each level apart; empty for others."""

    messages: list[Message]
    levels: list[Message]
    checkpoint: Checkpoint

    def parts(self, window: int | None) -> list[Checkpoint]:
        """What may stand in the sink when it was written in part, in windows of so many messages."""
        ends = [] if window is None else self.messages[window - 1 :: window]
        return [Checkpoint(self.checkpoint.epoch, one.seq) for one in ends if one.seq is not None]
