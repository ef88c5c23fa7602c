"""What a hub holds of the stock: single levels, and ranges of them. Pure data; ``levels`` keeps it in step."""

from typing import TYPE_CHECKING, Protocol

from hub.order import SeqOrder
from wire.messages import LevelState

if TYPE_CHECKING:
    from hub.session import Session
    from hub.subscription import Cursor

RangeName = str | int
"""A location, or a shard with all its locations."""


class Waiter(Protocol):
    """Waits for a level's first state or for a range: ``arrived`` is called once, also when a range cannot be had."""

    def arrived(self) -> None: ...


class Held:
    """One level. ``state`` is None until it was loaded or an event brought it; ``seq`` is its state's (0: no event).

    ``watchers``: sessions that subscribe to this very level, with the number of their subscriptions to it.
    ``waiters`` are called once, when the state has come.
    """

    __slots__ = ("dirty", "location", "seq", "sku", "state", "waiters", "watchers")

    def __init__(self, location: str, sku: str) -> None:
        self.location = location
        self.sku = sku
        self.state: LevelState | None = None
        self.seq = 0
        self.dirty = False
        self.watchers: dict[Session, int] = {}
        self.waiters: dict[Waiter, None] = {}


class Range:
    """All levels of a location or shard. ``order`` is None until it is complete.

    Complete means: every page was read (``pages`` counts them), and the hub has applied every event up to the newest
    head among the pages (``need``). From then on events arrive in order behind everything it has, so a cursor is never
    overtaken.
    ``keys``: its levels by (location, sku), once somebody has paged through it; version 0 is left out.
    ``live``: cursors that have everything up to ``flushed``, the top of the order at the last flush.
    """

    __slots__ = ("flushed", "keys", "live", "name", "need", "order", "pages", "read", "shard", "waiters", "watchers")

    def __init__(self, name: RangeName, shard: int) -> None:
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


def call(waited_for: Held | Range) -> None:
    waiters, waited_for.waiters = waited_for.waiters, {}
    for waiter in waiters:
        waiter.arrived()
