"""What can go wrong with messages of a broker.

StreamsError
├── Unreadable   field, reason: this message is none that a relay writes
└── Gap          shard, epoch, expected, got: what comes between is missing
"""

from stockwire.errors import StockwireError


class StreamsError(StockwireError):
    """Root of what `stockwire.streams` raises on purpose."""


class Unreadable(StreamsError):
    """``field``: an attribute of the CloudEvent, a field of its data, or ``body``."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field} {reason}")
        self.field = field
        self.reason = reason


class Gap(StreamsError):
    """Of ``shard``, in ``epoch``: the seq ``expected`` had to come, and ``got`` came. Nothing was taken: what comes
    later raises again, until `Follower.begin_at` says which levels are known from elsewhere."""

    def __init__(self, shard: int, epoch: str, expected: int, got: int) -> None:
        super().__init__(
            f"shard {shard}: seq {expected} of epoch {epoch} had to come, and {got} came; read the levels anew, and go "
            "on behind the heads that come with them (Follower.begin_at)"
        )
        self.shard = shard
        self.epoch = epoch
        self.expected = expected
        self.got = got
