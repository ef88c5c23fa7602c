"""What is written: of a page of the log, of levels, of history that was rewritten. Pure."""

from collections.abc import Iterable, Sequence

import orjson

from followers.relay.logged import Event
from followers.relay.message import Batch, Checkpoint, Message
from followers.relay.resuming import Filling
from wire import envelope
from wire.envelope import COMPLETE, LEVEL, REWRITTEN, Common
from wire.messages import LevelState


class Planning:
    """Of one shard in one epoch. ``levels_apart``: whether the sink keeps the newest state of each level apart."""

    def __init__(self, source: str, epoch: str, shard: int, *, levels_apart: bool) -> None:
        self._source = source
        self._epoch = epoch
        self._shard = shard
        self._levels_apart = levels_apart
        self._commons: dict[str | None, Common] = {}

    def changes(self, events: Sequence[Event], levels: int) -> Batch:
        """``events``: a page, not empty. ``levels``: see Checkpoint; what the levels have is not told them again, so
        that they never go back to what was before."""
        newest: dict[str, LevelState] = {}
        messages = []
        for event in events:
            level = event.level
            own = envelope.of_change(self._epoch, level)
            common = self._commons.get(level.kind) or self._common_of(level)
            key = own["subject"]
            messages.append(Message(common, own, key, event.data, level.seq))
            if level.seq > levels:
                newest[key] = level
        if newest:  # last comes what changed last: it says how far the levels are
            newest[key] = newest.pop(key)
        apart = [self._level(level, level.seq) for level in newest.values()] if self._levels_apart else []
        return Batch(messages, apart, Checkpoint(self._epoch, events[-1].level.seq, levels=levels))

    def filling(self, rows: Iterable[LevelState], filling: Filling, told: int) -> Batch:
        """Levels of a snapshot, of which the first page was read after ``filling.head``. ``told``: levels before
        these."""
        levels = [self._level(row, filling.head) for row in rows]
        checkpoint = Checkpoint(self._epoch, filling.seq, told=told + len(levels), levels_whole=False)
        return Batch([], levels, checkpoint)

    def filled(self, filling: Filling) -> Batch:
        return Batch([], [], Checkpoint(self._epoch, filling.seq, levels=filling.head))

    def rewritten(self, head: int) -> Batch:
        """The first of a new epoch. Who reads levels alone is told as well: what is in no new history has to go."""
        told = self._of_history(REWRITTEN, envelope.of_rewritten(self._epoch, self._shard, head), head)
        return Batch([told], [told] if self._levels_apart else [], self._telling(head, 0))

    def retold(self, rows: Iterable[LevelState], head: int, told: int) -> Batch:
        """Levels of the new epoch. ``head``: read before their first page; ``told``: as in ``filling``."""
        messages = [self._level(row, head) for row in rows]
        return Batch(messages, messages if self._levels_apart else [], self._telling(head, told + len(messages)))

    def complete(self, head: int) -> Batch:
        """Behind it come the events behind ``head``."""
        told = self._of_history(COMPLETE, envelope.of_complete(self._epoch, self._shard, head), head)
        return Batch([told], [], Checkpoint(self._epoch, head, levels=head))

    def _telling(self, head: int, told: int) -> Checkpoint:
        return Checkpoint(self._epoch, head, complete=False, told=told)

    def _level(self, level: LevelState, seq: int) -> Message:
        own = envelope.of_level(self._epoch, self._shard, seq, level)
        data = orjson.dumps(envelope.level_data(self._epoch, level))
        return Message(Common(self._source, LEVEL), own, own["subject"], data)

    def _of_history(self, type_: str, own: envelope.Attributes, head: int) -> Message:
        data = orjson.dumps(envelope.history_data(self._epoch, self._shard, head))
        return Message(Common(self._source, type_), own, str(self._shard), data)

    def _common_of(self, event: LevelState) -> Common:
        """Of a kind that comes for the first time."""
        common = Common(self._source, envelope.type_of(event.kind or ""))
        self._commons[event.kind] = common
        return common
