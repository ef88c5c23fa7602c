"""What one history means to a hub: events change its levels, and sessions subscribe to them. Pure.

Everything that comes in during a tick is applied first; ``delivery`` then writes it to whoever watches it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from hub.errors import Refused
from hub.fanout.counts import Counts
from hub.fanout.delivery import Delivery
from hub.fanout.resume import Resume, decide, fingerprint
from hub.fanout.session import Session
from hub.fanout.starting import Starting
from hub.fanout.subscription import AreaSubscription, LevelSubscription, Subscription, Terms
from hub.stock.held import Area, AreaName, Held, ReadLevel
from hub.stock.levels import Levels
from hub.stock.sequence import Asked
from hub.stock.shards import Shards
from hub.stock.shelf import Shelf
from hub.stock.view_states import kind_of
from hub.stock.views import ViewsByKind
from wire.availability import DEFAULT_STEPS, PublicSteps
from wire.messages import Batch, Event, LevelState, Position, Subscribe, Subscribed
from wire.shards import shard_of


class Bounds(NamedTuple):
    """``levels_max``: held at once; ``idle_max``: of these, watched by nobody. ``whole``: locations that are held from
    the start, whoever watches: names that do not exist there are known without asking.
    """

    levels_max: int = 1_000_000
    idle_max: int = 200_000
    whole: tuple[str, ...] = ()


class Fanout:
    """The state of one history. After a rewrite of history it is dropped whole, with everything in it.

    ``confirming``: resumes that are ahead of this hub and wait for the ledger's heads.
    """

    def __init__(self, shards: Shards, bounds: Bounds, counts: Counts, steps: PublicSteps = DEFAULT_STEPS) -> None:
        """``counts`` outlives this history."""
        self.shards = shards
        self.counts = counts
        self.levels = Levels(len(shards), bounds.levels_max, bounds.idle_max)
        self.views = ViewsByKind(self.levels, steps)
        self.delivery = Delivery(shards, self.levels, counts)
        self.sessions: dict[Session, None] = {}
        self.confirming: dict[Subscription, None] = {}
        self._starting = Starting()
        for location in bounds.whole:
            self.levels.watch_area(self.levels.area(location))

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
        events = self._apply(self.shards.broker(batch, now))
        if batch.traces:
            self.delivery.traced.applied(events, batch.traces)
        return events

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
        areas: Sequence[Area[Held]],
        levels: Iterable[tuple[LevelState, int]],
        heads: Mapping[int, int],
        asked: Sequence[int],
        *,
        last: bool,
    ) -> bool:
        """A page of areas, read as above. Raises Full."""
        if not _covers(heads, asked, {area.shard for area in areas}):
            return False
        self.levels.page(areas, levels, heads, asked)
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
        """Watch first, load what is missing, then write. Raises Full, before anything was registered."""
        subscription = self._watch(session, request)
        session.add(subscription)
        self.counts.subscribed += 1
        lasts = self.shards.lasts()
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

    def _watch(self, session: Session, request: Subscribe) -> Subscription:
        """Everything it selects is watched from now on. Raises Full, and then nothing is."""
        kind = kind_of(request)
        shelf: Shelf[Any] = self.levels if kind is None else self.views.of(kind)
        everywhere = request.location == "*"
        shards = tuple(range(len(self.shards))) if everywhere else (shard_of(request.location, len(self.shards)),)
        terms = Terms(
            asked_at=self.counts.clock(),
            shelf=shelf,
            selection=fingerprint(request.location, request.skus),
            at=Position(self.shards.epoch, self.shards.applied()),
            shards=shards if kind is None else (),
        )
        if request.skus is not None:
            return LevelSubscription(request, session, terms, request.skus)
        names: tuple[AreaName, ...] = shards if everywhere else (request.location,)
        return AreaSubscription(request, session, terms, names)

    def _decide(self, subscription: Subscription, heads: Mapping[int, int], *, asked: bool = False) -> None:
        """Answer the request, unless the ledger has to be asked first whether the client's position is good."""
        decided = decide(subscription.since, self.shards.epoch, heads, subscription.selection, asked=asked)
        if decided is Resume.ASK:
            self.confirming[subscription] = None
            return
        recovered = decided is Resume.CHANGES
        if recovered:
            self.counts.resumes_recovered += 1
        elif subscription.since is not None:
            self.counts.resumes_refused += 1
        subscription.session.send(Subscribed(subscription.id, subscription.id, recovered))
        subscription.decide(recovered=recovered)


def _covers(heads: Mapping[int, int], asked: Sequence[int], shards: Iterable[int]) -> bool:
    """Whether an answer was read after everything that had been applied when it was asked for."""
    return all(heads.get(shard, -1) >= asked[shard] for shard in shards)
