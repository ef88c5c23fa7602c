"""A ledger may be newer than this client: answers with more in them say the same, a new problem type its status."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from stockwire import call, errors, reservation_call
from stockwire.answer import Answer, error_of
from stockwire.availability import Availability
from stockwire.catalogue import Item, Location, PutResult
from stockwire.level import Level, LevelNumbers
from stockwire.operation import Line, Operation, OperationResult, sale
from stockwire.reservation import Reservation, held

NUMBERS = {"sku": "A", "location": "berlin", "version": 7, "on_hand": 10, "reserved": 2, "available": 8}
LAST = {"kind": "sale", "committed_at": "2026-11-22T10:00:00.123456Z", "shard": 0, "seq": 124}
LEVEL = {**NUMBERS, **LAST}
CHANGE = {"on_hand_delta": -1, "reserved_delta": 0, "operation": "3f25", "actor": "till"}
EVENT = {**LEVEL, **CHANGE, "reason": None, "reference": None, "occurred_at": None}
LINE = {"sku": "A", "location": "berlin", "quantity": -1, "kind": "sale"}
VIEW = {"sku": "A", "location": "berlin", "version": 3, "availability": "low", "quantity": "1+"}
HELD = {"quantity": 5, "pending": 1, "committed": 0, "fulfilled": 1, "cancelled": 0, "expired": 1}
HOLD = {
    **{"id": "5f0a", "state": "packed", "owner": "shop", "customer": None, "reference": None, "version": 2},
    **{"created_at": LAST["committed_at"], "expires_at": None},
    "lines": [{"sku": "A", "location": "berlin", **HELD}],
}
"""In a state that is not known here, as two of its units are."""
DONE = {"key": "k", "status": 201, "operation": "3f25", "replayed": False, "lines": [LINE]}
ANSWER = Answer(200, {}, b"")


def later(value: Any) -> Any:
    """With a field more in each object."""
    if isinstance(value, dict):
        return {**{name: later(field) for name, field in value.items()}, "lot": {"number": [7]}}
    return [later(one) for one in value] if isinstance(value, list) else value


def read(asked: call.Call[Any]) -> Callable[[Any], Any]:
    return lambda document: asked.read(document, ANSWER)


@pytest.mark.parametrize(
    ("parse", "document"),
    [
        (Level.parse, LEVEL),
        (LevelNumbers.parse, NUMBERS),
        (Availability.parse, VIEW),
        (Item.parse, {"sku": "A", "name": "Apple", "price": "2.55", "currency": "EUR", "hold_limits": {"ttl_s": 9}}),
        (Location.parse, {"location": "berlin", "name": "Berlin"}),
        (PutResult.parse, {"created": ["A"], "updated": [], "unchanged": 2}),
        (Line.parse, LINE),
        (
            lambda document: OperationResult.parse(document, key="k", replayed=False),
            {"operation": "3f25", "events": [EVENT], "levels": [LEVEL]},
        ),
        (Reservation.parse, HOLD),
        (
            read(reservation_call.reserve([held("A", "berlin")], 60, None, None, "k")),
            {"reservation": HOLD, "operation": "5f0a", "events": [EVENT], "levels": [LEVEL]},
        ),
        (read(reservation_call.reservations(reservation_call.Asked()).page()), {"reservations": [HOLD], "next": None}),
        (read(call.level("A", "berlin")), LEVEL),
        (read(call.levels("berlin").page()), {"levels": [LEVEL], "next": None, "epoch": "e"}),
        (read(next(iter(call.operations([Operation("k", [sale("A", "berlin")])])))), {"results": [DONE]}),
        (read(next(iter(call.outcomes(["k"])))), {"operations": [DONE]}),
    ],
)
def test_a_field_more_changes_nothing(parse: Callable[[Any], Any], document: Any) -> None:
    known, with_more = parse(document), parse(later(document))
    if isinstance(known, tuple):  # of a page: what is left behind it compares by its functions
        known, with_more = known[0], with_more[0]
    assert with_more == known


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.Invalid),
        (401, errors.Unauthorized),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (409, errors.Refused),
        (412, errors.Refused),
        (413, errors.TooLarge),
        (422, errors.Invalid),
        (429, errors.RateLimited),
        (501, errors.UnexpectedAnswer),
        (503, errors.OutcomeUnknown),
    ],
)
def test_a_problem_type_of_a_later_ledger_means_what_its_status_says(status: int, kind: type[Exception]) -> None:
    document = {"type": "lot-expired", "status": status, "detail": "lot 7 of A has ended"}
    error = error_of(Answer(status, {}, orjson.dumps(document)))
    assert type(error) is kind
    if status not in (401, 403, 413, 429, 503):
        assert "lot 7 of A has ended" in str(error)


def test_one_of_many_operations_is_refused_by_a_later_ledger_in_its_own_words() -> None:
    (asked,) = call.operations([Operation("k", [sale("A", "berlin")])])
    refused = {"key": "k", "status": 409, "replayed": True, "type": "lot-expired", "detail": "lot 7 of A has ended"}
    (outcome,) = asked.read({"results": [refused]}, ANSWER)
    assert type(outcome.error) is errors.Refused
    assert str(outcome.error) == "lot 7 of A has ended"
    assert outcome.error.key == "k"


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"type": "about:blank", "status": 404}'])
@pytest.mark.parametrize("status", [404, 409, 422])
def test_what_is_no_ledgers_answer_is_not_taken_for_one(status: int, body: bytes) -> None:
    assert type(error_of(Answer(status, {}, body))) is errors.UnexpectedAnswer
