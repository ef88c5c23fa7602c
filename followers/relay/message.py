"""What a relay writes: messages, batches of them, and the checkpoint that goes with each."""

from typing import NamedTuple

from wire.envelope import Attributes


class Message(NamedTuple):
    """``attributes``: of CloudEvents, see ``wire.envelope``; ``data``: JSON; ``key``: ``location/sku``, or the shard as
    text where it is about no level; ``seq``: of a change, None of what is none."""

    attributes: Attributes
    key: str
    data: bytes
    seq: int | None = None


class Checkpoint(NamedTuple):
    """Everything of ``epoch`` up to ``seq`` stands in the sink. ``complete`` False: history was rewritten, and its
    levels are being told: they are told again from the beginning."""

    epoch: str
    seq: int
    complete: bool = True


class Batch(NamedTuple):
    """Of one shard, written whole or not at all. ``levels``: for sinks that keep the newest state of each level apart;
    elsewhere they stand among the ``messages`` where they are to be told."""

    messages: list[Message]
    levels: list[Message]
    checkpoint: Checkpoint
