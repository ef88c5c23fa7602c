"""An order: its states, and what its journal keeps of it. Pure.

    reserving ──► reserved ──► charging ──► charged ──► committed ──► fulfilled
        │            │          │    ▲         │            │
        │            │          ▼    │         ▼            │
        │            │       unresolved   charged-without-stock
        ▼            ▼          ▼              ▼            ▼
     refused     cancelling ◄───┴──────────────┴────────────┘
                     ├──► declined, expired, cancelled          nothing was taken
                     └──► refunding ──► refunded                what was taken went back

A state says what is known for certain, and with it what may be under way: in ``charging`` the provider may have been
asked, in ``charged`` the ledger may have been.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, cast

import orjson

from stockwire.errors import StockwireError
from stockwire.orders.journal import JournalError
from stockwire.reservation import Wanted


class OrderState(StrEnum):
    RESERVING = "reserving"
    RESERVED = "reserved"
    CHARGING = "charging"
    UNRESOLVED = "unresolved"
    CHARGED = "charged"
    COMMITTED = "committed"
    FULFILLED = "fulfilled"
    CHARGED_WITHOUT_STOCK = "charged-without-stock"
    CANCELLING = "cancelling"
    REFUNDING = "refunding"
    REFUSED = "refused"
    DECLINED = "declined"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


HOLD_S = 900
"""What a ledger holds for if it is not told how long, unless it or an item allows less."""
ENDED = frozenset(
    {
        *(OrderState.COMMITTED, OrderState.FULFILLED, OrderState.REFUSED, OrderState.DECLINED),
        *(OrderState.EXPIRED, OrderState.CANCELLED, OrderState.REFUNDED),
    }
)
"""Nothing is left to do by itself: neither units nor money wait for anybody."""


@dataclass(frozen=True, slots=True)
class Shortage:
    """Units that were ``requested`` of a sku at a location, and how many were ``available``.

    ``locations``: what was available at each, where a line named several, else empty; as of `OutOfStock`.
    """

    sku: str
    location: str
    requested: int
    available: int
    locations: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit against hoarding that was in the way, with the numbers of `HoldLimit`. No stock was missing."""

    limit: str
    allowed: int
    held: int
    requested: int
    customer: str | None = None
    owner: str | None = None
    sku: str | None = None
    location: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """An order as its journal has it. Times are seconds since 1970, by the journal's clock.

    ``ttl_s``: None: as the ledger has it. ``hold_s``: for how long its hold was made. ``goal``: how far whoever resumes
    it takes it. ``data``: the caller's own. ``reservation``: the id of its hold, which has ended at ``held_until_s`` if
    nobody extends it; up to ``sure_until_s`` a charge may begin. ``charging_at_s``, ``asked_at_s``: when the provider
    was asked for the first and for the last time. ``commits``: how many times the stock was asked for, each under a key
    of its own. ``ending``: what becomes of it once the hold is let go of. ``reason``, ``shortage`` and ``limit``: why
    it came to no sale.
    """

    key: str
    lines: tuple[Wanted, ...]
    ttl_s: int | None = None
    customer: str | None = None
    reference: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])
    state: OrderState = OrderState.RESERVING
    goal: OrderState = OrderState.RESERVED
    reservation: str | None = None
    hold_s: int | None = None
    held_until_s: float | None = None
    sure_until_s: float | None = None
    charge: str | None = None
    refund: str | None = None
    charging_at_s: float | None = None
    asked_at_s: float | None = None
    commits: int = 1
    ending: OrderState | None = None
    reason: str | None = None
    shortage: Shortage | None = None
    limit: Limit | None = None

    @property
    def is_open(self) -> bool:
        """Whether something is left to do for it: also if it is sold, and somebody has begun to send it."""
        sending = self.state is OrderState.COMMITTED and self.goal is OrderState.FULFILLED
        return sending or self.state not in ENDED

    @property
    def lasts_s(self) -> int:
        """How long it is held at a time."""
        return self.hold_s or self.ttl_s or HOLD_S

    @property
    def charge_key(self) -> str:
        """For the provider, however often it is asked: what it charges under one key, it charges once."""
        return f"{self.key}/charge"

    @property
    def refund_key(self) -> str:
        return f"{self.key}/refund"

    def asks_for(self) -> str:
        """What the caller wants, in one text: the same key stands for the same."""
        wanted = {"lines": _lines(self.lines), "data": self.data, "ttl_s": self.ttl_s}
        said = {**wanted, "customer": self.customer, "reference": self.reference}
        return orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode()

    def document(self) -> str:
        """All of it but the key, as JSON."""
        said: dict[str, Any] = {name: getattr(self, name) for name in _FIELDS}
        said["lines"] = _lines(self.lines)
        return orjson.dumps({name: value for name, value in said.items() if value is not None}).decode()

    @classmethod
    def read(cls, key: str, document: str) -> "Order":
        """Raises JournalError."""
        try:
            return cls._read(key, document)
        except (ValueError, TypeError, KeyError) as error:
            raise JournalError(f"order {key} cannot be read, perhaps a later release wrote it: {error!r}") from error

    @classmethod
    def _read(cls, key: str, document: str) -> "Order":
        said = cast(dict[str, Any], orjson.loads(document))
        known = {name: said[name] for name in _FIELDS if name in said}
        for name in _STATES & known.keys():
            known[name] = OrderState(known[name])
        known["lines"] = tuple(
            Wanted(line["sku"], tuple(line["locations"]), line["quantity"], line["split"]) for line in said["lines"]
        )
        if "shortage" in known:
            known["shortage"] = Shortage(**known["shortage"])
        if "limit" in known:
            known["limit"] = Limit(**known["limit"])
        return cls(key, **known)


_FIELDS = [name for name in Order.__dataclass_fields__ if name != "key"]
_STATES = {"state", "goal", "ending"}


def _lines(lines: tuple[Wanted, ...]) -> list[dict[str, Any]]:
    return [
        {"sku": line.sku, "locations": line.locations, "quantity": line.quantity, "split": line.split} for line in lines
    ]


class Declined(StockwireError):
    """Raised by a ``charge`` function: the provider said no. Nothing was taken, nor will be under this key."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
