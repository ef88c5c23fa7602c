"""What a hub holds of the stock: single levels, what is derived from them, and areas of either. Pure data.

``levels`` and ``views`` keep it in step.
"""

from typing import TYPE_CHECKING, NamedTuple, Protocol

from hub.order import SeqOrder
from wire.messages import LevelState, ThresholdState, ViewState

if TYPE_CHECKING:
    from hub.session import Session
    from hub.subscription import Cursor
    from hub.views import Views

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


class Held:
    """One level. ``state`` is None until it was loaded or an event brought it; ``seq`` is its state's (0: no event).

    ``watchers``: sessions that subscribe to this very level, with the number of their subscriptions to it.
    ``waiters`` are called once, when the state has come. ``view_version``: see ``wire.messages.Event``.
    ``derived``: what somebody watches of it besides; as long as there is any it stays.
    """

    __slots__ = ("derived", "dirty", "location", "seq", "sku", "state", "view_version", "waiters", "watchers")

    state: LevelState | None

    def __init__(self, location: str, sku: str) -> None:
        self.location = location
        self.sku = sku
        self.state = None
        self.seq = 0
        self.view_version = 0
        self.derived: tuple[Derived, ...] = ()
        self.dirty = False
        self.watchers: dict[Session, int] = {}
        self.waiters: dict[Waiter, None] = {}


class Derived:
    """What is seen of ``source``. ``seq``: of its event that changed this last. The rest as in ``Held``."""

    __slots__ = ("dirty", "location", "seq", "sku", "source", "state", "views", "waiters", "watchers")

    def __init__(self, source: Held, views: "Views") -> None:
        self.source = source
        self.views = views
        self.location = source.location
        self.sku = source.sku
        self.state: ViewState | ThresholdState | None = None
        self.seq = 0
        self.dirty = False
        self.watchers: dict[Session, int] = {}
        self.waiters: dict[Waiter, None] = {}

    @property
    def shard(self) -> int:
        assert self.source.state is not None
        return self.source.state.shard


Watched = Held | Derived


class Area:
    """All levels of a location or shard, or what is derived from them in one way. ``order`` is None until complete.

    Complete means: every page was read (``pages`` counts them), and the hub has applied every event up to the newest
    head among the pages (``need``). From then on events arrive in order behind everything it has, so a cursor is never
    overtaken.
    ``keys``: its levels by (sku, location), once somebody has paged through it; version 0 is left out.
    ``live``: cursors that have everything up to ``flushed``, the top of the order at the last flush.
    ``views``: those that derive from it.
    """

    __slots__ = (
        "flushed",
        "keys",
        "live",
        "name",
        "need",
        "order",
        "pages",
        "read",
        "shard",
        "views",
        "waiters",
        "watchers",
    )

    def __init__(self, name: AreaName, shard: int) -> None:
        self.name = name
        self.shard = shard
        self.order: SeqOrder | None = None
        self.need = 0
        self.read = False
        self.pages = 0
        self.flushed = 0
        self.watchers = 0
        self.live: dict[Cursor, None] = {}
        self.waiters: dict[Waiter, None] = {}
        self.keys: list[tuple[str, str]] | None = None
        self.views: dict[Views, None] = {}


def call_waiters(waited_for: Watched | Area) -> None:
    waiters, waited_for.waiters = waited_for.waiters, {}
    for waiter in waiters:
        waiter.arrived()
