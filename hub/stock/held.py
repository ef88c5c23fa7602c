"""What a hub holds of the stock: single levels, areas of them, and who watches either. Pure data.

``levels`` and ``views`` keep it in step. Whoever watches or waits is known here by what is asked of it only, so that
nothing in this file depends on sessions, subscriptions or views.
"""

from collections.abc import Callable, Sized
from typing import Generic, NamedTuple, Protocol, TypeVar

from hub.stock.order import SeqOrder
from wire.messages import LevelState, ThresholdState, ViewState

AreaName = str | int
"""A location, or a shard with all its locations."""

State = LevelState | ViewState | ThresholdState


class ReadLevel(NamedTuple):
    """A level as the ledger read it. ``view_version``: see ``wire.messages.Event``."""

    state: LevelState
    view_version: int


class Waiter(Protocol):
    """Waits for a level's first state or for an area: ``arrived`` is called once, also when an area cannot be had."""

    def arrived(self) -> None: ...


class PageReader(Protocol):
    """Takes what comes of an area page by page, while it is being read."""

    def came(self) -> None:
        """Another page is in ``Area.came``."""


class Watcher(Protocol):
    """Whoever is told when a level changes: a session, as far as a delivery has to know it.

    What every single delivery comes by (``writable``, ``write``, ``framing``) are attributes: a call for each would
    cost as much as the write. See ``session`` for what they mean.
    """

    writable: bool
    write: Callable[[bytes], None]

    @property
    def framing(self) -> int: ...

    @property
    def subscriptions(self) -> Sized: ...

    def mark(self, level: "Watched") -> None:
        """The level changed and cannot be written now."""

    def write_frames(self, frames: list[bytes]) -> int:
        """Returns the bytes written."""

    def lost(self) -> None:
        """The transport is gone."""


class LiveCursor(Protocol):
    """The place of a watcher of a whole area that has everything up to the last flush: see ``cursor``."""

    @property
    def session(self) -> Watcher: ...

    def fall_behind(self) -> None:
        """What changed cannot be written now."""


class DerivedLevel(Protocol):
    """What somebody watches of a level besides the level itself. Its level tells it what happens: see ``views``."""

    def arrived(self) -> None:
        """The level has its first state, which is no change."""

    def changed(self) -> None: ...


class AreaViews(Protocol):
    """What is derived from all levels of an area."""

    def entered(self, source: "Held") -> None:
        """A level has come into being in the area."""


class Watched:
    """A level, or what is derived from one. ``state`` is None until it is known; ``seq``: that of the event that made
    the state (0: there was none).

    ``watchers``: those that subscribe to this very level, with the number of their subscriptions to it. ``waiters`` are
    called once, when the state has come. ``dirty``: it has changed, and the next flush writes it.
    """

    __slots__ = ("dirty", "location", "seq", "sku", "state", "waiters", "watchers")

    state: State | None

    def __init__(self, location: str, sku: str) -> None:
        self.location = location
        self.sku = sku
        self.state = None
        self.seq = 0
        self.dirty = False
        self.watchers: dict[Watcher, int] = {}
        self.waiters: dict[Waiter, None] = {}

    @property
    def shard(self) -> int:
        """Call it when there is a state."""
        raise NotImplementedError


class Held(Watched):
    """One level. It stays as long as anything is ``derived`` from it. ``view_version``: see ``wire.messages.Event``."""

    __slots__ = ("derived", "view_version")

    state: LevelState | None

    def __init__(self, location: str, sku: str) -> None:
        super().__init__(location, sku)
        self.view_version = 0
        self.derived: tuple[DerivedLevel, ...] = ()

    @property
    def shard(self) -> int:
        assert self.state is not None
        return self.state.shard


WatchedT = TypeVar("WatchedT", bound=Watched)


class Area(Generic[WatchedT]):
    """All levels of a location or shard, or what is derived from them in one way. ``order`` is None until complete.

    Complete means: every page was read (``pages`` counts them), and the hub has applied every event up to the newest
    head among the pages (``need``). From then on events arrive in order behind everything it has, so a cursor is never
    overtaken.
    ``came``: what has come page by page while it is being read, else None; ``seen``: the same, to look it up.
    ``page_readers`` are told of each page.
    ``base``: how far the hub had applied its shard when the first page was asked for. What has a higher seq may be
    missing among ``came``, and nothing else.
    ``keys``: its levels by (sku, location), once somebody has paged through it; version 0 is left out.
    ``live``: cursors that have everything up to ``flushed``, the top of the order at the last flush.
    ``views``: those that derive from it.
    """

    __slots__ = (
        "base",
        "came",
        "flushed",
        "keys",
        "live",
        "name",
        "need",
        "order",
        "page_readers",
        "pages",
        "read",
        "seen",
        "shard",
        "views",
        "waiters",
        "watchers",
    )

    def __init__(self, name: AreaName, shard: int) -> None:
        self.name = name
        self.shard = shard
        self.order: SeqOrder[WatchedT] | None = None
        self.need = 0
        self.read = False
        self.pages = 0
        self.base = 0
        self.came: list[WatchedT] | None = None
        self.seen: set[WatchedT] = set()
        self.page_readers: dict[PageReader, None] = {}
        self.flushed = 0
        self.watchers = 0
        self.live: dict[LiveCursor, None] = {}
        self.waiters: dict[Waiter, None] = {}
        self.keys: list[tuple[str, str]] | None = None
        self.views: dict[AreaViews, None] = {}

    def take(self, level: WatchedT) -> None:
        """It has come, with a page. Once: where a page could not be had, all are read again from the first."""
        if self.came is not None and level not in self.seen:
            self.seen.add(level)
            self.came.append(level)


class WaitedFor(Protocol):
    """A level or an area."""

    waiters: dict[Waiter, None]


def call_waiters(waited_for: WaitedFor) -> None:
    """Tells everybody who waits for it, each once."""
    if not waited_for.waiters:
        return
    waiters, waited_for.waiters = waited_for.waiters, {}
    for waiter in waiters:
        waiter.arrived()
