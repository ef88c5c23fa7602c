"""One shopper's screen: what it holds, and whether what it was sent keeps the protocol's promises.

Protocol v1 promises of one connection, once its snapshot is complete, that the versions of a level go up. Two
deviations are told apart:

backwards   a version below the one already shown: never allowed
repeated    the version already shown, once more: allowed once after a version was left out. The reader was slow then;
            its level was marked to be written when it has drained, and newer changes were quicker.

The client's rule drops both, so the session's view cannot tell; this counts what came over the wire.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from stockwire import frame
from stockwire.kind import LEVELS
from stockwire.level import Level, Malformed
from stockwire.session import Changed, Dropped, Output, Session, Taken
from tests.load.shelf import Shelf

Shown = tuple[int, int, int, int]
"""Of a level on a screen: version, on_hand, available, and the version that the first snapshot had."""


@dataclass(slots=True)
class Delivered:
    """What came over the wire, of one screen or of many. ``samples``: the first deviations in words.

    ``too_early``: changes that came before their commit, by this machine's clock.
    """

    levels: int = 0
    repeated: int = 0
    backwards: int = 0
    repeated_after_a_gap: int = 0
    too_early: int = 0
    samples: tuple[str, ...] = ()

    SAMPLES_MAX = 5

    def deviates(self, text: str) -> None:
        if len(self.samples) < self.SAMPLES_MAX:
            self.samples = (*self.samples, text)

    def add(self, other: "Delivered") -> None:
        self.levels += other.levels
        self.repeated += other.repeated
        self.backwards += other.backwards
        self.repeated_after_a_gap += other.repeated_after_a_gap
        self.too_early += other.too_early
        for text in other.samples:
            self.deviates(text)


class Screen:
    """All connections of one shopper to ``hub``. ``skus`` None: the whole location."""

    def __init__(self, name: str, hub: str, location: str, skus: Sequence[str] | None) -> None:
        self.name = name
        self.hub = hub
        self.skus = skus
        self.session = Session(LEVELS, location, skus)
        self.delivered = Delivered()
        self.complete = False
        self.shelf = Shelf()
        self._begun: dict[str, int] | None = None
        self._versions: dict[str, int] = {}
        self._gaps: set[str] = set()

    def begin(self, token: str) -> str:
        """The first message of a new connection: what the last one promised does not count any more."""
        self.complete = False
        return self.session.begin(token)

    def lost(self, code: int | None) -> None:
        self.complete = False
        self.shelf.end(time.time())
        self.session.lost(code)

    def receive(self, data: str | bytes) -> tuple[list[Output], list[Level]]:
        """What the session makes of it, and the levels that are newer on the screen than before, snapshots aside."""
        outputs = self.session.receive(data)
        shown: list[Level] = []
        for output in outputs:
            match output:
                case Changed():
                    shown += self._shown(output)
                case Taken():
                    self._taken()
                case Dropped():
                    self.complete = False
                    self.shelf.end(time.time())
                    self._begun = None
        if self.complete and not outputs:
            self._not_newer(data)
        return outputs, shown

    def age_ms(self, level: Level, now: datetime) -> float | None:
        """Since its commit. None if that is still to come: one of the two clocks is wrong, and nothing is measured."""
        assert level.committed_at is not None
        age_ms = (now - level.committed_at).total_seconds() * 1000
        if age_ms < 0:
            self.delivered.too_early += 1
            return None
        return age_ms

    def levels(self) -> dict[str, Shown]:
        begun = self._begun or {}
        return {
            level.sku: (level.version, level.on_hand, level.available, begun.get(level.sku, 0))
            for level in self.session.view.values()
        }

    def _taken(self) -> None:
        self.complete = True
        self._versions = {level.sku: level.version for level in self.session.view.values()}
        self._gaps.clear()
        self.shelf.end(time.time())
        self.shelf.begin(self._versions, time.time())
        if self._begun is None:
            self._begun = dict(self._versions)

    def _shown(self, changed: Changed) -> list[Level]:
        levels = [self.session.view[key] for key in changed.before]
        for level in levels:
            if level.version > self._versions.get(level.sku, 0) + 1:
                self._gaps.add(level.sku)
            self._versions[level.sku] = level.version
            if self.complete:
                self.shelf.show(level.sku, level.version, time.time())
        self.delivered.levels += len(levels)
        return levels

    def _not_newer(self, data: str | bytes) -> None:
        """The session made nothing of a message: was it a level that is not newer?"""
        try:
            message = frame.parse(data, LEVELS)
        except Malformed:
            return
        if not isinstance(message, Level):
            return
        self.delivered.levels += 1
        shown = self._versions.get(message.sku, 0)
        if message.version < shown:
            self.delivered.backwards += 1
            self.delivered.deviates(f"{self.name}: {message.sku} version {message.version} after {shown}")
        elif message.sku in self._gaps:
            self.delivered.repeated_after_a_gap += 1
            self._gaps.discard(message.sku)
        else:
            self.delivered.repeated += 1
            self.delivered.deviates(f"{self.name}: {message.sku} version {message.version} twice")
