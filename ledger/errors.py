"""What a ledger refuses beside what every process does (``server.problems``). Every error carries its numbers.

Problem
├── Refusal                 decided on a level, stored under its key
│   ├── InsufficientStock   sku, location, available, requested
│   ├── VersionConflict     expected_version, level
│   └── BelowReserved       sku, location, on_hand, reserved
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


REFUSALS: dict[str, type[Refusal]] = {kind.type: kind for kind in (InsufficientStock, VersionConflict, BelowReserved)}


def refusal_as_stored(refusal: Refusal) -> dict[str, Any]:
    return {"type": refusal.type, "numbers": refusal.numbers, "precondition": refusal.precondition}


def refusal_from_stored(stored: dict[str, Any]) -> Refusal:
    """The refusal as it was first answered, with the numbers of that moment."""
    kind = REFUSALS[stored["type"]]
    if kind is VersionConflict:
        return VersionConflict(**stored["numbers"], precondition=stored["precondition"])
    return kind(**stored["numbers"])
