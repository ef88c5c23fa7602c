"""What a ledger refuses beside what every process does (``server.problems``). Every error carries its numbers.

Problem
├── Refusal                 decided on a level, stored under its key
│   ├── InsufficientStock   sku, location, available, requested
│   ├── VersionConflict     expected_version, level
│   ├── BelowReserved       sku, location, on_hand, reserved
│   ├── ReservationState    reservation, state, asked
│   ├── ReservationExpired  reservation, expires_at, sku, location, available, requested
│   └── TransferState       transfer, state, asked, reason, sku, quantity, possible
├── ReservationLimit        limit, allowed, held, requested, and whose
├── IdempotencyMismatch
├── NotConfigured           setting
└── Later                   retry_after_s
    ├── IdempotencyInFlight
    └── OutcomeUnknown
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from server.problems import Later, Problem

REPLAYED = {"Idempotency-Replayed": "true"}
"""On every answer that was stored when its key was first used."""


class Refusal(Problem):
    """True at the versions it was decided on, and stored: the same key gets the same refusal for ever.

    ``precondition``: the version came by If-Match, so the status is 412 instead of 409.
    ``replayed``: this is the stored answer.
    """

    precondition = False
    replayed = False

    @property
    def status(self) -> int:
        return int(HTTPStatus.PRECONDITION_FAILED) if self.precondition else super().status

    @property
    def headers(self) -> Mapping[str, str]:
        return REPLAYED if self.replayed else {}


class InsufficientStock(Refusal):
    type = "insufficient-stock"

    """``locations``: what is available where, if several were asked for; then ``available`` is what could be had."""

    def __init__(
        self, sku: str, location: str, available: int, requested: int, locations: Mapping[str, int] | None = None
    ) -> None:
        where = location if locations is None else " or ".join(locations)
        super().__init__(
            f"{requested} of {sku} at {where} requested, {available} available",
            sku=sku,
            location=location,
            available=available,
            requested=requested,
            **({} if locations is None else {"locations": dict(locations)}),
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


class ReservationState(Refusal):
    """The state that a hold is in does not allow what was asked of it. ``asked``: commit, fulfil, cancel, extend or
    change. Of a line that has too few units of the kind: its level, and how many.
    """

    type = "reservation-state"

    def __init__(self, reservation: str, state: str, asked: str, reason: str, **line: Any) -> None:
        super().__init__(
            f"reservation {reservation} is {state}: {reason}",
            reservation=reservation,
            state=state,
            asked=asked,
            reason=reason,
            **line,
        )


class ReservationExpired(Refusal):
    """The hold's time is over. Where its units were needed again and are not all there, their level says how many are
    ``available``, and how many were ``requested``.
    """

    type = "reservation-expired"

    def __init__(self, reservation: str, expires_at: str, **line: Any) -> None:
        left = ""
        if line:
            needed = f"{line['requested']} of {line['sku']} at {line['location']} needed"
            left = f": {needed}, {line['available']} available"
        super().__init__(
            f"reservation {reservation} expired at {expires_at}{left}",
            reservation=reservation,
            expires_at=expires_at,
            **line,
        )


class ReservationLimit(Problem):
    """A limit against hoarding. No Refusal: holds end, and the same request with the same key may pass then.

    ``limit``: which, as settings and items name them. ``whose``: the customer, the owner, the sku, the location that it
    is about. ``allowed``, ``held`` and ``requested`` in units, reservations or, for ``ttl_s``, seconds.
    """

    type = "reservation-limit"

    def __init__(self, limit: str, allowed: int, held: int, requested: int, **whose: str | None) -> None:
        of = " ".join(f"{name} {value or 'nobody'}" for name, value in whose.items())
        super().__init__(
            f"{limit} of {of}: {allowed} allowed, {held} held, {requested} more requested",
            limit=limit,
            allowed=allowed,
            held=held,
            requested=requested,
            **whose,
        )


class TransferState(Refusal):
    """Units of a transfer that are not in transit, or of which fewer are. ``asked``: receive, return or close. Of a
    line of which more were named than are in transit: its sku, and how many.
    """

    type = "transfer-state"

    def __init__(self, transfer: str, state: str, asked: str, reason: str, **line: Any) -> None:
        super().__init__(
            f"transfer {transfer} is {state}: {reason}",
            transfer=transfer,
            state=state,
            asked=asked,
            reason=reason,
            **line,
        )


class IdempotencyMismatch(Problem):
    type = "idempotency-mismatch"


class NotConfigured(Problem):
    type = "not-configured"

    def __init__(self, setting: str, detail: str) -> None:
        super().__init__(f"{detail}: {setting} is not set", setting=setting)


class IdempotencyInFlight(Later):
    type = "idempotency-in-flight"


class OutcomeUnknown(Later):
    type = "outcome-unknown"


_REFUSALS = (InsufficientStock, VersionConflict, BelowReserved, ReservationState, ReservationExpired, TransferState)
REFUSALS: dict[str, type[Refusal]] = {kind.type: kind for kind in _REFUSALS}


OF_BEFORE = {
    InsufficientStock.type: {"sku", "location", "available", "requested"},
    VersionConflict.type: {"expected_version", "level"},
    BelowReserved.type: {"sku", "location", "on_hand", "reserved"},
}
"""Refusals that ledgers of 0.1.0 read, with their numbers. Another one, met under a key that is used again there, would
end them."""

_FOR_THOSE = InsufficientStock("", "", 0, 0)
"""What they read instead. They tell it to nobody who repeats a request: that is another one to them."""


def refusal_as_stored(refusal: Refusal) -> dict[str, Any]:
    told = {"type": refusal.type, "numbers": refusal.numbers, "precondition": refusal.precondition}
    if refusal.numbers.keys() == OF_BEFORE.get(refusal.type):
        return told
    return {"type": _FOR_THOSE.type, "numbers": _FOR_THOSE.numbers, "precondition": False, "told": told}


def refusal_from_stored(stored: dict[str, Any]) -> Refusal:
    """The refusal as it was first answered, with the numbers of that moment."""
    stored = stored.get("told", stored)
    kind = REFUSALS[stored["type"]]
    if kind is VersionConflict:
        return VersionConflict(**stored["numbers"], precondition=stored["precondition"])
    return kind(**stored["numbers"])
