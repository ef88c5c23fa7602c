"""Every problem type becomes its typed error, with its numbers; what is no problem document becomes one too."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from stockwire import call, errors
from stockwire.answer import PROBLEM_TYPES, Answer, error_of, read
from wire.problems import PROBLEMS

LEVEL = {
    "sku": "A",
    "location": "berlin",
    "version": 7,
    "on_hand": 10,
    "reserved": 2,
    "available": 8,
}


def answer(status: int, document: Any = None, **headers: str) -> Answer:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, names, document if isinstance(document, bytes) else orjson.dumps(document))


def problem(type_: str, **numbers: Any) -> errors.StockwireError:
    status, title = PROBLEMS[type_]
    return error_of(answer(status, {"type": type_, "title": title, "status": status, "detail": "why", **numbers}))


def test_every_problem_type_of_the_contract_has_an_error() -> None:
    assert frozenset(PROBLEMS) == PROBLEM_TYPES


def test_refusals_carry_their_numbers() -> None:
    error = problem("insufficient-stock", sku="A", location="berlin", requested=3, available=1)
    assert isinstance(error, errors.OutOfStock)
    assert (error.sku, error.location, error.requested, error.available) == ("A", "berlin", 3, 1)
    error = problem("version-conflict", expected_version=6, level=LEVEL)
    assert isinstance(error, errors.VersionConflict)
    assert (error.expected_version, error.current.version, error.current.available) == (6, 7, 8)
    error = problem("below-reserved", sku="A", location="berlin", on_hand=1, reserved=2)
    assert isinstance(error, errors.BelowReserved)
    assert (error.on_hand, error.reserved) == (1, 2)


def test_units_that_several_locations_could_have_given_are_told_for_each() -> None:
    error = problem("insufficient-stock", sku="A", location="b", requested=3, available=2, locations={"b": 2, "h": 0})
    assert isinstance(error, errors.OutOfStock)
    assert (error.available, error.locations, str(error)) == (
        *(2, {"b": 2, "h": 0}),
        "3 of A at b or h requested, 2 available",
    )
    unread = problem("insufficient-stock", sku="A", location="b", requested=3, available=2, locations={"b": "many"})
    assert isinstance(unread, errors.UnexpectedAnswer)


def test_what_is_refused_of_a_reservation_carries_its_numbers() -> None:
    line = {"sku": "A", "location": "b"}
    error = problem("reservation-state", reservation="r", state="cancelled", asked="commit", reason="gone")
    assert isinstance(error, errors.ReservationState)
    assert (error.reservation, error.state, error.asked, error.reason, error.sku) == (
        *("r", "cancelled", "commit", "gone"),
        None,
    )
    error = problem(
        "reservation-state",
        reservation="r",
        state="paused",
        asked="fulfil",
        reason="no",
        **line,
        quantity=3,
        possible=2,
    )
    assert isinstance(error, errors.ReservationState)
    assert (error.state, error.sku, error.location, error.quantity, error.possible) == ("paused", "A", "b", 3, 2)
    expired = {"reservation": "r", "expires_at": "2026-11-22T10:00:00.123456Z"}
    error = problem("reservation-expired", **expired)
    assert isinstance(error, errors.ReservationExpired)
    assert (error.reservation, error.expires_at, error.available) == (
        *("r", datetime(2026, 11, 22, 10, 0, 0, 123456, tzinfo=UTC)),
        None,
    )
    error = problem("reservation-expired", **expired, **line, available=1, requested=2)
    assert isinstance(error, errors.ReservationExpired)
    assert (error.sku, error.location, error.available, error.requested) == ("A", "b", 1, 2)


def test_what_is_refused_of_a_transfer_carries_its_numbers() -> None:
    numbers = {"transfer": "t", "state": "in_transit", "asked": "receive", "reason": "fewer"}
    error = problem("transfer-state", **numbers, sku="A", quantity=3, possible=2)
    assert isinstance(error, errors.TransferState)
    assert (error.transfer, error.state, error.asked, error.sku, error.quantity, error.possible) == (
        *("t", "in_transit", "receive"),
        *("A", 3, 2),
    )


def test_a_limit_against_hoarding_says_which_and_of_whom() -> None:
    error = problem("reservation-limit", limit="units_per_customer", allowed=4, held=3, requested=2, customer="c-1")
    assert isinstance(error, errors.HoldLimit)
    assert (error.limit, error.allowed, error.held, error.requested, error.customer, error.owner, error.sku) == (
        *("units_per_customer", 4, 3, 2, "c-1"),
        *(None, None),
    )


def test_what_is_wrong_with_the_request_is_named() -> None:
    error = problem("invalid", field="lines[0].quantity", reason="must not be 0")
    assert isinstance(error, errors.Invalid)
    assert (error.field, error.reason) == ("lines[0].quantity", "must not be 0")
    error = problem("forbidden", scope="stock:write:berlin")
    assert isinstance(error, errors.Forbidden)
    assert error.scope == "stock:write:berlin"
    error = problem("not-found", field="sku", value="Z")
    assert isinstance(error, errors.NotFound)
    assert (error.field, error.value) == ("sku", "Z")
    error = problem("too-large", bytes_max=262144)
    assert isinstance(error, errors.TooLarge)
    assert error.bytes_max == 262144
    assert isinstance(problem("idempotency-mismatch"), errors.IdempotencyMismatch)


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        ("rate-limited", errors.RateLimited),
        ("overloaded", errors.Overloaded),
        ("unavailable", errors.Unavailable),
        ("outcome-unknown", errors.OutcomeUnknown),
        ("idempotency-in-flight", errors.InFlight),
    ],
)
def test_what_may_be_sent_again_says_when(type_: str, kind: type[errors.Later]) -> None:
    document = {"type": type_, "retry_after_s": 9}
    error = error_of(answer(503, document, retry_after="2"))
    assert type(error) is kind
    assert isinstance(error, errors.Later)
    assert error.retry_after_s == 2
    from_document = error_of(answer(503, document, retry_after="Wed, 21 Oct 2026 07:28:00 GMT"))
    assert isinstance(from_document, errors.Later)
    assert from_document.retry_after_s == 9


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (502, errors.OutcomeUnknown),
        (503, errors.OutcomeUnknown),
        (504, errors.OutcomeUnknown),
        (429, errors.RateLimited),
        (401, errors.Unauthorized),
        (403, errors.Forbidden),
        (413, errors.TooLarge),
        (500, errors.UnexpectedAnswer),
        (302, errors.UnexpectedAnswer),
        (418, errors.UnexpectedAnswer),
    ],
)
def test_a_proxys_page_is_read_by_its_status(status: int, kind: type[errors.StockwireError]) -> None:
    assert type(error_of(answer(status, b"<html>"))) is kind


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"<html>"])
def test_a_yes_that_is_no_object_is_not_believed(body: bytes) -> None:
    with pytest.raises(errors.UnexpectedAnswer):
        read(answer(200, body))


def test_a_problem_without_its_numbers_is_not_half_believed() -> None:
    assert type(problem("insufficient-stock", sku="A")) is errors.UnexpectedAnswer
    assert type(problem("version-conflict", expected_version=1)) is errors.UnexpectedAnswer


@pytest.mark.parametrize("price", ["cheap", "", "NaN", "Infinity", [2]])
def test_a_price_that_is_no_number_is_an_unexpected_answer(price: Any) -> None:
    document = {"sku": "A", "name": "Apple", "price": price}
    with pytest.raises(errors.UnexpectedAnswer, match="price is"):
        call.item("A").read(document, answer(200, document))
