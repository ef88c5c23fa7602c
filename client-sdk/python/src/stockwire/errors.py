"""What can go wrong, and the numbers of it.

    StockwireError                  key
    ├── ConfigurationError          no URL or key known: the message says the fix
    ├── Invalid                     field, reason: this request can never succeed
    │   ├── IdempotencyMismatch     the key was used before with another request
    │   └── TooLarge                bytes_max
    ├── Unauthorized                no valid key or token
    │   └── BadToken                a hub turned the token down
    │       └── TokenExpired
    ├── Forbidden                   scope
    ├── NotFound                    field, value
    ├── Refused                     decided on a level and remembered: the same key gets the same refusal for ever;
    │   │                           itself, if a later ledger says why in a type that is not known here
    │   ├── OutOfStock              sku, location, requested, available, locations
    │   ├── VersionConflict         expected_version, current
    │   ├── BelowReserved           sku, location, on_hand, reserved
    │   ├── ReservationState        reservation, state, asked, reason, sku, location, quantity, possible
    │   ├── ReservationExpired      reservation, expires_at, sku, location, available, requested
    │   ├── TransferState           transfer, state, asked, reason, sku, quantity, possible
    │   └── HoldLimit               limit, allowed, held, requested, customer, owner, sku, location; the one that is not
    │                               remembered: the same key may be sent again once less is held
    ├── Later                       retry_after_s: the same request with the same key may be sent again
    │   ├── RateLimited
    │   ├── Overloaded
    │   ├── InFlight                the same key is being worked on elsewhere
    │   ├── Unavailable             nobody there, or the database is away; nothing was written by this call
    │   └── OutcomeUnknown          it may have been written: ask again with the same key
    ├── StreamRefused               code, reason: a hub ended the stream for good
    └── UnexpectedAnswer            status: the answer is none of Stockwire's

``key`` is the Idempotency-Key of the call that failed (None for calls without one). Giving it to the same call again,
even from another process and after days, has no second effect.
"""

from collections.abc import Mapping
from datetime import datetime

from stockwire.level import LevelNumbers


class StockwireError(Exception):
    """Root of everything this package raises on purpose."""

    key: str | None = None


class ConfigurationError(StockwireError):
    pass


