"""What must be true of one screen after every message, held against the whole truth of the epoch it is in."""

from collections.abc import Iterable, Mapping

from stockwire.frame import Position
from stockwire.level import Level
from stockwire.stream import LevelChanged, Snapshot, StreamEvent
from stockwire.view import View
from tests.simulation.history import History, Key
from tests.simulation.violation import Violation
from wire.messages import LevelState


class Checks:
    """``shown``: the versions that its view has shown in this epoch. ``told``: what the application makes of events.

    ``looped``: what an application makes of them that takes the first snapshot, and then nothing but changes.
    """

    def __init__(self, view: View, location: str, skus: tuple[str, ...] | None, truths: Mapping[str, History]) -> None:
        self.shown: dict[Key, int] = {}
        self.told: dict[Key, int] = {}
        self.looped: dict[Key, Level] | None = None
        self._showed: frozenset[Level] = frozenset()
        self._view = view
        self._location = location
        self._skus = skus
        self._truths = truths
        self._truth: History | None = None
        self._promised: Position | None = None
        self._floors: dict[Key, int] = {}

    def wants(self, key: Key) -> bool:
        return self._location in ("*", key[0]) and (self._skus is None or key[1] in self._skus)

    def epoch(self, epoch: str) -> None:
        """What follows is of this epoch."""
        self._truth = self._truths[epoch]

    def dropped(self) -> None:
        self.shown.clear()
        self._floors.clear()
        self._promised = None

    def changed(self, keys: Iterable[Key]) -> None:
        """The application is told of these levels as changed: each is newer than ever before in this epoch."""
        for key in keys:
            level = self._view[key]
            if level.version <= self.shown.get(key, -1):
                raise Violation("shown-twice", f"{key} version {level.version} after {self.shown[key]}")
            self._level(level)

    def viewed(self) -> None:
        """All of the view."""
        for level in self._view.values():
            self._level(level)
        for key, version in self.shown.items():
            if version and key not in self._view:
                self._vanished(key, version)

    def promised(self, check: str) -> None:
        """A position says that everything up to it is held. ``check``: the name of the failure."""
        position = self._view.position
        if position is None or position is self._promised:
            return
        self._promised = position
        truth = self._truths[position.epoch]
        if truth is not self._truth:
            raise Violation(check, f"a position of {position.epoch} in another epoch")
        for key, versions in truth.versions.items():
            if self.wants(key):
                due = truth.version_at(key, position.seq[str(versions[0].shard)])
                held = self._view.get(key)
                if due and (held is None or held.version < due):
                    has = None if held is None else held.version
                    raise Violation(check, f"{dict(position.seq)} promises {key} version {due}, held: {has}")

    def taken(self, event: StreamEvent) -> None:
        """What the application reads: what it knows must never go back either, and a change is one, but for what the
        snapshot before it showed already."""
        if isinstance(event, Snapshot):
            self._showed = frozenset(event.levels)
            if self.looped is None:
                self.looped = {level.key: level for level in event.levels}
            if not event.recovered:
                self._floors, self.told = {**self._floors, **self.told}, {}
            for level in event.levels:
                self._tell(level, self._floors.get(level.key, self.told.get(level.key, -1)))
        elif isinstance(event, LevelChanged):
            if event.level not in self._showed:
                self._tell(event.level, self.told.get(event.level.key, -1) + 1)
            if self.looped is not None:
                self.looped[event.level.key] = event.level

    def told_all(self) -> None:
        """The application has read everything: it must know what the view shows."""
        for key, level in self._view.items():
            if self.told.get(key, -1) != level.version:
                known = self.told.get(key)
                raise Violation(
                    "not-told", f"{key} version {level.version} is in the view, the application has {known}"
                )
            if self.looped is not None and self.looped.get(key) != level:
                raise Violation("not-looped", f"{level} is in the view, changes have told {self.looped.get(key)}")
        if len(self.told) > len(self._view):
            raise Violation("not-told", f"{self.told.keys() - self._view.keys()} are gone, the application has them")

    def forgotten(self) -> None:
        """What the application was told is of another epoch."""
        self._floors.clear()
        self.told = dict.fromkeys(self.told, -1)

    def _vanished(self, key: Key, version: int) -> None:
        """A restore takes levels back, and until there is a new epoch a client may learn it under the old one."""
        assert self._truth is not None
        if self._truth.restored is None or key in self._truth.restored.versions:
            raise Violation("vanished", f"{key} was shown with version {version} and is gone")
        self.shown[key] = version - 1  # it may come again

    def _tell(self, level: Level, least: int) -> None:
        if level.version < least:
            raise Violation("told-back", f"{level.key} version {level.version}, {least} was the least")
        self.told[level.key] = level.version

    def _level(self, level: Level) -> None:
        key = level.key
        if not self.wants(key):
            raise Violation("not-asked-for", f"{key}")
        shown = self.shown.get(key, -1)
        if level.version == shown:
            return
        if level.version < shown:
            raise Violation("version-back", f"{key} version {level.version} after {shown}")
        assert self._truth is not None
        versions = self._truth.versions.get(key, [])
        if level.version > len(versions):
            raise Violation("never-existed", f"{key} version {level.version} of {self._truth.epoch}: {len(versions)}")
        if level.version:
            true = versions[level.version - 1]
            if _told(level) != _told(true):
                raise Violation("never-existed", f"{level} in {self._truth.epoch}, it was {true}")
        self.shown[key] = level.version


def _told(level: Level | LevelState) -> tuple[int | str | None, ...]:
    """What a screen shows of it, and where it stands in the log."""
    return level.on_hand, level.reserved, level.available, level.kind, level.seq, level.shard
