"""One tick of the hub: events change levels, a flush writes them to whoever watches. Pure.

Everything that comes in during a tick is applied first; ``flush`` then encodes each changed level once and writes each
connection once. A session that cannot be written to only gets marks (see ``session``).
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from hub.counts import Counts
from hub.errors import Full, Refused
from hub.frames import Framed, Framing, frame, framed, state_payload, websocket_frame
from hub.held import Area, AreaName, Derived, Held, ReadLevel, Watched
from hub.levels import Levels
from hub.resume import Resume, decide, fingerprint
from hub.sequence import Asked
from hub.session import PART_LEVELS, Session
from hub.shards import Shards
from hub.starting import Starting
from hub.subscription import AreaSubscription, LevelSubscription, Subscription
from hub.views import ViewKind, Views
from wire.availability import DEFAULT_STEPS, PublicSteps
from wire.messages import Batch, Event, Heartbeat, Position, Subscribe, encode
from wire.shards import shard_of

PUMPED_PER_FLUSH_MAX = 50  # connections that are written parts of snapshots before what changed meanwhile is


class Bounds(NamedTuple):
    """``levels_max``: held at once; ``idle_max``: of these, watched by nobody."""

    levels_max: int = 1_000_000
    idle_max: int = 200_000


class Fanout:
    """The state of one history. After a rewrite of history it is dropped whole, with everything in it.

    ``pumping``: sessions that are owed something and can be written to. ``confirming``: resumes that are ahead of this
    hub and wait for the ledger's heads.
    """

    def __init__(self, shards: Shards, bounds: Bounds, counts: Counts, steps: PublicSteps = DEFAULT_STEPS) -> None:
        """``counts`` outlives this history."""
        self.shards = shards
        self.levels = Levels(len(shards), bounds.levels_max, bounds.idle_max, steps)
        self.sessions: dict[Session, None] = {}
        self.pumping: dict[Session, None] = {}
        self.confirming: dict[Subscription, None] = {}
        self.counts = counts
        self._starting = Starting()
        self._flushed: Mapping[str, int] = shards.applied()

    @property
    def due(self) -> bool:
        """Whether a flush would write something."""
        return bool(self.pumping) or self.levels.changed

    def behind(self) -> int:
        """Sessions over their write limit."""
        return sum(1 for session in self.sessions if session.open and not session.writable)

    def dirty(self) -> int:
        """Levels marked for sessions that cannot be written to, each for each session."""
        return sum(len(session.dirty) for session in self.sessions)

    def subscriptions(self) -> int:
        return sum(len(session.subscriptions) for session in self.sessions)

    # what comes in

    def broker(self, batch: Batch, now: float) -> Sequence[Event]:
        """A message of the broker. Returns the events applied."""
        return self._apply(self.shards.broker(batch, now))

    def log(self, shard: int, head: int, events: Sequence[Event], asked: Asked, now: float) -> Sequence[Event]:
        """A page of the ledger's log. Returns the events applied."""
        return self._apply(self.shards.log(shard, head, events, asked, now))

    def loaded(self, levels: Sequence[tuple[Held, ReadLevel]], heads: Mapping[int, int], asked: Sequence[int]) -> bool:
        """Levels read from the ledger after ``asked`` was applied here. Returns whether they are new enough to take."""
        if not _covers(heads, asked, {read.state.shard for _, read in levels}):
            return False
        for held, read in levels:
            self.levels.loaded(held, read)
        return True

    def page(
        self,
        areas: Sequence[Area],
        levels: Iterable[ReadLevel],
        heads: Mapping[int, int],
        asked: Sequence[int],
        *,
        last: bool,
    ) -> bool:
        """A page of areas, read as above. Raises Full."""
        if not _covers(heads, asked, {area.shard for area in areas}):
            return False
        self.levels.page(areas, levels, heads)
        if last:
            self.levels.finish(areas)
            self.levels.settle(self.shards.lasts())
        return True

    def confirmed(self, heads: Mapping[int, int]) -> None:
        """The ledger's heads. A resume that came after they were read, and is ahead of them, gets a snapshot."""
        confirming, self.confirming = self.confirming, {}
        for subscription in confirming:
            touched = {shard: heads[shard] for shard in subscription.shards}
            self._decide(subscription, touched, asked=True)

    def _apply(self, events: Sequence[Event]) -> Sequence[Event]:
        for event in events:
            self.levels.apply(event)
        if events and self.levels.reading:
            self.levels.settle(self.shards.lasts())
        return events

    # sessions

    def join(self, session: Session) -> None:
        self.sessions[session] = None

    def leave(self, session: Session) -> None:
        """Safe to call twice."""
        for subscription in session.subscriptions.values():
            self.confirming.pop(subscription, None)
        session.end()
        self.sessions.pop(session, None)

    def subscribe(self, session: Session, request: Subscribe) -> None:
        """Register first, load what is missing, then write. Raises Full, before anything was registered."""
        derived = request.view is not None or request.when is not None
        home = self.levels.views(ViewKind(request.view is not None, request.when)) if derived else self.levels
        everywhere = request.location == "*"
        touched = tuple(range(len(self.shards))) if everywhere else (shard_of(request.location, len(self.shards)),)
        registered: dict[str, Any] = {
            "selection": fingerprint(request.location, request.skus),
            "at": Position(self.shards.epoch, self.shards.applied()),
            "shards": () if derived else touched,
        }
        subscription: Subscription
        if request.skus is not None:
            held = _watched(home, session, request.location, request.skus)
            subscription = levels = LevelSubscription(request, session, home, **registered)
            session.add(levels)
            levels.watch(held)
        else:
            areas = _areas_of(home, touched if everywhere else (request.location,))
            subscription = whole = AreaSubscription(request, session, home, **registered)
            session.add(whole)
            whole.watch(areas)
        lasts = self.shards.lasts()
        self.counts.subscribed += 1
        self._decide(subscription, {shard: lasts[shard] for shard in subscription.shards})
        self._starting.add(subscription)

    def give_up(self, now: float) -> None:
        """Refuse what has waited for the ledger for too long. Call it a few times a second."""
        for subscription in self._starting.late(now):
            self.confirming.pop(subscription, None)
            self.counts.given_up += 1
            subscription.session.fail(subscription, "unavailable", "the levels cannot be read now")

    def unsubscribe(self, session: Session, id_: int) -> None:
        subscription = session.subscriptions.get(id_)
        if subscription is None:
            raise Refused("not-found", f"there is no subscription {id_}")
        self.confirming.pop(subscription, None)
        session.remove(subscription)

    def _decide(self, subscription: Subscription, heads: Mapping[int, int], *, asked: bool = False) -> None:
        decided = decide(subscription.since, self.shards.epoch, heads, subscription.selection, asked=asked)
        if decided is Resume.ASK:
            self.confirming[subscription] = None
            return
        recovered = decided is Resume.CHANGES
        if subscription.since is not None:
            self.counts.resumes_recovered += recovered
            self.counts.resumes_refused += not recovered
        subscription.decide(recovered=recovered)

    # what goes out

    def flush(self) -> bool:
        """Write what changed, then what is owed. Returns whether there is more to write at once."""
        dirty = self.levels.take_dirty()
        if len(dirty) == 1:
            self._deliver(dirty[0])
        elif dirty:
            self._deliver_many(dirty)
        self._flushed = self.shards.applied()
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
            position = Position(self.shards.epoch, heartbeat.seq, selection)
        session.write_frames([frame(heartbeat, session.framing, position)])

    def _deliver(self, held: Watched) -> None:
        """The common tick: one level changed, for one kind of audience. Nothing per connection but the write itself."""
        areas = self._areas(held)
        audiences = bool(held.watchers) + sum(bool(area.live) for area in areas)
        if audiences > 1:  # a session may be in several, and is written once
            self._deliver_many([held])
            return
        for area in areas:
            if area.live:
                self._deliver_live(held, area)
            area.flushed = held.seq
        if held.watchers:
            self._deliver_watchers(held)

    def _deliver_watchers(self, held: Watched) -> None:
        frames = _frames(held)
        writes = 0
        for session in held.watchers:
            if session.writable:
                writes += 1
                try:
                    session.write(frames[session.framing])
                except (RuntimeError, OSError):  # see Session._write
                    session.lost()
            else:
                session.mark(held)
        self._count(writes, frames)

    def _deliver_live(self, held: Watched, area: Area) -> None:
        frames = _frames(held)
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
        """Of one level to many: an event stream's few bytes of framing more are not worth a look at each."""
        counts = self.counts
        counts.deliveries += writes
        counts.writes += writes
        counts.level_bytes += writes * len(frames[Framing.WEBSOCKET])

    def _deliver_many(self, dirty: list[Watched]) -> None:
        """Frames are joined per area where one is watched, and per connection, so that each is written once."""
        written: dict[Session, None] = {}
        by_area: dict[Area, list[Framed]] = {}
        counts = self.counts
        for held in sorted(dirty, key=lambda held: held.seq):
            areas = self._areas(held)
            frames = _frames(held) if held.watchers or areas else None
            for session in held.watchers:
                if session.writable and len(session.outbox) < PART_LEVELS:
                    assert frames is not None
                    session.outbox.append(frames[session.framing])
                    written[session] = None
                    counts.deliveries += len(session.subscriptions) == 1
                else:
                    session.mark(held)
            for area in areas:
                assert frames is not None
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

    def _deliver_area(self, area: Area, frames: list[Framed], written: dict[Session, None]) -> None:
        """More than one part in a tick: everybody falls behind and catches up in parts, newest states only."""
        joined = tuple(b"".join(one[framing] for one in frames) for framing in Framing)
        behind = []
        for cursor in area.live:
            session = cursor.session
            if session.writable and len(frames) <= PART_LEVELS:
                if len(session.subscriptions) > 1:  # what another subscription has too is written once
                    session.outbox += [one[session.framing] for one in frames]
                else:
                    session.outbox.append(joined[session.framing])
                    self.counts.deliveries += len(frames)
                written[session] = None
            else:
                behind.append(cursor)
        for cursor in behind:
            cursor.fall_behind()
        assert area.order is not None
        area.flushed = area.order.top

    def _areas(self, held: Watched) -> list[Area]:
        """The complete areas it belongs to, if anybody might watch one."""
        areas = held.views.areas if isinstance(held, Derived) else self.levels.areas
        if not areas or held.state is None:
            return []
        shard = held.shard if isinstance(held, Derived) else held.state.shard
        named = (areas.get(name) for name in (held.location, shard))
        return [area for area in named if area is not None and area.order is not None]

    def _pump(self) -> None:
        """In turns: many who ask for much must not hold up what changes next."""
        for session in list(islice(self.pumping, PUMPED_PER_FLUSH_MAX)):
            self.pumping.pop(session, None)
            if session.pump() and session.writable:  # not writable: it comes back when it has drained
                self.pumping[session] = None


