"""The consumer's rule: what each message of a broker means for what is held, whatever comes again, late or not at all.

Pure: no sockets, no clock, no storage. See docs/reference/streams.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from stockwire.level import Level
from stockwire.operation import Event
from stockwire.streams.checkpoint import Checkpoint
from stockwire.streams.errors import Gap
from stockwire.streams.message import Change, Complete, LevelTold, Message, Rewritten


@dataclass(frozen=True, slots=True)
class Step:
    """What to do now, in this order, and in one transaction with the shard's checkpoint.

    ``starts_over``: drop everything that is held of ``shard``. ``event``: append it to a log. ``level``: a state of a
    level, to be held unless a newer ``version`` is. All three may be empty: then only the checkpoint has moved.
    """

    shard: int
    epoch: str
    starts_over: bool = False
    event: Event | None = None
    level: Level | None = None


class Follower:
    """Of any number of shards: takes messages of any sink, in the order in which the broker gives those of one shard.

    Each change is told once, in order, none missing: what was known is dropped by its seq, what is missing raises Gap.
    ``dense`` False: for queues that get a part of the levels only, where a gap means nothing.

    >>> from stockwire.streams import Follower
    >>> follower = Follower()
    >>> follower.begin_at(0, "k3v9x2-1y2p0-1", 130)
    >>> Follower({0: follower.checkpoint(0)}).checkpoint(0) == follower.checkpoint(0)
    True
    """

    def __init__(self, checkpoints: Mapping[int, str] | None = None, *, dense: bool = True) -> None:
        """``checkpoints``: by shard, as they were stored. Raises Unreadable."""
        self._known = {shard: Checkpoint.parse(stored) for shard, stored in (checkpoints or {}).items()}
        self._dense = dense

    def take(self, message: Message | None) -> Step | None:
        """None: nothing is to be done, and the checkpoint stands where it was. Raises Gap; then nothing has changed.

        If the step cannot be stored, go back to what is: ``begin(shard, stored)``.
        """
        if message is None:
            return None
        known = self._known.get(message.shard)
        if known is None:
            begun, starts_over = Checkpoint(message.epoch), True
        elif message.epoch == known.epoch:
            begun, starts_over = replace(known, joined=False), False
        elif message.epoch in known.left:
            return None
        elif known.joined and not _begins(message):
            return self._moved(message.shard, known.without(message.epoch))
        else:
            begun, starts_over = known.next(message.epoch), True
        taken = _taken(begun, message, self._dense)
        if taken is None:
            return None if begun == known else self._moved(message.shard, begun)
        self._known[message.shard] = taken
        event = message.event if isinstance(message, Change) else None
        level = message.level if isinstance(message, Change | LevelTold) else None
        return Step(message.shard, message.epoch, starts_over, event, level)

    def checkpoint(self, shard: int) -> str | None:
        """Text to store, about 100 bytes; None while nothing is known of the shard."""
        known = self._known.get(shard)
        return None if known is None else str(known)

    def begin(self, shard: int, checkpoint: str | None) -> None:
        """Goes on from what was stored; None: from nothing. Raises Unreadable."""
        if checkpoint is None:
            self._known.pop(shard, None)
        else:
            self._known[shard] = Checkpoint.parse(checkpoint)

    def begin_at(self, shard: int, epoch: str, seq: int) -> None:
        """All levels of the shard are known as they were at ``seq`` or newer, from ``GET /v1/levels``: ``epoch`` and
        ``heads`` of its first page. Changes behind it follow.

        Read on at the end that the broker had before the levels were asked for, or anywhere before it. Until ``epoch``
        is told of, what comes of another is nothing unless it begins that one: then it is followed, and left again when
        ``epoch`` is told from its beginning.
        """
        known = self._known.get(shard)
        left = () if known is None else known.left if known.epoch == epoch else known.next(epoch).left
        self._known[shard] = Checkpoint(epoch, seq, left=left, joined=True)

    def _moved(self, shard: int, known: Checkpoint) -> Step:
        self._known[shard] = known
        return Step(shard, known.epoch)


def _begins(message: Message) -> bool:
    """Who knows nothing of its epoch may begin here, and misses nothing."""
    return isinstance(message, Rewritten) or (isinstance(message, Change) and message.event.seq == 1)


def _taken(known: Checkpoint, message: Message, dense: bool) -> Checkpoint | None:
    """Where ``known`` stands after a message of its epoch; None: it was known. Raises Gap."""
    match message:
        case LevelTold():
            return known
        case Rewritten():
            return _rewritten(known, message)
        case Complete():
            return _complete(known, message, dense)
        case Change():
            return _change(known, message, dense)


def _rewritten(known: Checkpoint, message: Rewritten) -> Checkpoint | None:
    if known.told_from is not None or (known.seq is not None and message.head <= known.seq):
        return None  # told again by a relay that began again; what it told before is still so
    return replace(known, told_from=message.head)


def _complete(known: Checkpoint, message: Complete, dense: bool) -> Checkpoint | None:
    if known.seq is not None and message.head <= known.seq:
        return None
    if dense and known.told_from is None and message.head:
        raise Gap(message.shard, message.epoch, (known.seq or 0) + 1, message.head + 1)
    return replace(known, seq=message.head, told_from=None)


def _change(known: Checkpoint, message: Change, dense: bool) -> Checkpoint | None:
    got = message.event.seq
    if known.seq is not None and got <= known.seq:
        return None
    if dense and known.seq is None and known.told_from is not None:
        raise Gap(message.shard, message.epoch, known.told_from, got)  # that it is complete was to come first
    if dense and got != (expected := (known.seq or 0) + 1):
        raise Gap(message.shard, message.epoch, expected, got)
    return replace(known, seq=got)
