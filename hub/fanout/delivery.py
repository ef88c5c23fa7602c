"""What goes out: each changed level is encoded once and written to whoever watches it, then what is owed. Pure.

A session that cannot be written to only gets marks (see ``session``).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from hub.fanout.bundle import Bundle, bundled, joined
from hub.fanout.counts import Counts
from hub.fanout.frames import Framing, frame, websocket_frame
from hub.fanout.session import PART_LEVELS, Session
from hub.fanout.traced import Traced
from hub.stock.held import Area, LiveCursor, Watched, Watcher
from hub.stock.levels import Levels
from hub.stock.shards import Shards
from hub.stock.shelf import Shelf
from hub.stock.views import Derived
from wire.messages import Heartbeat, Position, encode

Outboxes = defaultdict[Watcher, list[bytes]]
"""What to write to each in this tick."""

PUMPED_PER_FLUSH_MAX = 50  # connections that are written parts of snapshots before what changed meanwhile is


class Delivery:
    """Of one history. ``pumping``: sessions that are owed something and can be written to. ``traced``: of what the next
    flush writes."""

    def __init__(self, shards: Shards, levels: Levels, counts: Counts) -> None:
        self.traced = Traced()
        self.pumping: dict[Session, None] = {}
        self._shards = shards
        self._levels = levels
        self._counts = counts
        self._flushed: Mapping[str, int] = shards.applied()

    def flush(self) -> bool:
        """Write what changed, then what is owed. Returns whether there is more to write at once."""
        bundles = bundled(self._levels.take_dirty(), self._areas, self.traced.by_level)
        self.traced.clear()
        if len(bundles) == 1 and _is_one_audience(bundles[0]):
            self._deliver(bundles[0])
        elif bundles:
            self._deliver_many(bundles)
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

    # one audience

    def _deliver(self, bundle: Bundle) -> None:
        """The common tick: what changed has one kind of audience. Nothing per connection but the write itself."""
        for area in bundle.areas:
            if area.live:
                self._deliver_live(bundle, area)
            area.flushed = bundle.levels[-1].seq
        if bundle.watchers:
            self._deliver_watchers(bundle)

    def _deliver_watchers(self, bundle: Bundle) -> None:
        frames = bundle.frames
        writes = 0
        for session in bundle.watchers:
            if session.writable:
                writes += 1
                try:
                    session.write(frames[session.framing])
                except (RuntimeError, OSError):  # see Session._write
                    session.lost()
            else:
                _mark(session, bundle)
        self._count(writes, bundle)

    def _deliver_live(self, bundle: Bundle, area: Area[Any]) -> None:
        frames = bundle.frames
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
        self._count(writes, bundle)

    def _count(self, writes: int, bundle: Bundle) -> None:
        """To one audience: whether a reader has an event stream's few bytes of framing more is not looked at."""
        counts = self._counts
        counts.deliveries += writes * len(bundle.levels)
        counts.writes += writes
        counts.level_bytes += writes * len(bundle.frames[Framing.WEBSOCKET])

    # several audiences, in which a session may be more than once

    def _deliver_many(self, bundles: list[Bundle]) -> None:
        """Frames are joined per area where one is watched, and per connection, so that each is written once."""
        outboxes: Outboxes = defaultdict(list)
        by_area: defaultdict[Area[Any], list[Bundle]] = defaultdict(list)
        more_than_a_part = sum(len(bundle.levels) for bundle in bundles) > PART_LEVELS
        taken: Counter[Watcher] = Counter()  # levels, kept up only if they might be more than a part
        for bundle in bundles:
            frames, size, marked = bundle.frames, len(bundle.levels), 0
            for session in bundle.watchers:
                if session.writable and not (more_than_a_part and _is_beyond_a_part(taken, session, size)):
                    outboxes[session].append(frames[session.framing])
                else:
                    marked += 1
                    _mark(session, bundle)
            self._counts.deliveries += size * (len(bundle.watchers) - marked)
            for area in bundle.areas:
                by_area[area].append(bundle)
        for area, held in by_area.items():
            self._deliver_area(area, held, outboxes)
        for session, outbox in outboxes.items():
            self._counts.level_bytes += session.write_frames(outbox)
        self._counts.writes += len(outboxes)

    def _deliver_area(self, area: Area[Any], bundles: list[Bundle], outboxes: Outboxes) -> None:
        """More than one part in a tick: everybody falls behind and catches up in parts, newest states only."""
        size = sum(len(bundle.levels) for bundle in bundles)
        frames = joined([bundle.frames for bundle in bundles])
        behind: list[LiveCursor] = []
        for cursor in area.live:
            session = cursor.session
            if not session.writable or size > PART_LEVELS:
                behind.append(cursor)
            elif len(session.subscriptions) > 1:  # what another subscription has too is written once
                self._counts.deliveries += _add_lacking(outboxes[session], bundles, session.framing)
            else:
                self._counts.deliveries += size
                outboxes[session].append(frames[session.framing])
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


def _is_one_audience(bundle: Bundle) -> bool:
    """Whether nobody can be in it twice; of a whole area somebody may be, who is given one level twice at the most."""
    live = sum(1 for area in bundle.areas if area.live)
    return not live or (live == 1 and not bundle.watchers and len(bundle.levels) == 1)


def _mark(session: Watcher, bundle: Bundle) -> None:
    for level in bundle.levels:
        session.mark(level)


def _is_beyond_a_part(taken: Counter[Watcher], session: Watcher, size: int) -> bool:
    """Whether ``size`` levels more are too many for one write: what is marked instead follows in parts."""
    if taken[session] + size > PART_LEVELS:
        return True
    taken[session] += size
    return False


def _add_lacking(outbox: list[bytes], bundles: list[Bundle], framing: int) -> int:
    """Returns how many levels."""
    there = set(outbox)
    lacking = [bundle for bundle in bundles if bundle.frames[framing] not in there]
    outbox += [bundle.frames[framing] for bundle in lacking]
    return sum(len(bundle.levels) for bundle in lacking)
