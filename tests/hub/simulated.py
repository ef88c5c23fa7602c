"""A ledger and clients in memory, to drive the hub's pure core with: seeded, no sockets, no clock but a number."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from hub.counts import Counts
from hub.fanout import Bounds, Fanout
from hub.frames import Framing
from hub.held import Held, Range
from hub.session import Session
from hub.shards import Shards
from wire.messages import Batch, Event, LevelState, Position, Subscribe
from wire.shards import shard_of

EPOCH = "e1"


class History:
    """The truth: every event of every shard, numbered as a ledger numbers them."""

    def __init__(self, shards: int) -> None:
        self.events: list[list[Event]] = [[] for _ in range(shards)]
        self.levels: dict[tuple[str, str], Event] = {}

    def commit(self, location: str, *skus: str) -> list[Event]:
        """One batch at one location."""
        return [self._event(location, sku) for sku in skus]

    def heads(self) -> dict[int, int]:
        return {shard: len(events) for shard, events in enumerate(self.events)}

    def state(self, location: str, sku: str) -> LevelState:
        event = self.levels.get((location, sku))
        if event is None:
            return LevelState(sku, location, 0, 0, 0, 0, None, None, shard_of(location, len(self.events)), 0)
        return LevelState(
            sku,
            location,
            event.version,
            event.on_hand,
            0,
            event.on_hand,
            "sale",
            event.committed_at,
            event.shard,
            event.seq,
        )

    def at(self, location: str | None) -> list[LevelState]:
        return [self.state(*key) for key in sorted(self.levels) if location in (None, key[0])]

    def _event(self, location: str, sku: str) -> Event:
        shard = shard_of(location, len(self.events))
        before = self.levels.get((location, sku))
        version = before.version + 1 if before else 1
        seq = len(self.events[shard]) + 1
        committed_at = "2026-11-22T10:00:00.000000Z"
        event = Event(
            shard,
            seq,
            sku,
            location,
            version,
            "sale",
            1,
            0,
            version,
            0,
            version,
            "o",
            "a",
            None,
            None,
            None,
            committed_at,
        )
        self.events[shard].append(event)
        self.levels[location, sku] = event
        return event


class Pipe:
    """A connection's outgoing side: what was written, and a limit of messages over which it asks to pause."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.queue: list[dict[str, Any]] = []
        self.session: Session | None = None

    def write(self, data: bytes) -> None:
        self.queue += messages(data)
        if self.session is not None and len(self.queue) > self.limit:
            self.session.paused()

    def take(self, count: int) -> list[dict[str, Any]]:
        taken, self.queue = self.queue[:count], self.queue[count:]
        if self.session is not None and len(self.queue) <= self.limit // 4 and not self.session.writable:
            self.session.resumed()
        return taken


def messages(data: bytes) -> list[dict[str, Any]]:
    """Every message in a run of unmasked, unfragmented WebSocket text frames."""
    found = []
    while data:
        assert data[0] == 0x81
        size, head = data[1], 2
        if size == 126:
            size, head = int.from_bytes(data[2:4]), 4
        elif size == 127:
            size, head = int.from_bytes(data[2:10]), 10
        found.append(json.loads(data[head : head + size]))
        data = data[head + size :]
    return found


