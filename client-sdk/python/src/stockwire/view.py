"""What a subscription holds: the newest known of everything it watches."""

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Generic

from stockwire.frame import Position
from stockwire.level import Level
from stockwire.watched import T, Watched

Key = tuple[str, str]
"""(location, sku)"""


class State(Enum):
    """``CONNECTING``: what is held is as old as the last connection. ``STALE``: the hub says that it is behind.

    ``FRESH``: everything the hub has is here, and the hub has everything. ``CLOSED``: for good.
    """

    CONNECTING = "connecting"
    FRESH = "fresh"
    STALE = "stale"
    CLOSED = "closed"


class Replica(Generic[T]):
    """The levels, or what is derived from them, of one selection within one epoch. Pure: what comes in decides, in
    whatever order it comes.

    Within an epoch no version ever goes back, not even of a level that a complete snapshot left out: what was held of
    it is remembered.
    """

    def __init__(self) -> None:
        self.levels: dict[Key, T] = {}
        self.position: Position | None = None
        self._gone: dict[Key, T] = {}
        self._named: set[Key] | None = None

    def drop(self) -> None:
        """Another epoch: nothing that is held means anything any more."""
        self.levels.clear()
        self.position = None
        self._gone.clear()
        self._named = None

    def begin_snapshot(self, *, complete: bool) -> None:
        """``complete``: it will name every level there is; otherwise only those that changed since `position`."""
        self._named = set() if complete else None
        if complete:
            self.position = None  # nobody could serve it: what was missed is not known until the last part

    def known(self, key: Key) -> T | None:
        """What is held, or was before a snapshot left it out."""
        return self.levels.get(key) or self._gone.get(key)

    def all_known(self) -> dict[Key, T]:
        """As `known`, of everything."""
        return self._gone | self.levels

    def apply(self, level: T) -> bool:
        """Whether ``level`` is newer than what was held, and is held now."""
        key = level.key
        if self._named is not None:
            self._named.add(key)
        held = self.levels.get(key)
        if held is not None:
            if level.version <= held.version:
                return False
        elif (gone := self._gone.get(key)) is not None and level.version < gone.version:
            return False
        self.levels[key] = level
        return True

    def end_snapshot(self, position: Position | None) -> None:
        """All parts have been applied. Levels that a complete one did not name, and no message since, are gone: unless
        they are of an event behind ``position``, which this hub has not heard of yet. Another hub had, whose snapshot
        was cut off.

        ``position``: None if there is none to resume from: the next snapshot is complete too.
        """
        if self._named is not None:
            unnamed = self.levels.keys() - self._named
            for key in [key for key in unnamed if not _is_behind(self.levels[key], position)]:
                self._gone[key] = self.levels.pop(key)
            self._named = None
        self.position = position

    def advance(self, seq: Mapping[str, int]) -> None:
        """A heartbeat's promise, to be heeded only once this connection's snapshot is complete. Never goes back."""
        held = self.position
        if held is None:
            return
        merged = {shard: max(number, held.seq.get(shard, 0)) for shard, number in seq.items()}
        self.position = Position(held.epoch, {**held.seq, **merged}, held.selection)


def _is_behind(level: Watched, position: Position | None) -> bool:
    """Whether the level is of an event that is not among those that the position promises."""
    return (
        position is not None and isinstance(level, Level) and level.seq > position.seq.get(str(level.shard), level.seq)
    )


class View(Mapping[Key, T]):
    """Read-only, by (location, sku), and always the newest that is known. See `State` for how far to trust it.

    It changes under whoever reads it: of an `AsyncClient` whenever you await, so iterate over a `copy` if you await
    meanwhile; of a `Client` at any moment, where each read by itself, iterations included, sees one moment.

    ``lag_ms``: what the hub said last: while fresh, how long the newest change took to it; while stale, for how long it
    has been behind.

    >>> view.state is State.FRESH, view["berlin", "A-100"].available, ("berlin", "Z-999") in view
    (True, 10, False)
    """

    def __init__(self, replica: Replica[T]) -> None:
        self._replica = replica
        self.state = State.CONNECTING
        self.lag_ms: int | None = None

    @property
    def position(self) -> Position | None:
        """How far the view has read; None before the first snapshot, and of all but levels. Opaque: to compare, to log.

        >>> view.position is None
        False
        """
        return self._replica.position

    def __getitem__(self, key: Key) -> T:
        return self._replica.levels[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._replica.levels)

    def __len__(self) -> int:
        return len(self._replica.levels)

    def of(self, keys: Iterable[Key]) -> tuple[T, ...]:
        """The levels held of ``keys``, each a (location, sku), in their order; those not held are left out.

        >>> [level.available for level in view.of([("berlin", "B-200"), ("berlin", "Z-999")])]
        [10]
        """
        return tuple(self._replica.levels[key] for key in keys if key in self._replica.levels)

    def copy(self) -> dict[Key, T]:
        """All levels as they stand at this moment, in a dictionary of your own.

        >>> sorted(sku for _, sku in view.copy())
        ['A-100', 'B-200']
        """
        return self._replica.levels.copy()
