"""What is written: of a page of the log, of levels, of history that was rewritten. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from followers.relay.message import Batch, Checkpoint, Message
from wire import envelope

Row = Mapping[str, Any]
"""Of ``GET /v1/levels``; or an event, which has all of its fields."""


class Planning:
    """Of one shard in one epoch. ``levels_apart``: whether the sink keeps the newest state of each level apart."""

    def __init__(self, source: str, epoch: str, shard: int, *, levels_apart: bool) -> None:
        self._source = source
        self._epoch = epoch
        self._shard = shard
        self._levels_apart = levels_apart

    def changes(self, events: Sequence[Row], levels: int) -> Batch:
        """``events``: a page, not empty. ``levels``: see Checkpoint; what the levels have is not told them again, so
        that they never go back to what was before."""
        source, epoch = self._source, self._epoch
        messages = [
            Message(
                attributes := envelope.change(source, epoch, event),
                attributes["subject"],
                orjson.dumps(event),
                event["seq"],
            )
            for event in events
        ]
        newest: dict[tuple[str, str], Row] = {}
        if self._levels_apart:
            newest = {(event["location"], event["sku"]): event for event in events if event["seq"] > levels}
        return Batch(
            messages,
            [self._level(event, event["seq"]) for event in newest.values()],
            Checkpoint(epoch, events[-1]["seq"], levels=levels),
        )

    def filling(self, rows: Iterable[Row], head: int, told: int) -> Batch:
        """Levels of a snapshot, before the first event is told. ``head``: of the shard, read before its first page.
        ``told``: levels before these."""
        levels = [self._level(row, head) for row in rows]
        return Batch([], levels, Checkpoint(self._epoch, 0, told=told + len(levels)))

    def filled(self, head: int) -> Batch:
        return Batch([], [], Checkpoint(self._epoch, 0, levels=head))

    def rewritten(self, head: int) -> Batch:
        """The first of a new epoch. Who reads levels alone is told as well: what is in no new history has to go."""
        told = self._of_history(envelope.rewritten(self._source, self._epoch, self._shard, head), head)
        return Batch([told], [told] if self._levels_apart else [], self._telling(head, 0))

    def retold(self, rows: Iterable[Row], head: int, told: int) -> Batch:
        """Levels of the new epoch; ``head``, ``told``: as in ``filling``."""
        messages = [self._level(row, head) for row in rows]
        return Batch(messages, messages if self._levels_apart else [], self._telling(head, told + len(messages)))

    def complete(self, head: int) -> Batch:
        """Behind it come the events behind ``head``."""
        told = self._of_history(envelope.complete(self._source, self._epoch, self._shard, head), head)
        return Batch([told], [], Checkpoint(self._epoch, head, levels=head))

    def _telling(self, head: int, told: int) -> Checkpoint:
        return Checkpoint(self._epoch, head, complete=False, told=told)

    def _level(self, row: Row, seq: int) -> Message:
        attributes = envelope.level(self._source, self._epoch, self._shard, seq, row)
        return Message(attributes, attributes["subject"], orjson.dumps(envelope.level_data(self._epoch, row)))

    def _of_history(self, attributes: envelope.Attributes, head: int) -> Message:
        data = orjson.dumps(envelope.history_data(self._epoch, self._shard, head))
        return Message(attributes, str(self._shard), data)
