"""What an HTTP answer means: a value, or the error of `stockwire.errors` that its problem type names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from stockwire import errors
from stockwire.level import LevelNumbers, Malformed, fields, integer, moment, optional_integer, optional_text, text

Problem = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """``headers``: names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def replayed(self) -> bool:
        """The stored answer of an earlier request with the same key."""
        return self.headers.get("idempotency-replayed", "").lower() == "true"


def read(answer: Answer) -> dict[str, Any]:
    """The JSON object of an answer that says yes. Raises the StockwireError of one that says no."""
    if answer.status >= 300:
        raise error_of(answer)
    document = _document(answer.body)
    if document is None:
        raise errors.UnexpectedAnswer(f"status {answer.status} without a JSON object: is this a ledger?", answer.status)
    return document


def error_of(answer: Answer) -> errors.StockwireError:
    return error_in(_document(answer.body) or {}, answer)


def error_in(problem: Problem, answer: Answer) -> errors.StockwireError:
    """The error that a problem document states: the whole answer, or one result among those of many operations."""
    make = _BY_TYPE.get(str(problem.get("type")))
    if make is None:
        return _by_status(answer, problem)
    try:
        error = make(problem)
    except Malformed as malformed:
        return errors.UnexpectedAnswer(f"a problem document that cannot be read: {malformed}", answer.status)
    if isinstance(error, errors.Later):
        error.retry_after_s = retry_after_s(answer, problem)
    return error


def retry_after_s(answer: Answer, problem: Problem) -> float | None:
    """Seconds. The header counts, then the document; dates, which need a clock, are not honoured."""
    for value in (answer.headers.get("retry-after"), problem.get("retry_after_s")):
        try:
            seconds = float(value) if value is not None else -1.0
        except (TypeError, ValueError):
            continue
        if 0 <= seconds < float("inf"):
            return seconds
    return None


def _document(body: bytes) -> dict[str, Any] | None:
    try:
        return fields(orjson.loads(body), "the answer")
    except (orjson.JSONDecodeError, Malformed):
        return None


def _by_status(answer: Answer, problem: Problem) -> errors.StockwireError:
    """A type of a later ledger, or something between us and it has answered (a proxy): the status alone says."""
    message = f"status {answer.status} without a known problem type"
    if answer.status == 429:
        return errors.RateLimited(message, retry_after_s(answer, problem))
    if answer.status in (502, 503, 504):
        # A gateway that gave up waiting does not know what the ledger did: never "nothing was written".
        return errors.OutcomeUnknown(message, retry_after_s(answer, problem))
    if answer.status == 401:
        return errors.Unauthorized(message)
    if answer.status == 403:
        return errors.Forbidden(message)
    if answer.status == 413:
        return errors.TooLarge(None)
    if problem.get("type") in (None, "about:blank"):  # not a ledger's: a wrong URL has a 404 too
        return errors.UnexpectedAnswer(message, answer.status)
    return _of_later_type(answer, problem)


def _of_later_type(answer: Answer, problem: Problem) -> errors.StockwireError:
    """docs/reference/compatibility.md promises what the status of a new type means."""
    if answer.status in (409, 412):
        return errors.Refused(_detail(problem))
    if answer.status == 404:
        return errors.NotFound(_detail(problem), problem.get("field"), problem.get("value"))
    if answer.status in (400, 422):
        return _invalid(problem)
    return errors.UnexpectedAnswer(_detail(problem), answer.status)


def _detail(problem: Problem) -> str:
    return str(problem.get("detail") or problem.get("title") or problem.get("type"))


def _invalid(problem: Problem) -> errors.StockwireError:
    return errors.Invalid(str(problem.get("field", "request")), str(problem.get("reason") or _detail(problem)))


def _out_of_stock(problem: Problem) -> errors.StockwireError:
    locations = fields(problem.get("locations", {}), "locations")
    return errors.OutOfStock(
        text(problem, "sku"),
        text(problem, "location"),
        integer(problem, "requested"),
        integer(problem, "available"),
        {location: integer(locations, location) for location in locations},
    )