class Invalid(StockwireError):
    """``field``: path of what is wrong, such as ``lines[2].quantity``."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class IdempotencyMismatch(Invalid):
    pass


class TooLarge(Invalid):
    def __init__(self, bytes_max: int | None) -> None:
        super().__init__("body", f"at most {bytes_max} bytes are taken" if bytes_max else "larger than is taken")
        self.bytes_max = bytes_max


class Unauthorized(StockwireError):
    pass


class BadToken(Unauthorized):
    pass


class TokenExpired(BadToken):
    pass


class Forbidden(StockwireError):
    """``scope``: what the key or token lacks; None where the server does not say."""

    def __init__(self, message: str, scope: str | None = None) -> None:
        super().__init__(message)
        self.scope = scope


class NotFound(StockwireError):
    """``field``: ``sku``, ``location`` or another noun of the API; ``value``: what was asked for."""

    def __init__(self, message: str, field: str | None = None, value: str | None = None) -> None:
        super().__init__(message)
        self.field = field
        self.value = value


class Refused(StockwireError):
    pass


class OutOfStock(Refused):
    """Quantities in units. ``available`` may be less than ``requested`` or as little as 0; nothing was taken.

    ``locations``: what is available at each, where a line of a reservation named several, else empty. ``location`` is
    then the first of them, and ``available`` the most that the line could have had.
    """

    def __init__(
        self, sku: str, location: str, requested: int, available: int, locations: Mapping[str, int] | None = None
    ) -> None:
        where = " or ".join(locations) if locations else location
        super().__init__(f"{requested} of {sku} at {where} requested, {available} available")
        self.sku = sku
        self.location = location
        self.requested = requested
        self.available = available
        self.locations = dict(locations or {})


class VersionConflict(Refused):
    """``current``: the level as it stood when the request was decided."""

    def __init__(self, expected_version: int, current: LevelNumbers) -> None:
        super().__init__(f"{current.sku} at {current.location} is at version {current.version}, not {expected_version}")
        self.expected_version = expected_version
        self.current = current


class BelowReserved(Refused):
    """``on_hand``: the units counted; ``reserved``: the units promised to somebody."""

    def __init__(self, sku: str, location: str, on_hand: int, reserved: int) -> None:
        super().__init__(f"a count of {on_hand} of {sku} at {location} is below the {reserved} reserved")
        self.sku = sku
        self.location = location
        self.on_hand = on_hand
        self.reserved = reserved


class ReservationState(Refused):
    """``state``: the one that the reservation is in, which does not allow what was ``asked``: commit, fulfil, cancel,
    extend or change.

    ``sku``, ``location``, ``quantity`` and ``possible``: of a line of which more units were named than it can be done
    with; else None.
    """

    def __init__(
        self,
        reservation: str,
        state: str,
        asked: str,
        reason: str,
        sku: str | None = None,
        location: str | None = None,
        quantity: int | None = None,
        possible: int | None = None,
    ) -> None:
        super().__init__(f"reservation {reservation} is {state}: {reason}")
        self.reservation = reservation
        self.state = state
        self.asked = asked
        self.reason = reason
        self.sku = sku
        self.location = location
        self.quantity = quantity
        self.possible = possible


class ReservationExpired(Refused):
    """Its units were let go of at ``expires_at``.

    ``sku``, ``location``, ``available`` and ``requested``: of the line that was to be committed all the same and of
    which too little is left; else None.
    """

    def __init__(
        self,
        reservation: str,
        expires_at: datetime,
        sku: str | None = None,
        location: str | None = None,
        available: int | None = None,
        requested: int | None = None,
    ) -> None:
        left = "" if sku is None else f": {requested} of {sku} at {location} needed, {available} available"
        super().__init__(f"reservation {reservation} expired at {expires_at:%Y-%m-%d %H:%M:%S}{left}")
        self.reservation = reservation
        self.expires_at = expires_at
        self.sku = sku
        self.location = location
        self.available = available
        self.requested = requested


class TransferState(Refused):
    """Fewer units of the transfer are in transit than were ``asked`` for: receive, return or close.

    ``sku``, ``quantity`` and ``possible``: of a line of which more units were named than are in transit; else None.
    """

    def __init__(
        self,
        transfer: str,
        state: str,
        asked: str,
        reason: str,
        sku: str | None = None,
        quantity: int | None = None,
        possible: int | None = None,
    ) -> None:
        super().__init__(f"transfer {transfer} is {state}: {reason}")
        self.transfer = transfer
        self.state = state
        self.asked = asked
        self.reason = reason
        self.sku = sku
        self.quantity = quantity
        self.possible = possible


class HoldLimit(Refused):
    """A limit against hoarding: no stock is missing. Not remembered: the same key may be sent again once less is held.

    ``limit``: its name; ``allowed``: at most so many; ``held``: so many are; ``requested``: so many more were asked
    for. ``customer``, ``owner``, ``sku`` and ``location``: what it is a limit of, else None.
    """

    def __init__(
        self,
        message: str,
        limit: str,
        allowed: int,
        held: int,
        requested: int,
        customer: str | None = None,
        owner: str | None = None,
        sku: str | None = None,
        location: str | None = None,
    ) -> None:
        super().__init__(message)
        self.limit = limit
        self.allowed = allowed
        self.held = held
        self.requested = requested
        self.customer = customer
        self.owner = owner
        self.sku = sku
        self.location = location


class Later(StockwireError):
    """``retry_after_s``: how long the server asked to wait, in seconds; None where it did not say."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RateLimited(Later):
    pass


class Overloaded(Later):
    pass


class InFlight(Later):
    pass


class Unavailable(Later):
    pass


class OutcomeUnknown(Later):
    pass


class StreamRefused(StockwireError):
    """``code``: the WebSocket close code (None if the hub answered with an error message instead)."""

    def __init__(self, reason: str, code: int | None = None) -> None:
        super().__init__(reason if code is None else f"{reason} (close code {code})")
        self.code = code
        self.reason = reason


class UnexpectedAnswer(StockwireError):
    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
