"""What a ledger refuses, and why. Every error carries its numbers; ``wire.problems`` maps each type to its HTTP status.

LedgerError
├── Invalid                 field, reason
├── Unauthorized
├── Forbidden               scope
├── NotFound                field, value
├── Refusal                 decided on a level, stored under its key
│   ├── InsufficientStock   sku, location, available, requested
│   ├── VersionConflict     expected_version, level
│   └── BelowReserved       sku, location, on_hand, reserved
├── IdempotencyMismatch
├── TooLarge                bytes_max
├── UnsupportedEncoding     header, encoding
├── Misdirected             host
├── NotConfigured           setting
└── Later                   retry_after_s
    ├── IdempotencyInFlight
    ├── RateLimited         quota, window_s
    ├── Overloaded
    ├── OutcomeUnknown
    └── Unavailable
"""

from typing import Any, ClassVar

from server.rates.allowance import Policy

HOST_SHOWN_MAX = 256


class LedgerError(Exception):
    """``numbers`` stand beside type, title, status and detail in the problem document."""

    type: ClassVar[str]

    def __init__(self, detail: str, **numbers: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.numbers = numbers


class Invalid(LedgerError):
    """``status`` is 400 for what cannot be read at all, 422 for what can be read and is wrong."""

    type = "invalid"

    def __init__(self, field: str, reason: str, status: int = 422) -> None:
        super().__init__(f"{field}: {reason}", field=field, reason=reason)
        self.status = status


class Unauthorized(LedgerError):
    type = "unauthorized"


class Forbidden(LedgerError):
    type = "forbidden"

    def __init__(self, scope: str) -> None:
        super().__init__(f"this needs the scope {scope}", scope=scope)


class NotFound(LedgerError):
    type = "not-found"

    def __init__(self, field: str, value: str) -> None:
        super().__init__(f"there is no {field} {value}", field=field, value=value)


class Refusal(LedgerError):
    """True at the versions it was decided on, and stored: the same key gets the same refusal for ever.

    ``precondition``: the version came by If-Match, so the status is 412 instead of 409.
    ``replayed``: this is the stored answer.
    """

    precondition = False
    replayed = False


class InsufficientStock(Refusal):
    type = "insufficient-stock"

    def __init__(self, sku: str, location: str, available: int, requested: int) -> None:
        super().__init__(
            f"{requested} of {sku} at {location} requested, {available} available",
            sku=sku,
            location=location,
            available=available,
            requested=requested,
        )


class VersionConflict(Refusal):
    """``level``: the fields of a level as clients read it."""

    type = "version-conflict"

    def __init__(self, expected_version: int, level: dict[str, Any], *, precondition: bool = False) -> None:
        super().__init__(
            f"{level['sku']} at {level['location']} is at version {level['version']}, not {expected_version}",
            expected_version=expected_version,
            level=level,
        )
        self.precondition = precondition


class BelowReserved(Refusal):
    type = "below-reserved"

    def __init__(self, sku: str, location: str, on_hand: int, reserved: int) -> None:
        super().__init__(
            f"a count of {on_hand} of {sku} at {location} is below the {reserved} reserved",
            sku=sku,
            location=location,
            on_hand=on_hand,
            reserved=reserved,
        )


class IdempotencyMismatch(LedgerError):
    type = "idempotency-mismatch"


class TooLarge(LedgerError):
    type = "too-large"

    def __init__(self, bytes_max: int) -> None:
        super().__init__(f"the body may have at most {bytes_max} bytes", bytes_max=bytes_max)


class UnsupportedEncoding(LedgerError):
    """415 for a ``Content-Encoding`` (RFC 9110, 15.5.16), 501 for a ``Transfer-Encoding`` (RFC 9112, 6.1)."""

    type = "unsupported-encoding"

    def __init__(self, header: str, encoding: str) -> None:
        super().__init__(f"{header}: {encoding} is not taken, send the body as it is", header=header, encoding=encoding)
        self.status = 415 if header == "Content-Encoding" else 501


class Misdirected(LedgerError):
    """``Host`` names somebody else: a page that had its name pointed here, or a proxy that is not ours."""

    type = "misdirected"

    def __init__(self, host: str) -> None:
        super().__init__("STOCKWIRE_ALLOWED_HOSTS does not name this host", host=host[:HOST_SHOWN_MAX])


class NotConfigured(LedgerError):
    type = "not-configured"

    def __init__(self, setting: str, detail: str) -> None:
        super().__init__(f"{detail}: {setting} is not set", setting=setting)


class Later(LedgerError):
    """Nothing is wrong with the request: the same one, with the same key, may be sent again."""

    def __init__(self, detail: str, retry_after_s: int = 1, **numbers: Any) -> None:
        super().__init__(detail, retry_after_s=retry_after_s, **numbers)
        self.retry_after_s = retry_after_s


class IdempotencyInFlight(Later):
    type = "idempotency-in-flight"


class RateLimited(Later):
    type = "rate-limited"

    def __init__(self, owner: str, retry_after_s: int, policy: Policy) -> None:
        quota, window_s = policy.quota, policy.window_s
        super().__init__(
            f"{owner} may send {quota} requests in {window_s} s", retry_after_s, quota=quota, window_s=window_s
        )


class Overloaded(Later):
    type = "overloaded"


class OutcomeUnknown(Later):
    type = "outcome-unknown"


class Unavailable(Later):
    type = "unavailable"


REFUSALS: dict[str, type[Refusal]] = {kind.type: kind for kind in (InsufficientStock, VersionConflict, BelowReserved)}


def refusal_as_stored(refusal: Refusal) -> dict[str, Any]:
    return {"type": refusal.type, "numbers": refusal.numbers, "precondition": refusal.precondition}


def refusal_from_stored(stored: dict[str, Any]) -> Refusal:
    """The refusal again, with its numbers of then."""
    kind = REFUSALS[stored["type"]]
    if kind is VersionConflict:
        return VersionConflict(**stored["numbers"], precondition=stored["precondition"])
    return kind(**stored["numbers"])
