"""What a channel is to us: the few things that an adapter does for one vendor.

An adapter translates. It keeps nothing, repeats nothing and decides nothing: when to push what, what to do with an
order and whether to ask again is decided outside, for all vendors alike. Everything it asks goes through its
``Remote``, which counts quotas, bounds answers and knows deadlines. All that it needs can be imported from here.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timezone
from typing import ClassVar

from followers.marketplaces.errors import AccessRefused, NoticeRefused, RemoteAway, SettingRefused
from followers.marketplaces.remote import Answer, Remote
from followers.marketplaces.terms import (
    Accepted,
    Applied,
    Check,
    Listing,
    Listings,
    Notice,
    Order,
    OrderLine,
    Orders,
    OrderState,
    Outcome,
    Quota,
    Received,
    Refused,
    Stale,
    Target,
    Throttled,
    Unknown,
)

__all__ = [
    "Accepted",
    "AccessRefused",
    "Adapter",
    "Answer",
    "Applied",
    "Check",
    "Listing",
    "Listings",
    "Notice",
    "NoticeRefused",
    "Order",
    "OrderLine",
    "OrderState",
    "Orders",
    "Outcome",
    "Quota",
    "Received",
    "Refused",
    "Remote",
    "RemoteAway",
    "SettingRefused",
    "Stale",
    "Target",
    "Throttled",
    "Unknown",
]


NOTICES_URL = "notices_url"
"""Among the settings, though nobody sets it there: some channels ask whoever answers at an address whether it is so."""


class Adapter(ABC):
    """One channel of one vendor. Made anew whenever its settings change; methods may run at the same time.

    All methods but ``receive`` may raise RemoteAway, and are bounded by the deadline of ``remote``.
    """

    settings: ClassVar[Mapping[str, str]] = {}
    """Names of what a channel of this vendor must say, with a sentence each; shown as they are."""
    optional: ClassVar[Mapping[str, str]] = {}
    """What it may say."""
    credentials: ClassVar[Mapping[str, str]] = {}
    """Names of what is sealed and never shown again, with a sentence each."""
    optional_credentials: ClassVar[Mapping[str, str]] = {}
    """What may be sealed beside them."""
    quotas: ClassVar[Sequence[Quota]] = ()
    batch: ClassVar[int] = 1
    """Targets of one push at most."""
    bulk: ClassVar[int] = 0
    """Targets of one ``push_many`` at most."""
    days: ClassVar[timezone] = UTC
    """Its days begin at midnight there: ``Target.sent_today`` counts by them."""
    compares: ClassVar[bool] = False
    """Whether ``push`` compares with ``expected`` and sets in one step. Without, raises wait for an order poll."""

    @abstractmethod
    def __init__(self, settings: Mapping[str, str], credentials: Mapping[str, str], remote: Remote) -> None:
        """All required names are there, and NOTICES_URL, where the channel sends notices to us: the same in all
        processes. Raises SettingRefused for a value that cannot work; asks nothing yet."""

    @abstractmethod
    async def push(self, targets: Sequence[Target]) -> Sequence[Outcome]:
        """1 to ``batch`` targets of different listings; an outcome for each, in their order."""

    @property
    def bulk_from(self) -> int | None:
        """From so many raises on that are due at once, they go by ``push_many``; None: not now, or never."""
        return None

    async def push_many(self, targets: Sequence[Target]) -> Sequence[Outcome]:
        """As ``push``, by a way of the channel's for many at once, which may be slow. What it has under way must not
        undo a later ``push`` of the same listing: that may come at any time."""
        raise NotImplementedError

    @abstractmethod
    async def levels(self, cursor: str | None) -> Listings:
        """All listings of the channel, a page at a time."""

    @abstractmethod
    async def read(self, remotes: Sequence[str]) -> Sequence[Listing]:
        """Some of them, 1 to ``batch``, as they stand now; those that are missing there are left out."""

    @abstractmethod
    async def orders(self, since: datetime, cursor: str | None) -> Orders:
        """All that changed at ``since`` or later, cancelled ones too; a page at a time."""

    @property
    def polls_apart_s(self) -> float:
        """From one poll of all orders to the next at least, however much waits for one: where a quota is small, or a
        search is behind, asking again at once tells nothing new."""
        return 0.0

    @abstractmethod
    async def order(self, identifier: str) -> Order | None:
        """One, whole; None if the channel has none of that id."""

    @abstractmethod
    async def receive(self, notice: Notice) -> Received:
        """Verifies it, then says what is in it. Fast: the sender waits. Raises NoticeRefused; RemoteAway only where a
        key to verify with must be fetched first (then the sender is answered 503, and sends it again)."""

    @abstractmethod
    async def check(self, notices_url: str | None) -> Check:
        """Looks whether credentials and settings work, and makes what is missing: subscriptions to ``notices_url``
        above all; None: nobody can reach us, so orders are polled only."""

    async def pull(self) -> Sequence[Notice]:
        """Notices that lie in a queue of the channel's for us, if it has one; waits a few seconds for a first one."""
        return ()

    async def pulled(self, notices: Sequence[Notice]) -> None:  # noqa: B027 - most channels have no queue
        """They are stored: the queue may forget them. What is not told in time comes again."""
