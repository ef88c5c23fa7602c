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
    │   ├── OutOfStock              sku, location, requested, available
    │   ├── VersionConflict         expected_version, current
    │   └── BelowReserved           sku, location, on_hand, reserved
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
    """Quantities in units. ``available`` may be less than ``requested`` or as little as 0; nothing was taken."""

    def __init__(self, sku: str, location: str, requested: int, available: int) -> None:
        super().__init__(f"{requested} of {sku} at {location} requested, {available} available")
        self.sku = sku
        self.location = location
        self.requested = requested
        self.available = available


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
