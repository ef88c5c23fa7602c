"""An application with the product's client: session, mailbox and reconnects are its own, the rest is faults."""

from random import Random
from typing import TYPE_CHECKING

from stockwire.errors import StockwireError
from stockwire.kind import LEVELS
from stockwire.mailbox import Mailbox
from stockwire.reconnect import Reconnect
from stockwire.session import Changed, Dropped, Ending, Output, Send, Session, Taken
from stockwire.stream import Freshness, Reconnecting
from stockwire.view import State
from tests.simulation.checks import Checks
from tests.simulation.history import Key
from tests.simulation.link import Link, subscribe_text, unsubscribe_text
from tests.simulation.stock import SKUS
from tests.simulation.violation import Violation
from wire.shards import shard_of

if TYPE_CHECKING:
    from tests.simulation.world import World

READS_S = {"fast": 0.002, "slow": 0.1}
SLOW_MESSAGES = 2
FLAP_S_MAX = 0.2
CONNECT_TIMEOUT_S = 5.0
UNREAD_MAX = (1, 2, 6, 1_000)


class Screen:
    """``pace``: fast, slow, or stopped; one that is stopped does nothing at all."""

    def __init__(self, world: "World", name: str, location: str, skus: tuple[str, ...] | None) -> None:
        self.name = name
        self.location = location
        self.skus = skus
        self.pace = "fast"
        self.session = Session(LEVELS, location, skus)
        self.mailbox = Mailbox(LEVELS, self.session.view)
        self.checks = Checks(self.session.view, location, skus, world.stock.truths)
        self.link: Link | None = None
        self.left = False
        self._world = world
        self._random: Random = world.random
        self._reconnect = Reconnect(token_changes=False)
        self._heard_at = 0.0
        self._reading = False
        self._requests = 10
        world.loop.call_later(self._random.uniform(0, 0.5), self.connect)

    # connections

    def connect(self) -> None:
        node = self._random.choice(self._world.nodes)
        if self.left or self.link is not None:
            return
        if not node.alive:
            self._lost(Ending("cannot be reached"))
            return
        if node.feed.fanout is None:
            self._lost(Ending("no ledger was reached yet", 1012, 1.0))
            return
        if self.session.view.position is not None:
            self._world.counts["brought a position"] += 1
        self._heard_at = self._world.loop.time()
        self.link = Link(node, node.feed.fanout, self, self._random.choice(UNREAD_MAX))
        self._world.say(self.name, "connects to", node.name)
        self.link.send(self.session.begin("key"))
        if self._world.flapping():
            self._world.loop.call_later(self._random.uniform(0, FLAP_S_MAX), self.cut, self._random.randrange(8), 0.0)

    def cut(self, prefix: int, noticed_s: float) -> None:
        """``prefix`` messages of those under way still arrive."""
        link = self.link
        if link is not None:
            self._world.counts["cut in the middle of what was written"] += len(link.unread) > prefix
            link.cut(prefix, noticed_s)
            self._read_all()
            if self.link is link:
                self._lost(Ending("cut"))

    def noticed(self, link: Link) -> None:
        """The connection was aborted by the hub."""
        if link is self.link and self.pace != "stopped":
            self._lost(Ending("aborted"))

    def leave(self) -> None:
        self.left = True
        if self.link is not None:
            self.link.close()
            self.link = None

    def look(self) -> None:
        """Whether the hub has been silent for too long."""
        silence_s_max = self.session.silence_s_max or CONNECT_TIMEOUT_S
        if self.link is None or self.pace == "stopped":
            return
        if not self.link.unread and self._world.loop.time() - self._heard_at > silence_s_max:
            self._world.counts["hub silent for too long"] += 1
            self._lost(Ending("silence"))

    def set_pace(self, pace: str) -> None:
        self.pace = pace
        if self.link is not None:
            self.written(self.link)

    # a second subscription, within the first, of which the client's session knows nothing

    def ask_beside(self) -> None:
        link = self.link
        if link is None or self.session.connected is None:
            return
        self._requests += 1
        if link.beside is not None:
            link.send(unsubscribe_text(self._requests, link.beside))
            link.beside = None
        else:
            location, skus = self._within()
            link.beside = self._requests
            link.send(subscribe_text(self._requests, location, skus))

    def _within(self) -> tuple[str, list[str] | None]:
        if self.skus is not None:
            return self.location, list(self.skus[:2])
        location = self._world.any_location() if self.location == "*" else self.location
        skus = self._random.sample(SKUS, 2) if self._random.random() < 0.6 else None
        return location, skus

    # what is read

    def written(self, link: Link) -> None:
        if link is self.link and not self._reading and self.pace != "stopped":
            self._reading = True
            self._world.loop.call_later(READS_S[self.pace], self._read)

    def _read(self) -> None:
        self._reading = False
        if self.pace == "fast":
            self._read_all()
        else:
            for _ in range(SLOW_MESSAGES):
                self._read_one()
        link = self.link
        if link is not None and link.unread:
            self.written(link)

    def _read_all(self) -> None:
        while self._read_one():
            pass

    def _read_one(self) -> bool:
        link = self.link
        message = link.take() if link is not None else None
        if link is None or message is None:
            return False
        self._heard_at = self._world.loop.time()
        for output in self._receive(message):
            self._do(link, output)
        if self.link is link and link.code is not None and not link.unread:
            self._lost(Ending("closed", link.code))
        return self.link is link

    def _receive(self, message: bytes) -> list[Output]:
        """One message through the product's client, and every check behind it."""
        outputs = self.session.receive(message)
        self._world.say(self.name, "<-", message)
        if self.session.connected is not None:
            self.checks.epoch(self.session.connected.epoch)
        for output in outputs:
            if isinstance(output, Dropped):
                self._forget()
            elif isinstance(output, Changed):
                self.checks.changed(output.before)
        if not outputs or not isinstance(outputs[0], Changed | Freshness):  # else nothing else has changed
            self.checks.viewed()
        self.checks.promised("false-recovery" if Taken in map(type, outputs) else "broken-promise")
        return outputs

    def _do(self, link: Link, output: Output) -> None:
        match output:
            case Send(text):
                link.send(text)
            case Taken():
                self._world.counts["resumed" if output.recovered else "whole snapshot"] += 1
                self._reconnect.succeeded()
            case Freshness():
                self._world.counts["told to be behind"] += not output.fresh
            case Ending():
                if self.link is link:
                    self._lost(output)
        self.mailbox.put(output)

    def _lost(self, ending: Ending) -> None:
        """As the client's subscription does it: what is held ages, and when to come back is decided."""
        if self.link is not None:
            self.link.close()
            self.link = None
        if self.session.lost(ending.code):
            self._forget()
        wait = self._reconnect.after(ending, self._random.random())
        if isinstance(wait, StockwireError):
            raise Violation("gave-up", f"{self.name} after {ending}: {wait!r}")
        self._world.say(self.name, "lost its connection:", ending.reason)
        self.mailbox.notice(Reconnecting(self._reconnect.attempt, wait, ending.reason))
        self._world.loop.call_later(wait, self.connect)

    def _forget(self) -> None:
        self.mailbox.forget()
        self.checks.dropped()
        self.checks.forgotten()

    # the application

    def take(self, events: int) -> None:
        """The application reads so many events."""
        for _ in range(events):
            event = self.mailbox.take()
            if event is None:
                if self.session.view.state in (State.FRESH, State.STALE):
                    self.checks.told_all()
                return
            self.checks.taken(event)

    def missing(self) -> str | None:
        """What it lacks to be equal to the ledger."""
        history, view = self._world.stock.history, self.session.view
        shards = history.heads() if self.location == "*" else (shard_of(self.location, len(history.heads())),)
        heads = {str(shard): head for shard, head in history.heads().items() if shard in shards}
        if view.position is None or view.position.epoch != history.epoch or dict(view.position.seq) != heads:
            return f"{self.name} has position {view.position}, the ledger {history.epoch} {heads}"
        truth = {key: len(versions) for key, versions in history.versions.items() if self.checks.wants(key)}
        held = versions_of({key: level.version for key, level in view.items()})
        if held != truth:
            return f"{self.name} holds {held}, the ledger {truth}"
        self.take(1_000)
        return None


def versions_of(levels: dict[Key, int]) -> dict[Key, int]:
    """Without those that have no event."""
    return {key: version for key, version in levels.items() if version > 0}
