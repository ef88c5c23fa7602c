"""Whatever the broker loses, doubles or reorders, and however slow or often cut a client is: its view becomes right,
and no position ever promises more than was written."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hub.fanout
import hub.session
import hub.subscription
from hub.fanout import Bounds, Fanout
from hub.session import Session
from tests.hub.simulated import Client, History, Loads, Pipe, batch, make_fanout, open_session, repair, subscribe
from wire.messages import Batch

LOCATIONS = ["berlin", "paris", "rome"]
SKUS = [f"sku-{n}" for n in range(6)]


@pytest.fixture(autouse=True, scope="module")
def _small_parts() -> Iterator[None]:
    """So that a handful of levels needs several parts and several ticks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hub.session, "PART_LEVELS", 2)
        patch.setattr(hub.fanout, "PART_LEVELS", 2)
        patch.setattr(hub.session, "PARTS_PER_TICK", 1)
        patch.setattr(hub.subscription, "CHASES_MAX", 1_000_000)  # past it a position is weaker than is checked here
        yield


class Run:
    """One seeded run: a ledger, one or two hubs' cores that clients move between, clients, and faults."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = 0.0
        self.history = History(shards=2)
        for _ in range(self.random.randrange(6)):
            self.commit()
        idle_max = self.random.choice([0, 3, 1_000])
        self.hubs = [make_fanout(self.history, bounds=Bounds(1_000, idle_max)) for _ in range(2)]
        self.loads = [Loads(node, self.history) for node in self.hubs]
        self.broker: list[list[Batch]] = [[], []]
        self.clients = [self.client() for _ in range(4)]
        self.links: dict[int, tuple[Fanout, Session, Pipe]] = {}

    def client(self) -> Client:
        location = self.random.choice([*LOCATIONS, "*"])
        named = location != "*" and self.random.random() < 0.5
        skus = tuple(self.random.sample(SKUS, self.random.randrange(1, 5))) if named else None
        return Client(self.history, location, skus)

    def commit(self) -> None:
        skus = [self.random.choice(SKUS) for _ in range(self.random.randrange(1, 4))]
        events = self.history.commit(self.random.choice(LOCATIONS), *skus)
        for queue in getattr(self, "broker", []):
            if self.random.random() < 0.9:
                queue.append(batch(events))
            if self.random.random() < 0.1:
                queue.append(batch(events))

    def deliver(self) -> None:
        for node, queue in zip(self.hubs, self.broker, strict=True):
            for _ in range(self.random.randrange(4)):
                if queue:
                    node.broker(queue.pop(self.random.randrange(min(3, len(queue)))), self.now)

    def connect(self, index: int) -> None:
        self.cut(index)
        client = self.clients[index]
        node = self.random.choice(self.hubs)
        session, pipe = open_session(node, limit=self.random.choice([2, 10, 1_000]))
        client.served = False
        subscribe(node, session, client.location, list(client.skus) if client.skus else None, client.position)
        self.links[index] = (node, session, pipe)

    def cut(self, index: int) -> None:
        if index in self.links:
            node, session, _ = self.links.pop(index)
            node.leave(session)

    def read(self, index: int, count: int) -> None:
        if index in self.links:
            for message in self.links[index][2].take(count):
                self.clients[index].receive(message)

    def step(self) -> None:
        self.now += self.random.choice([0.001, 0.02, 0.3])
        node = self.random.choice(self.hubs)
        index = self.random.randrange(len(self.clients))
        action = self.random.randrange(13)
        if action <= 2:
            self.commit()
        elif action == 3:
            self.deliver()
        elif action in (4, 10, 11, 12):
            loads = self.random.choice(self.loads)
            loads.answer(self.random.randrange(4))
            loads.read(self.random.randrange(4))
            loads.ask()
        elif action == 5:
            repair(node, self.history, self.now, limit=self.random.choice([1, 3, 1_000]))
        elif action == 6:
            self.connect(index)
        elif action == 7:
            self.read(index, self.random.randrange(20))
        elif action == 8:
            node.flush()
            node.heartbeats(node.sessions, fresh=True, lag_ms=0)
        elif self.random.random() < 0.3:
            self.cut(index)
        else:
            node.confirmed(self.history.heads())
            node.levels.trim()
            node.flush()

    def settle(self) -> None:
        """Faults end: everything is delivered, loaded and read."""
        for index in range(len(self.clients)):
            if index not in self.links:
                self.connect(index)
        for _ in range(20):
            for node, loads in zip(self.hubs, self.loads, strict=True):
                repair(node, self.history, self.now)
                loads.all()
                node.confirmed(self.history.heads())
                while node.flush():
                    pass
                node.heartbeats(node.sessions, fresh=True, lag_ms=0)
            for index in range(len(self.clients)):
                self.read(index, 10_000)


def check(seed: int) -> None:
    run = Run(seed)
    for _ in range(250):
        run.step()
    run.settle()
    for client in run.clients:
        assert not client.broken, (seed, client.broken[:3])
        assert client.view() == client.truth(), (seed, client.location, client.skus)
        assert client.position is not None
        assert client.position.seq == {str(shard): head for shard, head in run.history.heads().items()}, seed
    for node in run.hubs:
        assert node.levels.count == sum(len(levels) for levels in node.levels.locations.values())


@pytest.mark.parametrize("seeds", [range(start, start + 50) for start in range(0, 300, 50)])
def test_views_become_right_and_positions_keep_their_promise(seeds: range) -> None:
    for seed in seeds:
        check(seed)


@settings(max_examples=50, deadline=None)
@given(st.integers(min_value=1_000))
def test_any_seed(seed: int) -> None:
    check(seed)


def test_a_run_does_what_it_is_there_for() -> None:
    """The simulation reaches resumes that were served, resumes that were not, and connections over their limit."""
    recovered, refused, conflated = 0, 0, 0
    for seed in range(60):
        run = Run(seed)
        for _ in range(250):
            run.step()
        conflated += sum(node.counts.conflated for node in run.hubs)
        recovered += sum(client.recovered is True for client in run.clients)
        refused += sum(client.recovered is False for client in run.clients)
    assert recovered > 20
    assert refused > 20
    assert conflated > 2