@dataclass
class Client:
    """Applies what design.md section 5 tells a client to apply, and checks every promise against the truth.

    ``wants``: the selection of its only subscription. It keeps its levels and its position across connections.
    """

    history: History
    location: str
    skus: tuple[str, ...] | None
    held: dict[tuple[str, str], LevelState] = field(default_factory=dict)
    position: Position | None = None
    served: bool = False
    recovered: bool | None = None
    broken: list[str] = field(default_factory=list)

    def receive(self, message: dict[str, Any]) -> None:
        if message["type"] == "level":
            self._apply(message)
        elif message["type"] == "subscribed":
            self.recovered = message["recovered"]
        elif message["type"] == "snapshot":
            for level in message["levels"]:
                self._apply(level)
            if message["last"]:
                self.served = True
                position = message["position"]
                self._promise(Position(position["epoch"], position["seq"], position["selection"]))
        elif message["type"] == "heartbeat" and self.served and message["seq"]:
            assert self.position
            self._promise(Position(EPOCH, message["seq"], self.position.selection))

    def wants(self, location: str, sku: str) -> bool:
        return self.location in ("*", location) and (self.skus is None or sku in self.skus)

    def truth(self) -> dict[tuple[str, str], int]:
        return {key: event.version for key, event in self.history.levels.items() if self.wants(*key)}

    def view(self) -> dict[tuple[str, str], int]:
        return {key: level.version for key, level in self.held.items() if level.version}

    def _apply(self, message: dict[str, Any]) -> None:
        level = LevelState(**{name: value for name, value in message.items() if name != "type"})
        key = (level.location, level.sku)
        if not self.wants(*key):
            self.broken.append(f"was sent {key}, which it did not ask for")
        if key not in self.held or level.version > self.held[key].version:
            self.held[key] = level

    def _promise(self, position: Position) -> None:
        """A position says that everything up to it has come: check that."""
        for shard, events in enumerate(self.history.events):
            newest: dict[tuple[str, str], int] = {}
            for event in events[: position.seq.get(str(shard), 0)]:
                if self.wants(event.location, event.sku):
                    newest[event.location, event.sku] = event.version
            for key, version in newest.items():
                if key not in self.held or self.held[key].version < version:
                    self.broken.append(f"position {position.seq} promised {key} version {version}")
        if self.position is None or position.epoch != self.position.epoch:
            self.position = position
            return
        before = self.position.seq
        ahead = {shard: max(seq, before.get(shard, 0)) for shard, seq in position.seq.items()}
        self.position = Position(position.epoch, ahead, position.selection or self.position.selection)


def make_fanout(history: History, now: float = 0.0, bounds: Bounds | None = None) -> Fanout:
    return Fanout(Shards(EPOCH, history.heads(), now), bounds or Bounds(), Counts())


def open_session(fanout: Fanout, limit: int = 1_000_000) -> tuple[Session, Pipe]:
    pipe = Pipe(limit)
    session = Session(pipe.write, Framing.WEBSOCKET, fanout.levels, fanout.pumping, fanout.counts)
    pipe.session = session
    fanout.join(session)
    return session, pipe


def subscribe(
    fanout: Fanout, session: Session, location: str, skus: list[str] | None = None, since: Position | None = None
) -> None:
    fanout.subscribe(session, Subscribe(1 + len(session.subscriptions), location, skus, since))


def batch(events: list[Event]) -> Batch:
    return Batch(EPOCH, events[0].shard, events[0].seq, events)


class Loads:
    """Answers what the core wants from the ledger, as the loader would: asked, read and answered at three times."""

    def __init__(self, fanout: Fanout, history: History) -> None:
        self._fanout = fanout
        self._history = history
        self._asked: list[Callable[[], Callable[[], bool]]] = []
        self._read: list[Callable[[], bool]] = []

    def ask(self) -> None:
        levels = self._fanout.levels
        for held in list(levels.wanted):
            self._asked.append(partial(self._read_level, self._fanout.shards.lasts(), held))
        levels.wanted.clear()
        for found in list(levels.wanted_ranges):
            self._asked.append(partial(self._read_page, self._fanout.shards.lasts(), found, ""))
        levels.wanted_ranges.clear()

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
            taken = self._fanout.loaded([(held, state)], heads, asked)
            if not taken:
                self._asked.append(partial(self._read_level, self._fanout.shards.lasts(), held))
            return taken

        return answer

    def _read_page(self, asked: list[int], found: Range, after: str, size: int = 4) -> Callable[[], bool]:
        states = [one for one in self._history.at(None) if found.name in (one.location, one.shard)]
        page = [one for one in states if f"{one.location}/{one.sku}" > after][: size + 1]
        heads, more = self._history.heads(), len(page) > size
        page = page[:size]

        def answer() -> bool:
            lasts = self._fanout.shards.lasts()
            taken = self._fanout.page([found], page, heads, asked, last=not more)
            following = f"{page[-1].location}/{page[-1].sku}" if page and taken else after
            if more or not taken:
                self._asked.append(partial(self._read_page, lasts, found, following))
            return taken

        return answer


def repair(fanout: Fanout, history: History, now: float, limit: int = 1_000) -> None:
    """Read the log of every shard, as the feed would."""
    for sequence in fanout.shards.sequences:
        events = history.events[sequence.shard]
        page = events[sequence.last : sequence.last + limit]
        fanout.log(sequence.shard, len(events), page, sequence.asking(now), now)
