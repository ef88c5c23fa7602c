"""Errors as problem documents (RFC 9457): ``wire.problems`` is the one table from type to status and title."""

import http
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ledger.errors import Invalid, Later, LedgerError, NotFound, Refusal, Unauthorized, UnsupportedEncoding
from ledger.responses import REPLAYED, Problem
from server.http.methods import allowed_methods
from wire.problems import PROBLEMS

BLANK = "about:blank"
"""RFC 9457, 4.2.1: the type of a problem that says no more than its status."""


class Problems:
    """Answers every error as a problem document and counts them by type."""

    def __init__(self) -> None:
        self.by_type = dict.fromkeys((*PROBLEMS, BLANK), 0)

    def install(self, app: Starlette) -> None:
        app.add_exception_handler(LedgerError, self._ledger_error)
        app.add_exception_handler(HTTPException, self._http_error)
        app.add_exception_handler(ClientDisconnect, self._hung_up)
        app.add_exception_handler(Exception, self._defect)

    def answer_to(self, error: LedgerError) -> Problem:
        self.by_type[error.type] += 1
        return problem_of(error)

    async def _ledger_error(self, _request: Request, error: Exception) -> Problem:
        assert isinstance(error, LedgerError)
        return self.answer_to(error)

    async def _http_error(self, request: Request, error: Exception) -> Problem:
        """What Starlette's router raises: no such path, or no such method on it."""
        assert isinstance(error, HTTPException)
        if error.status_code == http.HTTPStatus.NOT_FOUND:
            return await self._ledger_error(request, NotFound("path", request.scope["path"][:256]))
        self.by_type[BLANK] += 1
        return blank_problem(error.status_code, {"Allow": allowed_methods(request)})

    async def _hung_up(self, _request: Request, _error: Exception) -> Response:
        """In the middle of a body: nobody reads the answer."""
        return blank_problem(http.HTTPStatus.BAD_REQUEST)

    async def _defect(self, _request: Request, _error: Exception) -> Problem:
        """Starlette raises the error again behind this answer, so that the server logs it."""
        self.by_type[BLANK] += 1
        return blank_problem(500)


def problem_of(error: LedgerError) -> Problem:
    content = content_of(error)
    return Problem(content, content["status"], headers_of(error))


def content_of(error: LedgerError) -> dict[str, Any]:
    title, status = PROBLEMS[error.type][1], status_of(error)
    return {"type": error.type, "title": title, "status": status, "detail": error.detail, **error.numbers}


def status_of(error: LedgerError) -> int:
    if isinstance(error, Invalid | UnsupportedEncoding):
        return error.status
    if isinstance(error, Refusal) and error.precondition:
        return http.HTTPStatus.PRECONDITION_FAILED
    return PROBLEMS[error.type][0]


def headers_of(error: LedgerError) -> dict[str, str]:
    if isinstance(error, Later):
        return {"Retry-After": str(error.retry_after_s)}
    if isinstance(error, Unauthorized):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, UnsupportedEncoding):
        return {"Accept-Encoding": "identity"}
    if isinstance(error, Refusal) and error.replayed:
        return REPLAYED
    return {}


def blank_problem(status: int, headers: dict[str, str] | None = None) -> Problem:
    return Problem({"type": BLANK, "title": http.HTTPStatus(status).phrase, "status": status}, status, headers)
