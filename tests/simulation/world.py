"""One seeded run: a ledger, hubs, screens, and everything that can go wrong between them."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import accumulate
from random import Random
from unittest.mock import patch

import hub.fanout.cursor
import hub.fanout.delivery
import hub.fanout.session
import hub.feed.heartbeats
import hub.feed.loader
import hub.feed.pages
import hub.stock.order
import hub.stock.sequence
from hub.endings import Ending
from hub.errors import Ended
from tests.harness.own_thread import here_alone
from tests.simulation import chance, leaks
from tests.simulation.broker import CALM, NOISES
from tests.simulation.loop import VirtualLoop
from tests.simulation.node import Node
from tests.simulation.screen import Screen
from tests.simulation.stock import GHOSTS, LOCATIONS, SKUS, Stock
from tests.simulation.violation import Violation
from tests.simulation.weather import ACTIONS, WEATHERS
from wire.channels import shard_channel

STEPS = 300
NODES, SCREENS = 2, 4
STEP_S = (0.001, 0.001, 0.001, 0.001, 0.005, 0.005, 0.01, 0.02, 0.05)
LONG_STEP = 0.004
LONG_STEP_S = 1.7
CONVERGED_S_MAX = 10.0
"""docs/design.md, I4: what a client holds converges to the ledger within 10 s after faults end."""
LEFT_S_MAX = CONVERGED_S_MAX + 5.0
LOOK_S = 0.25


class World:
    """``counts`` says how often each fault fired; ``converged_s`` how long it took after they had ended."""

    def __init__(self, seed: int, say: Callable[[str], None] | None = None) -> None:
        self.random = Random(seed)
        self.loop = VirtualLoop()  # type: ignore[abstract]  # it has what is called here
        self.counts: Counter[str] = Counter()
        self.stock = Stock()
        self.converged_s = 0.0
        self.nodes: list[Node] = []
        self.screens: list[Screen] = []
        self._say = say
        self._names = 0
        self._storm = True
        self._faults_ended_at = 0.0
        weights = WEATHERS[seed % len(WEATHERS)].weights()
        self._actions: list[Callable[[], None]] = [getattr(self, f"_{name}") for name in ACTIONS]
        self._weights = list(accumulate(weights[name] for name in ACTIONS))

    def say(self, *what: object) -> None:
        """A line of the trace."""
        if self._say is not None:
            self._say(f"{self.loop.time():9.3f} {' '.join(map(str, what))}")

    def any_location(self) -> str:
        return self.random.choice(LOCATIONS)

    def run(self, steps: int) -> None:
        """Raises Violation, or what the product raised."""
        with self.loop.running(), self._ending():
            for _ in range(self.random.randrange(8)):
                self.stock.commit(self.random)
            self.nodes = [self._new_node() for _ in range(NODES)]
            for _ in range(SCREENS):
                self._new_screen()
            self._beat()
            self._look()
            for _ in range(steps):
                self._step()
            self._settle()
            self._go_home()

    @contextmanager
    def _ending(self) -> Iterator[None]:
        """Whatever has happened, no task is left."""
        try:
            yield
        finally:
            for node in self.nodes:
                node.vanish()
            self.loop.finish()

    # time

    def _step(self) -> None:
        long = self.random.random() < LONG_STEP
        self.loop.run_for(LONG_STEP_S if long else self.random.choice(STEP_S))
        (action,) = self.random.choices(self._actions, cum_weights=self._weights)
        action()

    def _beat(self) -> None:
        """A ledger's heartbeat. The first after a restore makes the new epoch."""
        if self.stock.fallen:
            self.counts["heartbeat while fallen"] += 1
        for shard, data in self.stock.heartbeats():
            self._publish("heartbeat", shard, data)
        self.loop.call_later(self.random.uniform(0.25, 0.5), self._beat)

    def _look(self) -> None:
        for node in self.nodes:
            node.look()
        for screen in self.screens:
            screen.look()
        self.loop.call_later(LOOK_S, self._look)

    def _publish(self, kind: str, shard: int, data: bytes) -> None:
        for node in self.nodes:
            if node.alive:
                node.broker.publish(kind, shard_channel("stockwire", shard), data)

    # what happens

    def _commit(self) -> None:
        if self.stock.fallen:
            return
        for events in self.stock.commit(self.random):
            self.counts["commit"] += 1
            if self._say is not None:
                self.say("commit", *(f"{e.location}/{e.sku} v{e.version} shard {e.shard} seq {e.seq}" for e in events))
            if self.random.random() < self._unpublished:
                self.counts["commit never published"] += 1
            else:
                self._publish("batch", events[0].shard, self.stock.message(events))

    @property
    def _unpublished(self) -> float:
        """A ledger dies between its commit and its message."""
        return 0.02 if self._storm else 0.0

    def flapping(self) -> bool:
        """Whether a new connection is cut soon, in the middle of its snapshot as likely as not."""
        flaps = self._storm and self.random.random() < 0.15
        self.counts["connection cut at its beginning"] += flaps
        return flaps

    def _burst(self) -> None:
        for _ in range(self.random.randrange(3, 9)):
            self._commit()

    def _take(self) -> None:
        self.random.choice(self.screens).take(self.random.randrange(1, 8))

    def _pace(self) -> None:
        screen, pace = self.random.choice(self.screens), self.random.choice(("fast", "fast", "slow", "stopped"))
        self.counts[f"reader {pace}"] += pace != screen.pace
        self.say(screen.name, "reads", pace)
        screen.set_pace(pace)

    def _cut(self) -> None:
        screen = self.random.choice(self.screens)
        if screen.link is not None:
            self.counts["connection cut"] += 1
            self.say(screen.name, "is cut")
            screen.cut(self.random.randrange(5), self.random.choice((0.0, 0.0, 0.3, 1.5)))

    def _beside(self) -> None:
        self.random.choice(self.screens).ask_beside()

    def _replace(self) -> None:
        self.counts["client left for good"] += 1
        gone = self.screens.pop(self.random.randrange(len(self.screens)))
        gone.leave()
        self._new_screen()

    def _noise(self) -> None:
        node = self.random.choice(self.nodes)
        node.broker.noise = self.random.choice(NOISES)
        self.say("broker of", node.name, node.broker.noise)

    def _broker(self) -> None:
        """It goes, goes mute, or is back."""
        node = self.random.choice(self.nodes)
        line = node.broker
        if line.up and not line.mute:
            line.mute = self.random.random() < 0.4
            line.up = line.mute
            self.counts["broker mute"] += line.mute
        else:
            line.up, line.mute = True, False
        self.say("broker of", node.name, "up" if line.up else "down", "mute" if line.mute else "")

    def _ledger(self) -> None:
        node = self.random.choice(self.nodes)
        line = node.ledger
        if line.away or line.slow:
            line.away = line.slow = False
        else:
            line.slow = self.random.random() < 0.5
            line.away = not line.slow
            self.counts["ledger away"] += line.away
            self.counts["ledger slow"] += line.slow
        self.say("ledger of", node.name, "away" if line.away else "slow" if line.slow else "back")

    def _restore(self) -> None:
        if self.stock.fallen:
            return
        before = self.stock.history.heads()
        self.counts["restore, heads fell"] += self.stock.fall(self.random)
        self.say("restored, heads fell from", before, "to", self.stock.history.heads())
        self.loop.call_later(self.random.choice((0.01, 0.3, 1.0, 2.5)), self._renew)

    def _epoch(self) -> None:
        if not self.stock.fallen:
            self.counts["new epoch of the same history"] += 1
            self._renew()

    def _renew(self) -> None:
        self.stock.renew()
        self.say("new epoch", self.stock.history.epoch, self.stock.history.heads())

    def _vanish(self) -> None:
        """Everything a node remembers is gone. Some of its clients are told by the network, others by its silence."""
        node = self.random.choice(self.nodes)
        if not node.alive:
            return
        self.counts["hub vanished"] += 1
        self.say(node.name, "vanishes")
        links = list(node.links)
        node.vanish()
        for screen in self.screens:
            if screen.link in links and self.random.random() < 0.5:
                screen.cut(self.random.randrange(5), 0)
        self.loop.call_later(self.random.uniform(0.1, 2.0), self._replace_node, node)

    def _move(self) -> None:
        """A hub sends some of its clients elsewhere, and goes on."""
        node = self.random.choice(self.nodes)
        for link in list(node.links):
            if self.random.random() < 0.5:
                self.counts["client moved"] += link.code is None
                self.say(node.name, "sends a client elsewhere")
                link.end(Ended(Ending.SHED))

    def _replace_node(self, gone: Node) -> None:
        self.nodes[self.nodes.index(gone)] = self._new_node()

    def _new_node(self) -> Node:
        self._names += 1
        return Node(f"hub-{self._names}", self.stock, self.loop, self.random, self.counts)

    def _new_screen(self) -> None:
        kind = self.random.random()
        skus = tuple(self.random.sample(SKUS + GHOSTS, self.random.randrange(1, 5))) if kind < 0.5 else None
        location = "*" if kind > 0.8 else self.any_location()
        self._names += 1
        screen = Screen(self, f"screen-{self._names}", location, skus)
        self.say(screen.name, "watches", location, skus or "all of it")
        self.screens.append(screen)

    # the end

    def _settle(self) -> None:
        """Faults end, and everybody must have the truth in time. Raises Violation."""
        self.say("faults end")
        self._faults_ended_at = self.loop.time()
        self._storm = False
        if self.stock.fallen or not all(node.alive for node in self.nodes):
            self.loop.run_for(3.0)
        for node in self.nodes:
            node.broker.up, node.broker.mute, node.broker.noise = True, False, CALM
            node.ledger.away = node.ledger.slow = False
        for screen in self.screens:
            screen.set_pace("fast")
        while missing := self._missing():
            if self.converged_s >= CONVERGED_S_MAX:
                raise Violation("not-converged", f"after {self.converged_s:g} s: {missing}")
            self.loop.run_for(LOOK_S)
            self.converged_s += LOOK_S
        for node in self.nodes:
            leaks.check_in_step(node, self.stock.history)

    def _missing(self) -> str | None:
        """What is not in step yet: a screen, or a hub that nobody may be connected to."""
        everybody: list[Screen | Node] = [*self.screens, *self.nodes]
        for one in everybody:
            if (missing := one.missing()) is not None:
                return missing
        return None

    def _go_home(self) -> None:
        """Everybody leaves: nothing of them may be left."""
        for screen in self.screens:
            screen.leave()
        while any(node.links for node in self.nodes) and self.loop.time() < LEFT_S_MAX + self._faults_ended_at:
            self.loop.run_for(LOOK_S)
        self.loop.run_for(LOOK_S)
        for node in self.nodes:
            leaks.check_left(node)


