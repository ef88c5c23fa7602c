"""Bugs that are put into the product on purpose, to see that the simulation finds them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

from hub.fanout.cursor import Cursor
from hub.fanout.session import Session as HubSession
from hub.stock.held import Held, ReadLevel
from hub.stock.levels import Levels
from hub.stock.sequence import ShardSequence
from hub.stock.shards import Shards
from stockwire import frame
from stockwire.level import Level
from stockwire.mailbox import Mailbox
from stockwire.session import Output, Session, Taken
from stockwire.view import Key, Replica
from tests.harness.own_thread import here_alone
from wire.messages import Batch, Event


@dataclass(frozen=True, slots=True)
class Planted:
    """``where``: a class and the name of its method; ``make``: the method with the bug, from the right one."""

    bug: str
    side: str
    owner: type
    method: str
    make: Callable[[Callable[..., Any]], Callable[..., Any]]

    @property
    def name(self) -> str:
        return f"{self.bug}, {self.side}"

    @contextmanager
    def planted(self) -> Iterator[None]:
        """In this thread alone: hubs that other tests of this process share go on without the bug."""
        right = getattr(self.owner, self.method)
        with patch.object(self.owner, self.method, here_alone(self.make(right), right)):
            yield


def _as_new_again(_: Callable[..., Any]) -> Callable[..., Any]:
    def apply(self: Replica, level: Level) -> bool:
        held = self.levels.get(level.key)
        if self._named is not None:
            self._named.add(level.key)
        if held is not None and not level.version >= held.version:
            return False
        self.levels[level.key] = level
        return True

    return apply


def _next_is_enough(right: Callable[..., Any]) -> Callable[..., Any]:
    """``>=`` for ``>``: the batch that comes next counts as one that came too early."""

    def batch(self: ShardSequence, events: Sequence[Event], now: float) -> Sequence[Event]:
        if events[0].seq >= self.last + 1:
            self._wait(events, now)
            return ()
        found: Sequence[Event] = right(self, events, now)
        return found

    return batch


def _position_from_a_level(right: Callable[..., Any]) -> Callable[..., Any]:
    def level(self: Session, message: Level) -> list[Output]:
        outputs: list[Output] = right(self, message)
        self._replica.advance({str(message.shard): message.seq})
        return outputs

    return level


def _promise_what_is_applied(_: Callable[..., Any]) -> Callable[..., Any]:
    def promised(self: HubSession, applied: Mapping[str, int]) -> Mapping[str, int]:
        return applied if self.subscriptions and not self.unserved else {}

    return promised


def _mark_nothing(_: Callable[..., Any]) -> Callable[..., Any]:
    def mark(self: HubSession, held: Held) -> None:
        pass

    return mark


def _stay_live(_: Callable[..., Any]) -> Callable[..., Any]:
    """A whole location's dirty levels are those behind its cursor."""

    def fall_behind(self: Cursor) -> None:
        pass

    return fall_behind


def _one_change_at_a_time(right: Callable[..., Any]) -> Callable[..., Any]:
    def changed(self: Mailbox, keys: Iterable[Key]) -> None:
        if not self._changed:
            right(self, keys)

    return changed


def _any_epoch_answers(right: Callable[..., Any]) -> Callable[..., Any]:
    def confirm(self: Shards, epoch: str, heads: Mapping[int, int], asked: Sequence[int]) -> None:
        right(self, self.epoch, heads, asked)

    return confirm


def _any_epoch_is_heard(right: Callable[..., Any]) -> Callable[..., Any]:
    def broker(self: Shards, batch: Batch, now: float) -> Sequence[Event]:
        same = Batch(self.epoch, batch.shard, batch.first, batch.events, batch.head)
        found: Sequence[Event] = right(self, same, now)
        return found

    return broker


def _epoch_not_compared(right: Callable[..., Any]) -> Callable[..., Any]:
    def connected(self: Session, message: frame.Connected) -> list[Output]:
        self._epoch = message.epoch
        outputs: list[Output] = right(self, message)
        return outputs

    return connected


def _gap_jumped(right: Callable[..., Any]) -> Callable[..., Any]:
    def batch(self: ShardSequence, events: Sequence[Event], now: float) -> Sequence[Event]:
        self.last = max(self.last, events[0].seq - 1)
        found: Sequence[Event] = right(self, events, now)
        return found

    return batch


def _loaded_over_newer(right: Callable[..., Any]) -> Callable[..., Any]:
    def load(self: Levels, held: Held, read: ReadLevel) -> None:
        if held.state is not None and read.state.version < held.state.version:
            self._change(held, *read)
        right(self, held, read)

    return load


def _snapshot_over_newer(right: Callable[..., Any]) -> Callable[..., Any]:
    def part(self: Session, message: frame.SnapshotPart[Level]) -> list[Output]:
        outputs: list[Output] = right(self, message)
        self._replica.levels.update((level.key, level) for level in message.levels)
        return outputs

    return part


def _forget_what_was_not_told(right: Callable[..., Any]) -> Callable[..., Any]:
    """What a resume that was cut off has brought is in the view, and no event ever says so."""

    def begin(self: Session, token: str) -> str:
        self._untold.clear()
        text: str = right(self, token)
        return text

    return begin


def _snapshots_tell_themselves(right: Callable[..., Any]) -> Callable[..., Any]:
    """Who follows nothing but changes never learns what a resume has brought."""

    def put(self: Mailbox, said: Output) -> None:
        right(self, replace(said, first=True) if isinstance(said, Taken) else said)

    return put


def _another_epoch_is_another_beginning(_: Callable[..., Any]) -> Callable[..., Any]:
    def drop(self: Session) -> None:
        self._replica.drop()
        self._untold.clear()
        self._begun = False

    return drop


PLANTED = (
    Planted(">= for >", "client", Replica, "apply", _as_new_again),
    Planted(">= for >", "hub", ShardSequence, "batch", _next_is_enough),
    Planted("a position that moves with a level", "client", Session, "_level", _position_from_a_level),
    Planted("a position that moves with a level", "hub", HubSession, "promised", _promise_what_is_applied),
    Planted("a dropped dirty level", "client", Mailbox, "changed", _one_change_at_a_time),
    Planted("a dropped dirty level", "hub", HubSession, "mark", _mark_nothing),
    Planted("a dropped dirty location", "hub", Cursor, "fall_behind", _stay_live),
    Planted("an ignored epoch", "client", Session, "_connected", _epoch_not_compared),
    Planted("an ignored epoch of an answer", "hub", Shards, "confirm", _any_epoch_answers),
    Planted("an ignored epoch of a message", "hub", Shards, "broker", _any_epoch_is_heard),
    Planted("an ignored gap", "hub", ShardSequence, "batch", _gap_jumped),
    Planted("a snapshot over a newer level", "client", Session, "_snapshot_part", _snapshot_over_newer),
    Planted("a snapshot over a newer level", "hub", Levels, "_load", _loaded_over_newer),
    Planted("changes forgotten with a cut resume", "client", Session, "begin", _forget_what_was_not_told),
    Planted("changes of a snapshot not told", "client", Mailbox, "put", _snapshots_tell_themselves),
    Planted("changes between epochs not told", "client", Session, "_drop", _another_epoch_is_another_beginning),
)
