"""What becomes of a command, by what the ledger answers. Pure. The table stands in docs/reference/streams.md."""

from http import HTTPStatus
from typing import Any, NamedTuple

import orjson

from followers.intake.command import UUID

DELIVERIES_MAX = 5
"""Times that a command may be delivered and not come to an end: whatever it is that it does to this process."""
DEFECTS_MAX = 5
"""Times that a ledger may answer 500 to one command before it is laid aside."""
LATER_S, LATER_S_MAX = 1.0, 60.0
"""Where the ledger does not say when, and however long it says."""
STOPPED_S = 30.0
"""Until it is seen whether somebody has mended what stopped everything."""
IN_FLIGHT = "idempotency-in-flight"
WAIT = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
"""Of a ledger, or of a proxy before one that is away."""
_STATUSES = frozenset(map(int, HTTPStatus))
Problem = dict[str, Any]
"""A problem document (RFC 9457)."""


class Answer(NamedTuple):
    """It was decided: done, or refused for good."""

    status: int
    body: bytes


class Dead(NamedTuple):
    """It can never be done as it is."""

    problem: Problem


class Later(NamedTuple):
    """The same once more. ``all_wait``: until then nothing else either. ``defect``: not for ever."""

    after_s: float
    reason: str
    all_wait: bool = True
    defect: bool = False


class Stop(NamedTuple):
    """Nothing can be done until somebody mends what is set up."""

    reason: str


Verdict = Answer | Dead | Later | Stop


def judge(status: int, body: bytes, retry_after_s: float | None, about: str | None = None) -> Verdict:
    """``about``: what an answer tells of beside levels, if it was done: a reservation or a transfer."""
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return Stop(_refused(status, _document(status, _object(body))))
    if status == HTTPStatus.MISDIRECTED_REQUEST or 300 <= status < 400:
        return Stop(f"the ledger answers {status}: see that STOCKWIRE_URL names it as STOCKWIRE_ALLOWED_HOSTS does")
    found = _object(body)
    if 200 <= status < 300:
        if _is_done(found, about):
            return Answer(status, body)
        return _no_ledger(status, "without the operation that was done, its events and levels")
    problem = _document(status, found)
    wait_s = LATER_S if retry_after_s is None else min(max(retry_after_s, 0.0), LATER_S_MAX)
    if status in WAIT:
        return Later(wait_s, f"the ledger answers {status}, {problem['type']}")
    if status >= 500:
        return Later(LATER_S, f"the ledger answers {status}", all_wait=False, defect=True)
    if not _is_ours(problem) and status != HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return _no_ledger(status, "without a problem document of a ledger")
    if status == HTTPStatus.CONFLICT:
        in_flight = problem["type"] == IN_FLIGHT
        return Later(wait_s, f"the ledger answers {IN_FLIGHT}", all_wait=False) if in_flight else Answer(status, body)
    return Dead(problem)


def unreadable(field: str, reason: str) -> Dead:
    """As the ledger would say it (docs/reference/problems.md)."""
    return Dead(
        {
            "type": "invalid",
            "title": "The command cannot be read",
            "status": 400,
            "detail": f"{field}: {reason}",
            "field": field,
            "reason": reason,
        }
    )


def delivered_too_often(deliveries: int) -> Dead:
    return Dead(
        {
            "type": "about:blank",
            "title": "The command was delivered too often",
            "status": 500,
            "detail": f"{deliveries - 1} times it was begun, and each time the intake ended before it",
            "deliveries": deliveries,
        }
    )


def defective(verdict: Later) -> Dead:
    return Dead(
        {
            "type": "about:blank",
            "title": "The ledger has a defect",
            "status": 500,
            "detail": f"{DEFECTS_MAX} times {verdict.reason}",
        }
    )


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _document(status: int, found: dict[str, Any] | None) -> Problem:
    title = HTTPStatus(status).phrase if status in _STATUSES else "Unknown"
    return {"type": "about:blank", "title": title, "status": status, **(found or {})}


def _is_done(found: dict[str, Any] | None, about: str | None) -> bool:
    """Whether it has what every answer of a ledger has that did something (docs/reference/http.md). What stands before
    it may answer 200 and JSON to anything, and the command would be taken for done."""
    if found is None or not isinstance(operation := found.get("operation"), str) or not UUID.fullmatch(operation):
        return False
    thing = {"id": operation, "lines": []} if about is None else found.get(about)
    return (
        isinstance(found.get("events"), list)
        and isinstance(found.get("levels"), list)
        and isinstance(thing, dict)
        and isinstance(thing.get("id"), str)
        and isinstance(thing.get("lines"), list)
    )


def _is_ours(problem: Problem) -> bool:
    """A ledger's types are words, also those that it learns later; elsewhere they are addresses, or ``about:blank``."""
    type_ = problem["type"]
    return isinstance(type_, str) and ":" not in type_


def _no_ledger(status: int, what: str) -> Stop:
    return Stop(f"{status} is answered {what}: see that STOCKWIRE_URL names a ledger, and what stands before it")


def _refused(status: int, problem: Problem) -> str:
    scope = problem.get("scope")
    lacks = f", it lacks the scope {scope}" if isinstance(scope, str) else ""
    return (
        f"the ledger answers {status} to the key of STOCKWIRE_INTAKE_KEY{lacks}: "
        "make one with `stockwire key create intake --scope 'stock:write:*'`"
    )