def _watched(home: Levels | Views, session: Session, location: str, skus: Iterable[str]) -> list[Watched]:
    """Each is watched before the next is taken hold of. Raises Full, and then watches none."""
    watched: list[Watched] = []
    try:
        for sku in dict.fromkeys(skus):
            held = home.hold(location, sku)
            home.watch(held, session)  # type: ignore[arg-type]  # its own
            watched.append(held)
    except Full:
        for held in watched:
            home.unwatch(held, session)  # type: ignore[arg-type]
        raise
    return watched


def _areas_of(home: Levels | Views, names: Iterable[AreaName]) -> list[Area]:
    """Raises Full, and then has taken hold of none."""
    try:
        return [home.area(name) for name in names]
    except Full:
        assert isinstance(home, Views)
        home.let_go_unwatched()
        raise


def _heartbeat(promised: Mapping[str, int], shards: Iterable[int], fresh: bool, lag_ms: int) -> Heartbeat:
    seq = {name: promised[name] for name in map(str, shards) if name in promised}
    return Heartbeat(seq, fresh, 0 if fresh and not seq else lag_ms)


def _frames(held: Watched) -> Framed:
    assert held.state is not None
    return framed(state_payload(held.state))


def _covers(heads: Mapping[int, int], asked: Sequence[int], shards: Iterable[int]) -> bool:
    """Whether an answer was read after everything that had been applied when it was asked for."""
    return all(heads.get(shard, -1) >= asked[shard] for shard in shards)
