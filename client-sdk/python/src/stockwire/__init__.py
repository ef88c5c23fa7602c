"""Stockwire's client: sell, receive and count stock, and see every change within milliseconds.

Start with `Client`, or with `AsyncClient` in a program on asyncio: the same vocabulary. What can go wrong stands in
`stockwire.errors`, all under `StockwireError`.

Each name is imported when it is first used: a program that sells once need not wait for what streams need.
"""

from typing import TYPE_CHECKING

from stockwire.exports import exports

if TYPE_CHECKING:
    from stockwire.asyncio.client import AsyncClient
    from stockwire.asyncio.subscription import AsyncSubscription
    from stockwire.availability import Availability
    from stockwire.catalogue import HoldLimits, Item, Location, PutResult
    from stockwire.errors import (
        BadToken,
        BelowReserved,
        ConfigurationError,
        Forbidden,
        HoldLimit,
        IdempotencyMismatch,
        InFlight,
        Invalid,
        Later,
        NotFound,
        OutcomeUnknown,
        OutOfStock,
        Overloaded,
        RateLimited,
        Refused,
        ReservationExpired,
        ReservationState,
        StockwireError,
        StreamRefused,
        TokenExpired,
        TooLarge,
        TransferState,
        Unauthorized,
        Unavailable,
        UnexpectedAnswer,
        VersionConflict,
    )
    from stockwire.frame import Position
    from stockwire.level import Level, LevelNumbers
    from stockwire.operation import (
        Count,
        Event,
        Line,
        Operation,
        OperationResult,
        Outcome,
        adjustment,
        receipt,
        returned,
        sale,
        write_off,
    )
    from stockwire.reservation import Reservation, ReservationLine, Wanted, held, held_from
    from stockwire.stream import (
        AvailabilityChanged,
        Freshness,
        LevelChanged,
        Reconnecting,
        Snapshot,
        StreamEvent,
        ThresholdCrossed,
    )
    from stockwire.sync.client import Client
    from stockwire.sync.subscription import Subscription
    from stockwire.threshold import AtLeast, AtMost, Threshold
    from stockwire.transfer import Transfer, TransferLine
    from stockwire.view import State, View

__version__ = "0.2.0.dev0"

__all__ = [
    "AsyncClient",
    "AsyncSubscription",
    "AtLeast",
    "AtMost",
    "Availability",
    "AvailabilityChanged",
    "BadToken",
    "BelowReserved",
    "Client",
    "ConfigurationError",
    "Count",
    "Event",
    "Forbidden",
    "Freshness",
    "HoldLimit",
    "HoldLimits",
    "IdempotencyMismatch",
    "InFlight",
    "Invalid",
    "Item",
    "Later",
    "Level",
    "LevelChanged",
    "LevelNumbers",
    "Line",
    "Location",
    "NotFound",
    "Operation",
    "OperationResult",
    "OutOfStock",
    "Outcome",
    "OutcomeUnknown",
    "Overloaded",
    "Position",
    "PutResult",
    "RateLimited",
    "Reconnecting",
    "Refused",
    "Reservation",
    "ReservationExpired",
    "ReservationLine",
    "ReservationState",
    "Snapshot",
    "State",
    "StockwireError",
    "StreamEvent",
    "StreamRefused",
    "Subscription",
    "Threshold",
    "ThresholdCrossed",
    "TokenExpired",
    "TooLarge",
    "Transfer",
    "TransferLine",
    "TransferState",
    "Unauthorized",
    "Unavailable",
    "UnexpectedAnswer",
    "VersionConflict",
    "View",
    "Wanted",
    "adjustment",
    "held",
    "held_from",
    "receipt",
    "returned",
    "sale",
    "write_off",
]

if not TYPE_CHECKING:  # else a misspelt name would be anything to a type checker
    __getattr__, __dir__ = exports(
        __name__,
        {
            "asyncio.client": "AsyncClient",
            "asyncio.subscription": "AsyncSubscription",
            "availability": "Availability",
            "catalogue": "HoldLimits Item Location PutResult",
            "errors": (
                "BadToken BelowReserved ConfigurationError Forbidden HoldLimit IdempotencyMismatch InFlight Invalid "
                "Later NotFound OutcomeUnknown OutOfStock Overloaded RateLimited Refused ReservationExpired "
                "ReservationState StockwireError StreamRefused TokenExpired TooLarge TransferState Unauthorized "
                "Unavailable UnexpectedAnswer VersionConflict"
            ),
            "frame": "Position",
            "level": "Level LevelNumbers",
            "operation": (
                "Count Event Line Operation OperationResult Outcome adjustment receipt returned sale write_off"
            ),
            "reservation": "Reservation ReservationLine Wanted held held_from",
            "stream": ("AvailabilityChanged Freshness LevelChanged Reconnecting Snapshot StreamEvent ThresholdCrossed"),
            "sync.client": "Client",
            "sync.subscription": "Subscription",
            "threshold": "AtLeast AtMost Threshold",
            "transfer": "Transfer TransferLine",
            "view": "State View",
        },
    )
