"""What goes out: each changed level is encoded once and written to whoever watches it, then what is owed. Pure.

A session that cannot be written to only gets marks (see ``session``).
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from hub.fanout.counts import Counts
from hub.fanout.frames import Framed, Framing, frame, framed, state_payload, websocket_frame
from hub.fanout.session import PART_LEVELS, Session
from hub.stock.held import Area, LiveCursor, Watched, Watcher
from hub.stock.levels import Levels
from hub.stock.shards import Shards
from hub.stock.shelf import Shelf
from hub.stock.views import Derived
from wire.messages import Heartbeat, Position, encode

PUMPED_PER_FLUSH_MAX = 50  # connections that are written parts of snapshots before what changed meanwhile is


class Delivery:
    """Of one history. ``pumping``: sessions that are owed something and can be written to."""

    def __init__(self, shards: Shards, levels: Levels, counts: Counts) -> None:
        self.pumping: dict[Session, None] = {}
        self._shards = shards
        self._levels = levels
        self._counts = counts
        self._flushed: Mapping[str, int] = shards.applied()

    def flush(self) -> bool:
        """Write what changed, then what is owed. Returns whether there is more to write at once."""
        dirty = self._levels.take_dirty()
        if len(dirty) == 1:
            self._deliver(dirty[0])
        elif dirty:
            self._deliver_many(dirty)
        self._flushed = self._shards.applied()
        if self.pumping:
            self._pump()
        return bool(self.pumping)

    def heartbeats(self, sessions: Iterable[Session], *, fresh: bool, lag_ms: int) -> None:
        """To each session that can be written to: how far it was served. Call it right after a flush.

        Of the shards of its levels only. Whoever watches none is not told a lag, which would tell when others sell.
        """
        applied = self._flushed
        shared: dict[tuple[int, ...], bytes] = {}
        for session in sessions:
            if not session.writable:
                continue
            promised = session.promised(applied)
            shards = session.shards
            if session.framing is Framing.WEBSOCKET and promised is applied:
                if shards not in shared:
                    shared[shards] = websocket_frame(encode(_heartbeat(promised, shards, fresh, lag_ms)))
                session.write_frames([shared[shards]])
            else:
                self._heartbeat(session, _heartbeat(promised, shards, fresh, lag_ms))

    def _heartbeat(self, session: Session, heartbeat: Heartbeat) -> None:
        """An event stream has one subscription: its heartbeats name the position to come back with."""
        position = None
        if heartbeat.seq and session.framing is Framing.EVENT_STREAM:
            selection = next(iter(session.subscriptions.values())).selection
            position = Position(self._shards.epoch, heartbeat.seq, selection)
        session.write_frames([frame(heartbeat, session.framing, position)])

    # one level has changed

    def _deliver(self, level: Watched) -> None:
        """The common tick: one level changed, for one kind of audience. Nothing per connection but the write itself."""
        areas = self._areas(level)
        audiences = [audience for audience in (level.watchers, *(area.live for area in areas)) if audience]
        if len(audiences) > 1:  # a session may be in several, and is written once
            self._deliver_many([level])
            return
        for area in areas:
            if area.live:
                self._deliver_live(level, area)
            area.flushed = level.seq
        if level.watchers:
            self._deliver_watchers(level)

    def _deliver_watchers(self, level: Watched) -> None:
        frames = _frames(level)
        writes = 0
        for session in level.watchers:
            if session.writable:
                writes += 1
                try:
                    session.write(frames[session.framing])
                except (RuntimeError, OSError):  # see Session._write
                    session.lost()
            else:
                session.mark(level)
        self._count(writes, frames)

    def _deliver_live(self, level: Watched, area: Area[Any]) -> None:
        frames = _frames(level)
        writes = 0
        behind = []
        for cursor in area.live:
            session = cursor.session
            if session.writable:
                writes += 1
                try:
                    session.write(frames[session.framing])
                except (RuntimeError, OSError):
                    session.lost()
            else:
                behind.append(cursor)
        for cursor in behind:
            cursor.fall_behind()
        self._count(writes, frames)

    def _count(self, writes: int, frames: Framed) -> None:
        """Of one level to many: whether a reader has an event stream's few bytes of framing more is not looked at."""
        counts = self._counts
        counts.deliveries += writes
        counts.writes += writes
        counts.level_bytes += writes * len(frames[Framing.WEBSOCKET])

    # several levels have changed, or one for several audiences

    def _deliver_many(self, dirty: list[Watched]) -> None:
        """Frames are joined per area where one is watched, and per connection, so that each is written once."""
        written: dict[Watcher, None] = {}
        by_area: dict[Area[Any], list[Framed]] = {}
        counts = self._counts
        for level in sorted(dirty, key=lambda level: level.seq):
            areas = self._areas(level)
            if not level.watchers and not areas:
                continue
            frames = _frames(level)
            for session in level.watchers:
                if session.writable and len(session.outbox) < PART_LEVELS:
                    session.outbox.append(frames[session.framing])
                    written[session] = None
                    if len(session.subscriptions) == 1:
                        counts.deliveries += 1
                else:
                    session.mark(level)
            for area in areas:
                by_area.setdefault(area, []).append(frames)
        for area, joined in by_area.items():
            self._deliver_area(area, joined, written)
        for session in written:
            if len(session.subscriptions) > 1:
                session.outbox = list(dict.fromkeys(session.outbox))
                counts.deliveries += len(session.outbox)
            counts.level_bytes += session.write_frames(session.outbox)
            session.outbox = []
        counts.writes += len(written)

    def _deliver_area(self, area: Area[Any], frames: list[Framed], written: dict[Watcher, None]) -> None:
        """More than one part in a tick: everybody falls behind and catches up in parts, newest states only."""
        joined = tuple(b"".join(one[framing] for one in frames) for framing in Framing)
        behind: list[LiveCursor] = []
        for cursor in area.live:
            session = cursor.session
            if session.writable and len(frames) <= PART_LEVELS:
                if len(session.subscriptions) > 1:  # what another subscription has too is written once
                    session.outbox += [one[session.framing] for one in frames]
                else:
                    session.outbox.append(joined[session.framing])
                    self._counts.deliveries += len(frames)
                written[session] = None
            else:
                behind.append(cursor)
        for cursor in behind:
            cursor.fall_behind()
        assert area.order is not None
        area.flushed = area.order.top

    def _areas(self, level: Watched) -> list[Any]:
        """The complete areas that the level belongs to, if anybody might watch one."""
        shelf: Shelf[Any] = level.views if isinstance(level, Derived) else self._levels
        return shelf.areas_of(level) if shelf.areas and level.state is not None else []

    # what is owed

    def _pump(self) -> None:
        """In turns: many who ask for much must not hold up what changes next."""
        for session in list(islice(self.pumping, PUMPED_PER_FLUSH_MAX)):
            self.pumping.pop(session, None)
            if session.pump() and session.writable:  # not writable: it comes back when it has drained
                self.pumping[session] = None


def _heartbeat(promised: Mapping[str, int], shards: Iterable[int], fresh: bool, lag_ms: int) -> Heartbeat:
    seq = {name: promised[name] for name in map(str, shards) if name in promised}
    return Heartbeat(seq, fresh, 0 if fresh and not seq else lag_ms)


def _frames(level: Watched) -> Framed:
    assert level.state is not None
    return framed(state_payload(level.state))
