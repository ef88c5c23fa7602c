"""A connection and a loader in memory, to put the hub's pure core into one state by hand; runs: tests/simulation."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from hub.fanout.counts import Counts
from hub.fanout.fanout import Bounds, Fanout
from hub.fanout.frames import Framing
from hub.fanout.session import Session
from hub.feed.feed_parts import FeedParts
from hub.feed.ledger_client import LedgerClient
from hub.stock.held import Area, Held
from hub.stock.shards import Shards
from tests.simulation.history import EPOCH, History, read_level
from tests.simulation.link import payloads
from wire.messages import Batch, Event, Position, Subscribe

NO_BROKER = "redis://127.0.0.1:1"


class Pipe:
    """A connection's outgoing side: what was written, and a limit of messages over which it asks to pause."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.queue: list[dict[str, Any]] = []
        self.session: Session | None = None

    def write(self, data: bytes) -> None:
        self.queue += map(json.loads, payloads(data))
        if self.session is not None and len(self.queue) > self.limit:
            self.session.paused()

    def take(self, count: int) -> list[dict[str, Any]]:
        taken, self.queue = self.queue[:count], self.queue[count:]
        if self.session is not None and len(self.queue) <= self.limit // 4 and not self.session.writable:
            self.session.resumed()
        return taken


def make_fanout(history: History, now: float = 0.0, bounds: Bounds | None = None) -> Fanout:
    return Fanout(Shards(EPOCH, history.heads(), now), bounds or Bounds(), Counts())


def parts_of_a_lone_feed(ledger: LedgerClient) -> FeedParts:
    """Whatever such a feed has to tell, nobody is there to hear it."""
    return FeedParts(
        ledger=ledger,
        redis_url=NO_BROKER,
        channel_prefix="stockwire",
        bounds=Bounds(),
        schedule_flush=lambda: None,
        applied=lambda _events, _transit_s, _trace: None,
        revoked=lambda _: None,
        doubted=lambda: None,
        rewritten=lambda _: None,
    )


def open_session(fanout: Fanout, limit: int = 1_000_000) -> tuple[Session, Pipe]:
    pipe = Pipe(limit)
    session = Session(pipe.write, Framing.WEBSOCKET, fanout.delivery.pumping, fanout.counts)
    pipe.session = session
    fanout.join(session)
    return session, pipe


def subscribe(
    fanout: Fanout, session: Session, location: str, skus: list[str] | None = None, since: Position | None = None
) -> None:
    fanout.subscribe(session, Subscribe(1 + len(session.subscriptions), location, skus, since))


def batch(events: list[Event]) -> Batch:
    return Batch(EPOCH, events[0].shard, events[0].seq, events)


def repair(fanout: Fanout, history: History, now: float) -> None:
    """Read the log of every shard, as the feed would."""
    for sequence in fanout.shards.sequences:
        events = history.events[sequence.shard]
        fanout.log(sequence.shard, len(events), events[sequence.last :], sequence.asking(now), now)


class Loads:
    """Answers what the core wants from the ledger, as the loader would: asked, read and answered at three times."""

    def __init__(self, fanout: Fanout, history: History, page_levels: int = 4) -> None:
        self._fanout = fanout
        self._history = history
        self._page_levels = page_levels
        self._asked: list[Callable[[], Callable[[], bool]]] = []
        self._read: list[Callable[[], bool]] = []

    def ask(self) -> None:
        levels = self._fanout.levels
        for held in list(levels.wanted):
            self._asked.append(partial(self._read_level, self._fanout.shards.lasts(), held))
        levels.wanted.clear()
        for found in list(levels.wanted_areas):
            self._asked.append(partial(self._read_page, self._fanout.shards.lasts(), found, ""))
        levels.wanted_areas.clear()

    def read(self, count: int) -> None:
        """The database is read: later than it was asked, and before the answer comes."""
        for asked in self._asked[:count]:
            self._read.append(asked())
        del self._asked[:count]

    def answer(self, count: int) -> None:
        """What is too old to be taken is asked again."""
        answered, self._read = self._read[:count], self._read[count:]
        for answer in answered:
            answer()

    def all(self) -> None:
        for _ in range(30):
            self.ask()
            self.read(len(self._asked))
            self.answer(len(self._read))

    def _read_level(self, asked: list[int], held: Held) -> Callable[[], bool]:
        state, heads = self._history.state(held.location, held.sku), self._history.heads()

        def answer() -> bool:
            taken = self._fanout.loaded([(held, read_level(state))], heads, asked)
            if not taken:
                self._asked.append(partial(self._read_level, self._fanout.shards.lasts(), held))
            return taken

        return answer

    def _read_page(self, asked: list[int], found: Area[Held], after: str) -> Callable[[], bool]:
        size = self._page_levels
        states = [one for one in self._history.at(None) if found.name in (one.location, one.shard)]
        page = [one for one in states if f"{one.sku}/{one.location}" > after][: size + 1]
        heads, more = self._history.heads(), len(page) > size
        page = page[:size]

        def answer() -> bool:
            lasts = self._fanout.shards.lasts()
            taken = self._fanout.page([found], [read_level(state) for state in page], heads, asked, last=not more)
            following = f"{page[-1].sku}/{page[-1].location}" if page and taken else after
            if more or not taken:
                self._asked.append(partial(self._read_page, lasts, found, following))
            return taken

        return answer
