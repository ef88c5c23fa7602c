"""What the public sees and thresholds, in the hub's pure core: whatever happens, each reader ends with the truth."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import Full
from hub.fanout.fanout import Bounds, Fanout
from hub.fanout.session import Session
from hub.stock.held import ReadLevel
from hub.stock.view_states import ViewKind, crossed
from tests.hub.in_memory import Pipe, make_fanout, open_session
from tests.simulation.history import COMMITTED_AT, EPOCH, History
from wire.availability import PublicSteps
from wire.messages import Batch, Event, LevelState, Subscribe, When
from wire.shards import shard_of

STEPS = PublicSteps()
SHARDS = 2
LOCATIONS = ("web", "paris")  # of two shards
SKUS = ("A", "B", "C")
LOW = When(at_most=5, until=8)
BACK = When(at_least=1)
KINDS: tuple[tuple[str | None, When | None], ...] = (("public", None), (None, LOW), ("public", BACK), (None, None))


@dataclass
class Shop:
    """A ledger in memory: levels with the numbers that one would give them."""

    fanout: Fanout
    levels: dict[tuple[str, str], ReadLevel] = field(default_factory=dict)
    heads: dict[int, int] = field(default_factory=lambda: dict.fromkeys(range(SHARDS), 0))

    def move(self, location: str, sku: str, on_hand: int) -> Event:
        shard = shard_of(location, SHARDS)
        before, view_version = self.levels.get((location, sku), (None, 0))
        version = before.version + 1 if before else 1
        seen = before is not None and STEPS.floor(before.available) == STEPS.floor(on_hand)
        view_version += not seen
        self.heads[shard] += 1
        seq = self.heads[shard]
        state = LevelState(sku, location, version, on_hand, 0, on_hand, "count", COMMITTED_AT, shard, seq)
        self.levels[location, sku] = ReadLevel(state, view_version)
        return Event(
            *(shard, seq, sku, location, version, "count", 0, 0, on_hand, 0, on_hand, "o", "a"),
            *(None, None, None, COMMITTED_AT, view_version),
        )

    def tell(self, event: Event) -> None:
        self.fanout.broker(Batch(EPOCH, event.shard, event.seq, [event]), 0.0)

    def load(self) -> None:
        """Answers what the hub wants, from now."""
        levels, lasts = self.fanout.levels, self.fanout.shards.lasts()
        wanted = [
            (held, self.levels.get((held.location, held.sku)) or ReadLevel(_absent(held.location, held.sku), 0))
            for held in levels.wanted
        ]
        levels.wanted.clear()
        assert self.fanout.loaded(wanted, self.heads, lasts)
        for found in list(levels.wanted_areas):
            del levels.wanted_areas[found]
            members = [one for one in self.levels.values() if found.name in (one.state.location, one.state.shard)]
            try:
                assert self.fanout.page([found], members, self.heads, lasts, last=True)
            except Full:
                levels.abandon([found])


@dataclass
class Reader:
    """Holds what a client's rule leaves; ``edges``: what it was told of each level beyond its snapshot."""

    session: Session
    pipe: Pipe
    asked: Subscribe
    held: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    edges: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)

    def read(self, count: int = 1_000_000) -> None:
        for message in self.pipe.take(count):
            if message["type"] in ("view", "threshold", "level"):
                key = message.pop("location"), message.pop("sku")
                del message["type"]
                self.edges.setdefault(key, []).append(message)
                self.take(key, message)
            elif message["type"] == "snapshot":
                for state in message.get("views") or message.get("thresholds") or message.get("levels") or []:
                    self.take((state.pop("location"), state.pop("sku")), state)

    def take(self, key: tuple[str, str], state: dict[str, Any]) -> None:
        if key not in self.held or state["version"] > self.held[key]["version"]:
            self.held[key] = state


MOVES = st.tuples(st.just("move"), st.sampled_from(LOCATIONS), st.sampled_from(SKUS), st.integers(0, 12))
COMES = st.tuples(
    st.just("come"),
    st.sampled_from((*LOCATIONS, "*")),
    st.one_of(st.none(), st.sets(st.sampled_from(SKUS), min_size=1).map(sorted)),
    st.sampled_from(KINDS),
)
ACTS = st.one_of(
    MOVES, MOVES, MOVES, COMES, st.tuples(st.sampled_from(("go", "read", "load", "flush", "stall")), st.integers(0, 9))
)


