"""One try of a request through locust's HTTP client, told to its statistics."""

from typing import Any
from urllib.parse import urlencode

from stockwire.answer import Answer, error_of
from stockwire.errors import OutcomeUnknown, OutOfStock, ReservationExpired, Unavailable, VersionConflict
from stockwire.request import Request

ROWS = {OutOfStock: "out of stock", VersionConflict: "version conflict", ReservationExpired: "too late"}
"""Refusals that belong to a launch: good answers, each in a row of its own."""


def send(client: Any, key: str | None, name: str, asked: Request) -> Answer:
    """``client``: of a FastHttpUser. ``name``: the row. Raises Unavailable if it never left, else OutcomeUnknown."""
    headers = asked.headers() if key is None else {**asked.headers(), "Authorization": f"Bearer {key}"}
    path = f"{asked.path}?{urlencode(asked.query)}" if asked.query else asked.path
    with client.request(
        asked.method, path, name=name, data=asked.body, headers=headers, catch_response=True, allow_redirects=False
    ) as response:
        if not response.status_code:
            never_sent = isinstance(response.error, ConnectionRefusedError)
            failure = (Unavailable if never_sent else OutcomeUnknown)(f"no answer: {response.error!r}")
            response.failure(failure)
            raise failure
        headers = {name.lower(): value for name, value in response.headers.items()}
        answer = Answer(response.status_code, headers, response.content or b"")
        _tell(response, name, answer)
    return answer


def _tell(response: Any, name: str, answer: Answer) -> None:
    error = None if answer.status < 300 else error_of(answer)
    if error is None:
        response.success()
    elif type(error) in ROWS:
        response.request_meta["name"] = f"{name}: {ROWS[type(error)]}"
        response.success()
    else:
        response.failure(f"{answer.status} {type(error).__name__}: {error}")