def simulate(seed: int, steps: int = STEPS, say: Callable[[str], None] | None = None) -> World:
    """One run; the same seed and steps give the same run. Raises what went wrong, with how to see it again."""
    world = World(seed, say)
    part_levels = 1 + seed % 2
    try:
        with (
            chance.seeded(seed),
            patch.object(hub.fanout.session, "PART_LEVELS", part_levels),
            patch.object(hub.fanout.delivery, "PART_LEVELS", part_levels),
        ):
            world.run(steps)
    except BaseException as error:  # also the end of a test that takes too long
        error.add_note(f"again, with a trace: python -m tests.simulation --seed {seed} --steps {steps}")
        raise
    return world


@contextmanager
def small() -> Iterator[None]:
    """Bounds so small that a handful of levels needs several parts, pages and ticks; nothing is logged here."""
    logs = logging.Logger.isEnabledFor
    with (
        patch.object(logging.Logger, "isEnabledFor", here_alone(lambda _logger, _level: False, logs)),
        patch.object(hub.fanout.session, "PARTS_PER_TICK", 1),
        patch.object(hub.feed.heartbeats, "STEPS_PER_BEAT", 6),
        patch.object(hub.stock.order, "COMPACT_MIN", 2),
        patch.object(hub.stock.sequence, "WAITING_EVENTS_MAX", 8),
        patch.object(hub.feed.loader, "QUERY_KEYS_MAX", 4),
        patch.object(hub.feed.pages, "FIRST_LEVELS", 3),
        patch.object(hub.feed.pages, "LATER_LEVELS", 5),
        patch.object(hub.feed.pages, "TAKEN_AT_ONCE", 2),
        patch.object(hub.fanout.cursor, "CHASES_MAX", 1_000_000),  # past it a position is weaker than checked here
    ):
        yield
