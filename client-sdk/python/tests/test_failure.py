"""What the command says of each error: nothing is lost that a person or a script needs."""

import json
from datetime import UTC, datetime

import orjson
import pytest

from stockwire import errors
from stockwire.cli.failure import fields_of, line_of, status_of
from stockwire.level import LevelNumbers

CURRENT = LevelNumbers("A", "berlin", 9, 5, 1, 4)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.OutOfStock("A", "berlin", 3, 1), 3),
        (errors.VersionConflict(7, CURRENT), 3),
        (errors.BelowReserved("A", "berlin", 1, 2), 3),
        (errors.Unavailable("nobody there"), 75),
        (errors.OutcomeUnknown("lost"), 75),
        (errors.RateLimited("too many", 1.5), 75),
        (errors.ConfigurationError("no URL"), 78),
        (errors.NotFound("no such sku", "sku", "A"), 1),
        (errors.Invalid("sku", "is no name"), 1),
        (errors.Unauthorized("no key"), 1),
    ],
)
def test_a_script_can_tell_never_from_later_from_not_enough(error: errors.StockwireError, status: int) -> None:
    assert status_of(error) == status


def test_the_numbers_of_a_refusal_are_there_for_a_script() -> None:
    error = errors.OutOfStock("A", "berlin", 3, 1)
    error.key = "order-4711"
    assert fields_of(error) == {
        "error": "out-of-stock",
        "message": "3 of A at berlin requested, 1 available",
        "sku": "A",
        "location": "berlin",
        "requested": 3,
        "available": 1,
        "locations": {},
        "idempotency_key": "order-4711",
    }


def test_the_level_that_a_conflict_was_decided_on_is_json() -> None:
    fields = orjson.loads(orjson.dumps(fields_of(errors.VersionConflict(7, CURRENT))))
    assert (fields["error"], fields["expected_version"], fields["current"]["version"]) == ("version-conflict", 7, 9)


def test_when_a_reservation_was_over_is_json() -> None:
    error = errors.ReservationExpired("r", datetime(2026, 11, 22, 10, tzinfo=UTC), "A", "berlin", 1, 2)
    fields = json.loads(json.dumps(fields_of(error)))
    assert (fields["error"], fields["expires_at"]) == ("reservation-expired", "2026-11-22T10:00:00.000000Z")
    assert (fields["available"], fields["requested"]) == (1, 2)


def test_an_unknown_outcome_names_the_key_that_finds_it_out() -> None:
    error = errors.OutcomeUnknown("the ledger\ndid not answer")
    error.key = "order-4711"
    assert line_of(error) == "the ledger did not answer: the same again with --idempotency-key order-4711 finds out"
