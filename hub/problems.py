"""Errors of the read port as problem documents (RFC 9457); ``wire.problems`` maps each type to status and title."""

import http
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hub.errors import Crowded, HubError, LedgerUnavailable, Refused, Unauthorized
from server.http.methods import allowed_methods
from wire.messages import encode
from wire.problems import PROBLEMS

RETRY_AFTER_S = 1
BLANK = "about:blank"
ANSWERED = (
    "invalid",
    "unauthorized",
    "forbidden",
    "not-found",
    "too-large",
    "unsupported-encoding",
    "misdirected",
    "rate-limited",
    "crowded",
    "overloaded",
    "unavailable",
)
PATH_SHOWN_MAX = 256  # a longer one says no more, and an answer should not grow with the request


class Problem(HubError):
    """``numbers`` stand beside type, title, status and detail. ``status``: if not the usual one of the type."""

    def __init__(self, type_: str, detail: str, status: int | None = None, **numbers: Any) -> None:
        super().__init__(detail)
        self.type = type_
        self.detail = detail
        self.status = status or PROBLEMS[type_][0]
        self.numbers = numbers


class Problems:
    """Answers every error as a problem document, and counts them by type."""

    def __init__(self) -> None:
        self.by_type = dict.fromkeys((*ANSWERED, BLANK), 0)

    def install(self, app: Starlette) -> None:
        app.add_exception_handler(HubError, self._hub_error)
        app.add_exception_handler(HTTPException, self._http_error)
        app.add_exception_handler(Exception, self._defect)

    async def _hub_error(self, _: Request, error: Exception) -> Response:
        assert isinstance(error, HubError)
        return self.answer(problem_of(error))

    def answer(self, problem: Problem) -> Response:
        """For what is refused before the app is reached, too."""
        self.by_type[problem.type] += 1
        headers = {}
        if problem.status == http.HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = "Bearer"
        if problem.type == "unsupported-encoding":
            headers["Accept-Encoding"] = "identity"
        if problem.status in (http.HTTPStatus.SERVICE_UNAVAILABLE, http.HTTPStatus.TOO_MANY_REQUESTS):
            headers["Retry-After"] = str(problem.numbers.get("retry_after_s", RETRY_AFTER_S))
        title = PROBLEMS[problem.type][1]
        content = {"type": problem.type, "title": title, "status": problem.status, "detail": problem.detail}
        return _document({**content, **problem.numbers}, problem.status, headers)

    def misdirected(self, host: str) -> Response:
        return self.answer(Problem("misdirected", "STOCKWIRE_ALLOWED_HOSTS does not name this host", host=host))

    async def _http_error(self, request: Request, error: Exception) -> Response:
        """What the router raises: no such path, or no such method on it."""
        assert isinstance(error, HTTPException)
        if error.status_code == http.HTTPStatus.NOT_FOUND:
            path = request.scope["path"][:PATH_SHOWN_MAX]
            return await self._hub_error(
                request, Problem("not-found", f"there is no path {path}", field="path", value=path)
            )
        self.by_type[BLANK] += 1
        return _document(_blank(error.status_code), error.status_code, {"Allow": allowed_methods(request)})

    async def _defect(self, _: Request, __: Exception) -> Response:
        """Starlette raises the error again behind this answer, so that it is logged."""
        self.by_type[BLANK] += 1
        return _document(_blank(500), 500, {})


def problem_of(error: HubError) -> Problem:
    """Scopes are checked before anything is subscribed to, so what is left is a hub that is full: ask again."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, Crowded):
        return Problem("crowded", str(error), retry_after_s=RETRY_AFTER_S, connections_max=error.connections_max)
    if isinstance(error, Unauthorized):
        return Problem("unauthorized", str(error))
    if isinstance(error, Refused) and error.field is not None:  # over a limit, whichever hub it goes to
        return Problem("invalid", error.message, field=error.field, reason=error.message)
    if isinstance(error, LedgerUnavailable):
        return Problem("unavailable", "the ledger cannot be reached", retry_after_s=RETRY_AFTER_S)
    return Problem("overloaded", str(error), retry_after_s=RETRY_AFTER_S)


def _blank(status: int) -> dict[str, Any]:
    return {"type": BLANK, "title": http.HTTPStatus(status).phrase, "status": status}


def _document(content: dict[str, Any], status: int, headers: dict[str, str]) -> Response:
    return Response(encode(content), status, headers, media_type="application/problem+json")
