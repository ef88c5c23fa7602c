"""What a relay asks of a broker: one file of ``sinks/`` for each kind.

SinkError
|-- SinkAway      it does not answer, or not now: what was being written is asked for again with ``claim``
|   `-- SinkEmpty it says that what ``prepare`` makes is not there: so does a broker that has just started
|-- Superseded    another relay has claimed the shard since
|-- TooLarge      a message is above the broker's limit; says which, how large, and the limit
`-- SinkRefused   what is set up there will not do (partitions, policies, credentials); says the fix
"""

from contextlib import AbstractAsyncContextManager
from typing import Protocol, Self

from followers.relay.message import Batch, Checkpoint


class SinkError(Exception):
    """The message says why in a few words; never a password, never a message's data."""


class SinkAway(SinkError):
    pass


class SinkEmpty(SinkAway):
    pass


class Superseded(SinkError):
    pass


class TooLarge(SinkError):
    def __init__(self, message_id: str, size_bytes: int, limit_bytes: int, setting: str) -> None:
        """``setting``: the broker's, which would have to be raised."""
        super().__init__(
            f"the message {message_id} has {size_bytes:,} bytes, and {limit_bytes:,} are the most ({setting})"
        )
        self.message_id = message_id
        self.size_bytes = size_bytes
        self.limit_bytes = limit_bytes


class SinkRefused(SinkError):
    pass


class Writer(Protocol):
    """Of one shard."""

    async def claim(self, epoch: str) -> Checkpoint | None:
        """Where to go on: what stands in the sink, None if nothing does. From then on whoever claimed before can write
        no more, or at least nothing that is kept. ``epoch``: of the ledger now, after which some brokers name what
        they tell repeats by. May be called again after SinkAway."""

    async def write(self, batch: Batch) -> None:
        """Returns when all of it is kept there, durably. After SinkAway it may stand there or not: ``claim`` tells."""

    async def rest(self) -> None:
        """Called each few seconds while there is nothing to write. Raises SinkAway where what was written last may not
        be shown to readers: ``claim`` tells."""


class Sink(Protocol):
    """Raises SinkError from everything, each within a deadline.

    ``levels_apart``: whether ``Batch.levels`` are kept. ``repeats``: whether a message can stand there twice (with
    the same id) after a crash. ``window``: messages of a batch that may be kept though the rest is not, and twice as
    many and so on; None where a batch is kept whole or not at all.
    """

    levels_apart: bool
    window: int | None
    repeats: bool

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: object) -> None: ...

    async def prepare(self, shards: int) -> None:
        """Makes what is missing there, and checks what is. Safe to repeat."""

    async def last(self, shard: int) -> Checkpoint | None:
        """What stands there, read without disturbing whoever writes."""

    def writer(self, shard: int) -> AbstractAsyncContextManager[Writer]:
        """One at a time for each shard."""