def _version_conflict(problem: Problem) -> errors.StockwireError:
    level = LevelNumbers.parse(fields(problem.get("level"), "level"))
    return errors.VersionConflict(integer(problem, "expected_version"), level)


def _below_reserved(problem: Problem) -> errors.StockwireError:
    return errors.BelowReserved(
        text(problem, "sku"), text(problem, "location"), integer(problem, "on_hand"), integer(problem, "reserved")
    )


def _reservation_state(problem: Problem) -> errors.StockwireError:
    return errors.ReservationState(
        text(problem, "reservation"),
        text(problem, "state"),
        text(problem, "asked"),
        text(problem, "reason"),
        sku=optional_text(problem, "sku"),
        location=optional_text(problem, "location"),
        quantity=optional_integer(problem, "quantity"),
        possible=optional_integer(problem, "possible"),
    )


def _reservation_expired(problem: Problem) -> errors.StockwireError:
    return errors.ReservationExpired(
        text(problem, "reservation"),
        moment(problem, "expires_at"),
        sku=optional_text(problem, "sku"),
        location=optional_text(problem, "location"),
        available=optional_integer(problem, "available"),
        requested=optional_integer(problem, "requested"),
    )


def _transfer_state(problem: Problem) -> errors.StockwireError:
    return errors.TransferState(
        text(problem, "transfer"),
        text(problem, "state"),
        text(problem, "asked"),
        text(problem, "reason"),
        sku=optional_text(problem, "sku"),
        quantity=optional_integer(problem, "quantity"),
        possible=optional_integer(problem, "possible"),
    )


def _hold_limit(problem: Problem) -> errors.StockwireError:
    return errors.HoldLimit(
        _detail(problem),
        text(problem, "limit"),
        integer(problem, "allowed"),
        integer(problem, "held"),
        integer(problem, "requested"),
        customer=optional_text(problem, "customer"),
        owner=optional_text(problem, "owner"),
        sku=optional_text(problem, "sku"),
        location=optional_text(problem, "location"),
    )


_BY_TYPE: dict[str, Callable[[Problem], errors.StockwireError]] = {
    "invalid": _invalid,
    "unauthorized": lambda problem: errors.Unauthorized(_detail(problem)),
    "forbidden": lambda problem: errors.Forbidden(_detail(problem), problem.get("scope")),
    "not-found": lambda problem: errors.NotFound(_detail(problem), problem.get("field"), problem.get("value")),
    "insufficient-stock": _out_of_stock,
    "version-conflict": _version_conflict,
    "below-reserved": _below_reserved,
    "reservation-state": _reservation_state,
    "reservation-expired": _reservation_expired,
    "reservation-limit": _hold_limit,
    "transfer-state": _transfer_state,
    "idempotency-in-flight": lambda problem: errors.InFlight(_detail(problem)),
    "too-large": lambda problem: errors.TooLarge(problem.get("bytes_max")),
    "unsupported-encoding": lambda problem: errors.Invalid(str(problem.get("header", "body")), _detail(problem)),
    "idempotency-mismatch": lambda problem: errors.IdempotencyMismatch("Idempotency-Key", _detail(problem)),
    "rate-limited": lambda problem: errors.RateLimited(_detail(problem)),
    "crowded": lambda problem: errors.RateLimited(_detail(problem)),
    "misdirected": lambda problem: errors.ConfigurationError(_detail(problem)),
    "not-configured": lambda problem: errors.ConfigurationError(_detail(problem)),
    "overloaded": lambda problem: errors.Overloaded(_detail(problem)),
    "outcome-unknown": lambda problem: errors.OutcomeUnknown(_detail(problem)),
    "unavailable": lambda problem: errors.Unavailable(_detail(problem)),
}

PROBLEM_TYPES = frozenset(_BY_TYPE)