@settings(max_examples=400, deadline=None)
@given(st.lists(ACTS, max_size=60), st.sampled_from((Bounds(), Bounds(14, 4), Bounds(9, 2))))
def test_every_reader_ends_with_what_is_true_and_is_told_of_nothing_else(acts: list[Any], bounds: Bounds) -> None:
    """Also in a hub that is full: whoever was not refused is served."""
    fanout = make_fanout(History(shards=SHARDS), bounds=bounds)
    shop, readers = Shop(fanout), list[Reader]()
    for act in acts:
        match act:
            case ("move", location, sku, on_hand):
                shop.tell(shop.move(location, sku, on_hand))
            case ("come", location, skus, (view, when)):
                if location != "*" or skus is None:
                    session, pipe = open_session(fanout, limit=3)
                    asked = Subscribe(1, location, skus, view=view, when=when)
                    try:
                        fanout.subscribe(session, asked)
                    except Full:
                        fanout.leave(session)
                    else:
                        readers.append(Reader(session, pipe, asked))
            case ("go", number):
                if readers:
                    fanout.leave(readers.pop(number % len(readers)).session)
            case ("read", number):
                if readers:
                    readers[number % len(readers)].read(3)
            case ("load", _):
                shop.load()
            case ("flush", _):
                fanout.delivery.flush()
                fanout.levels.trim()
            case ("stall", number):
                if readers:
                    readers[number % len(readers)].session.paused()
    for _ in range(100):
        shop.load()
        fanout.delivery.flush()
        for reader in readers:
            reader.session.resumed()
            reader.read()
    for reader in readers:
        if reader.session.subscriptions:  # else it was told that there is no room
            _check(reader, shop)
        else:
            assert fanout.counts.errors["limit"]
        fanout.leave(reader.session)
    held = [one for levels in fanout.levels.locations.values() for one in levels.values()]
    assert fanout.levels.count == len(held)
    assert not any(one.derived for one in held)
    assert not any(found.views or found.watchers for found in fanout.levels.areas.values())


def _check(reader: Reader, shop: Shop) -> None:
    assert not reader.session.owing
    asked = reader.asked
    for key, (state, view_version) in shop.levels.items():
        if asked.location not in ("*", key[0]) or (asked.skus is not None and key[1] not in asked.skus):
            continue
        held = reader.held[key]
        edges = reader.edges.get(key, [])
        assert [edge["version"] for edge in edges] == sorted({edge["version"] for edge in edges}) or asked.view is None
        if asked.when is None and asked.view:
            assert held == {
                "version": view_version,
                "availability": STEPS.availability(state.available),
                "quantity": STEPS.quantity(state.available),
            }
        elif asked.when is not None:
            number = STEPS.floor(state.available) if asked.view else state.available
            sure = crossed(asked.when, number, None)
            assert sure is None or held["raised"] is sure
            assert held["version"] <= (view_version if asked.view else state.version)
            assert ("available" in held) == (asked.view is None)
        else:
            assert held["version"] == state.version
    assert {location for location, _ in reader.held} <= ({asked.location} if asked.location != "*" else set(LOCATIONS))


@pytest.mark.parametrize(
    ("when", "numbers", "raised"),
    [
        (LOW, (9, 6, 5, 7, 8, 6, 0), (False, False, True, True, False, False, True)),
        (LOW, (6, 5), (None, True)),
        (When(at_most=0), (1, 0, 1), (False, True, False)),
        (BACK, (0, 3, 1, 0), (False, True, True, False)),
        (When(at_least=10, until=4), (3, 9, 10, 5, 4), (False, False, True, True, False)),
    ],
)
def test_between_its_edges_a_threshold_stays_as_it_was(
    when: When, numbers: tuple[int, ...], raised: tuple[bool | None, ...]
) -> None:
    before: bool | None = None
    for number, expected in zip(numbers, raised, strict=True):
        before = crossed(when, number, before)
        assert before is expected


