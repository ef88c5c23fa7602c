"""The words between us and a channel: what goes out and what came of it, what comes in, and what it allows. Pure.

What an adapter takes and gives (``followers.marketplaces.adapter``).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

REMOTE_CHARACTERS_MAX = 200
UNITS_MAX = 2**31 - 1
"""What is stored has 32 bits, here and in the ledger."""
DAY_S = 86_400.0

# What goes out


@dataclass(frozen=True, slots=True)
class Target:
    """A listing shall offer ``quantity`` units, 0 or more.

    ``remote``: the listing's id at the channel. ``expected``: what we believe stands there; None: unknown. Who can
    compare and set answers ``Stale`` where something else stands. ``key``: of this attempt, the same if it is repeated
    because its outcome is unknown. ``sent_today``: how often it was sent before on this day of the channel's
    (``Adapter.days``), by whatever process, answered or not; what was Throttled does not count. ``day_left_s``: until
    the next.
    """

    remote: str
    quantity: int
    expected: int | None
    key: str
    sent_today: int = 0
    day_left_s: float = DAY_S

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
    """Nothing was done; not before so many seconds. ``alone``: this listing only, others of the channel may go."""

    after_s: float
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may stand there or not: it is read back before anything is repeated."""

    reason: str


Outcome = Applied | Accepted | Stale | Refused | Throttled | Unknown


# What comes in


@dataclass(frozen=True, slots=True)
class Listing:
    """As it stands at the channel: ``quantity`` is what it offers; None: it keeps no count of this one.

    ``remote``: 1 to 200 characters, unique within the channel. ``sku``, ``barcode``: as somebody typed them there.
    ``quantity``: of 32 bits; below 0 where the channel says so.
    """

    remote: str
    quantity: int | None
    sku: str = ""
    barcode: str = ""
    title: str = ""

    def __post_init__(self) -> None:
        """Raises ValueError, which for an adapter means that the answer cannot be read."""
        if self.quantity is not None and not (isinstance(self.quantity, int) and abs(self.quantity) <= UNITS_MAX):
            raise ValueError(f"listing {self.remote!r} has {self.quantity!r} units: whole ones, {UNITS_MAX} at most")
        if not all(
            isinstance(one, str) and "\0" not in one for one in (self.remote, self.sku, self.barcode, self.title)
        ):
            raise ValueError(f"listing {self.remote!r} has what is no text: {self.sku!r}, {self.barcode!r}")
        if not 0 < len(self.remote) <= REMOTE_CHARACTERS_MAX:
            raise ValueError(f"a listing's id has {len(self.remote)} characters: 1 to {REMOTE_CHARACTERS_MAX}")


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
    """A page; ``cursor``: of the next, None behind the last. ``complete_until``: all that changed up to then is in the
    pages; None: up to when the first was asked for. Some channels search two minutes behind.
    """

    orders: Sequence[Order]
    cursor: str | None
    complete_until: datetime | None = None


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


_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


def without_nul(text: bytes) -> bytes:
    """JSON without the NUL characters that are escaped in its texts: PostgreSQL stores none."""
    return _NUL.sub(rb"\1", text) if b"\\u0000" in text else text
