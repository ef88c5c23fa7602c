"""What a channel is to us: the few things that an adapter does for one vendor, and the words for what came of them.

An adapter translates. It keeps nothing, repeats nothing and decides nothing: when to push what, what to do with an
order and whether to ask again is decided outside, for all vendors alike. Everything it asks goes through its
``Remote``, which counts quotas, bounds answers and knows deadlines.

RemoteAway        no answer, or none that can be understood; what was asked may have been done
NoticeRefused     what came in is not from the channel
SettingRefused    the channel cannot work with this setting
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from followers.marketplaces.remote import Remote


class RemoteAway(Exception):
    """The message says why in a few words. Whoever pushed takes the outcome of every target as ``Unknown``."""


class AccessRefused(RemoteAway):
    """The channel takes our credentials no more: it stops until they are renewed."""


class NoticeRefused(Exception):
    """It is answered with 401 and forgotten."""


class SettingRefused(Exception):
    """``name``: of the setting or credential. The message says the fix."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


# What goes out


@dataclass(frozen=True, slots=True)
class Target:
    """A listing shall offer ``quantity`` units, 0 or more.

    ``remote``: the listing's id at the channel. ``expected``: what we believe stands there; None: unknown. Who can
    compare and set answers ``Stale`` where something else stands. ``key``: of this attempt, the same if it is repeated
    because its outcome is unknown.
    """

    remote: str
    quantity: int
    expected: int | None
    key: str

    @property
    def is_urgent(self) -> bool:
        """Nothing may be sold any more."""
        return self.quantity == 0


@dataclass(frozen=True, slots=True)
class Applied:
    """It stands there now."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """It was taken, and may be applied later or not at all: it is read back after ``read_after_s``."""

    read_after_s: float


@dataclass(frozen=True, slots=True)
class Stale:
    """Something else than ``expected`` stands there: orders are fetched, it is read and computed again."""


@dataclass(frozen=True, slots=True)
class Refused:
    """For good, in the channel's words: asking again with the same would meet the same."""

    reason: str


@dataclass(frozen=True, slots=True)
class Throttled:
    """Nothing was done; not before so many seconds."""

    after_s: float


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may stand there or not: it is read back before anything is repeated."""

    reason: str


Outcome = Applied | Accepted | Stale | Refused | Throttled | Unknown


# What comes in


@dataclass(frozen=True, slots=True)
class Listing:
    """As it stands at the channel: ``quantity`` is what it offers; None: it keeps no count of this one.

    ``remote``: at most 200 characters, unique within the channel. ``sku``, ``barcode``: as somebody typed them there.
    """

    remote: str
    quantity: int | None
    sku: str = ""
    barcode: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Listings:
    """A page; ``cursor``: of the next, None behind the last."""

    listings: Sequence[Listing]
    cursor: str | None


OrderState = Literal["unpaid", "paid", "cancelled"]
"""``unpaid``: not to be sold to others yet. What was refunded and put back is gone from the lines of a paid order."""


@dataclass(frozen=True, slots=True)
class OrderLine:
    """``quantity``: units that the order takes now, after edits and refunds that put back; above 0."""

    remote: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Order:
    """The whole of it as it is by ``updated_at``, the channel's clock: who knows a newer one forgets this.

    ``id``: at most 100 characters. ``number``: what buyer and clerk call it. A cancelled order may have no lines.
    """

    id: str
    state: OrderState
    lines: Sequence[OrderLine]
    placed_at: datetime
    updated_at: datetime
    number: str = ""


@dataclass(frozen=True, slots=True)
class Orders:
    """A page, oldest change first; ``cursor``: of the next, None behind the last."""

    orders: Sequence[Order]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Notice:
    """As it came in: names of ``headers`` in lower case, ``body`` raw, ``query`` of its address."""

    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Received:
    """What a verified notice says. ``id``: the channel's own, the same if it is sent again.

    ``orders``: whole ones. ``changed_orders``: ids of those that are to be fetched. ``levels``: what stands there now,
    which may be the echo of what we sent. ``answer``: what the sender wants back (a challenge); empty otherwise.
    """

    id: str
    orders: Sequence[Order] = ()
    changed_orders: Sequence[str] = ()
    levels: Sequence[Listing] = ()
    answer: bytes = b""
    answer_type: str = "text/plain"


# The channel itself


@dataclass(frozen=True, slots=True)
class Quota:
    """A token bucket of the channel: ``burst`` at once, ``per_s`` from then on; both from the vendor's documentation.

    ``kept``: the share of ``burst`` that only what is urgent may take: orders and zeros.
    """

    name: str
    burst: float
    per_s: float
    kept: float = 0.2


@dataclass(frozen=True, slots=True)
class Check:
    """How the channel is set up: ``findings`` are sentences for ``doctor``, each with its fix; none: all is well."""

    findings: Sequence[str] = ()


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
    quotas: ClassVar[Sequence[Quota]] = ()
    batch: ClassVar[int] = 1
    """Targets of one push at most."""
    compares: ClassVar[bool] = False
    """Whether ``push`` compares with ``expected`` and sets in one step. Without, raises wait for an order poll."""

    @abstractmethod
    def __init__(self, settings: Mapping[str, str], credentials: Mapping[str, str], remote: "Remote") -> None:
        """All required names are there. Raises SettingRefused for a value that cannot work; asks nothing yet."""

    @abstractmethod
    async def push(self, targets: Sequence[Target]) -> Sequence[Outcome]:
        """1 to ``batch`` targets of different listings; an outcome for each, in their order."""

    @abstractmethod
    async def levels(self, cursor: str | None) -> Listings:
        """All listings of the channel, a page at a time."""

    @abstractmethod
    async def read(self, remotes: Sequence[str]) -> Sequence[Listing]:
        """Some of them, 1 to ``batch``, as they stand now; those that are missing there are left out."""

    @abstractmethod
    async def orders(self, since: datetime, cursor: str | None) -> Orders:
        """All that changed at ``since`` or later, cancelled ones too; a page at a time."""

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