def test_one_view_is_encoded_once_and_only_when_it_changes() -> None:
    fanout = make_fanout(History(shards=SHARDS))
    shop = Shop(fanout)
    shop.tell(shop.move("web", "A", 12))
    readers = []
    for _ in range(3):
        session, pipe = open_session(fanout)
        fanout.subscribe(session, Subscribe(1, "web", ["A"], view="public"))
        readers.append((session, pipe))
    shop.load()
    fanout.delivery.flush()
    for session, pipe in readers:
        pipe.take(100)
        written: list[bytes] = []
        session.write = written.append
        pipe.written = written  # type: ignore[attr-defined]
    for on_hand in (11, 10, 9, 8, 5, 4):
        shop.tell(shop.move("web", "A", on_hand))
        fanout.delivery.flush()
    frames = [pipe.written for _, pipe in readers]  # type: ignore[attr-defined]
    assert [len(one) for one in frames] == [2, 2, 2]
    assert all(one[0] is frames[0][0] and one[1] is frames[0][1] for one in frames)


def test_what_is_derived_counts_against_the_bound_and_goes_with_its_last_watcher() -> None:
    fanout = make_fanout(History(shards=SHARDS), bounds=Bounds(levels_max=6, idle_max=6))
    shop = Shop(fanout)
    for sku in SKUS:
        shop.tell(shop.move("web", sku, 3))
    first, _ = open_session(fanout)
    fanout.subscribe(first, Subscribe(1, "web", view="public"))
    shop.load()
    fanout.delivery.flush()
    assert fanout.levels.count == 6
    second, pipe = open_session(fanout)
    with pytest.raises(Full):
        fanout.subscribe(second, Subscribe(1, "web", when=LOW))
    assert not second.subscriptions
    assert list(fanout.views.kept) == [ViewKind(public=True)]
    fanout.leave(first)
    fanout.subscribe(second, Subscribe(2, "web", when=LOW))
    fanout.delivery.flush()
    assert [message["type"] for message in pipe.take(10)] == ["subscribed", "snapshot"]


def test_everything_that_does_not_fit_is_refused_whole() -> None:
    """The first shard would fit, the second does not: nothing of the first stays."""
    fanout = make_fanout(History(shards=SHARDS), bounds=Bounds(levels_max=8, idle_max=8))
    shop = Shop(fanout)
    for location in LOCATIONS:
        for sku in SKUS:
            shop.tell(shop.move(location, sku, 3))
    everything, _ = open_session(fanout)
    fanout.subscribe(everything, Subscribe(1, "*"))
    shop.load()
    fanout.delivery.flush()
    assert {shard_of(location, SHARDS) for location in LOCATIONS} == set(range(SHARDS))
    session, _ = open_session(fanout)
    with pytest.raises(Full):
        fanout.subscribe(session, Subscribe(1, "*", view="public"))
    assert fanout.levels.count == 6
    assert not fanout.views.kept
    assert not any(found.views for found in fanout.levels.areas.values())


def test_what_derives_from_a_level_does_not_push_it_out() -> None:
    """The hub was full of idle levels and let go of the very level that was about to be watched: nobody told it."""
    fanout = make_fanout(History(shards=SHARDS), bounds=Bounds(levels_max=2, idle_max=2))
    shop = Shop(fanout)
    shop.tell(shop.move("web", "A", 12))
    fanout.levels.hold("web", "A")
    fanout.levels.hold("web", "B")
    shop.load()
    session, pipe = open_session(fanout)
    fanout.subscribe(session, Subscribe(1, "web", ["A"], view="public"))
    shop.load()
    fanout.delivery.flush()
    shop.tell(shop.move("web", "A", 0))
    fanout.delivery.flush()
    assert [message["type"] for message in pipe.take(10)] == ["subscribed", "snapshot", "view"]
    assert sorted(fanout.levels.locations["web"]) == ["A"]


def test_levels_that_fit_are_served_though_what_derives_from_them_does_not_fit() -> None:
    """A view without room broke the flush of every session, and left those who waited for the levels waiting."""
    fanout = make_fanout(History(shards=SHARDS), bounds=Bounds(levels_max=4, idle_max=4))
    shop = Shop(fanout)
    for sku in SKUS:
        shop.tell(shop.move("web", sku, 3))
    refused, refusals = open_session(fanout)
    served, pipe = open_session(fanout)
    fanout.subscribe(refused, Subscribe(1, "web", view="public"))
    fanout.subscribe(served, Subscribe(1, "web"))
    shop.load()
    fanout.delivery.flush()
    assert [message["type"] for message in pipe.take(10)] == ["subscribed", "snapshot"]
    assert [message.get("code") for message in refusals.take(10)] == [None, "limit"]
    assert not fanout.views.kept


def _absent(location: str, sku: str) -> LevelState:
    return LevelState(sku, location, 0, 0, 0, 0, None, None, shard_of(location, SHARDS), 0)
