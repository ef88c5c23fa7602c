"""Problems as HTTP answers (RFC 9457), counted by type."""

import http
from collections.abc import Iterable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from server.http.json import Json
from server.http.methods import allowed_methods
from server.problems import NotFound, Problem
from wire.problems import PROBLEMS

BLANK = "about:blank"
"""RFC 9457, 4.2.1: the type of a problem that says no more than its status."""
PATH_SHOWN_MAX = 256
"""A longer path says no more, and an answer should not grow with the request."""


class ProblemAnswer(Json):
    media_type = "application/problem+json"


class Problems:
    """Answers every error as a problem document. ``by_type``: counts of ``types``, which are all that it may answer."""

    def __init__(self, types: Iterable[str] = PROBLEMS) -> None:
        self.by_type = dict.fromkeys((*types, BLANK), 0)

    def install(self, app: Starlette) -> None:
        app.add_exception_handler(Problem, self._problem)
        app.add_exception_handler(HTTPException, self._http_error)
        app.add_exception_handler(ClientDisconnect, self._hung_up)
        app.add_exception_handler(Exception, self.of_defect)

    def answer_to(self, problem: Problem) -> Response:
        """For what is refused before the app is reached, too."""
        self.by_type[problem.type] += 1
        return ProblemAnswer(problem.document(), problem.status, problem.headers)

    async def _problem(self, _request: Request, problem: Exception) -> Response:
        assert isinstance(problem, Problem)
        return self.answer_to(problem)

    async def _http_error(self, request: Request, error: Exception) -> Response:
        """What Starlette's router raises: no such path, or no such method on it."""
        assert isinstance(error, HTTPException)
        if error.status_code == http.HTTPStatus.NOT_FOUND:
            return self.answer_to(NotFound("path", request.scope["path"][:PATH_SHOWN_MAX]))
        self.by_type[BLANK] += 1
        return _blank(error.status_code, {"Allow": allowed_methods(request)})

    async def _hung_up(self, _request: Request, _error: Exception) -> Response:
        """In the middle of a body: nobody reads the answer."""
        return _blank(http.HTTPStatus.BAD_REQUEST)

    async def of_defect(self, _request: Request, _error: Exception) -> Response:
        """For Starlette, which raises the error again behind this answer, so that the server logs it.

        By itself it answers outside of all middleware, without the headers that pages of other origins need.
        """
        return self.defect()

    def defect(self) -> Response:
        """For a fault of our own, which says nothing of itself to the outside. Whoever met it logs it."""
        self.by_type[BLANK] += 1
        return _blank(http.HTTPStatus.INTERNAL_SERVER_ERROR)


def _blank(status: int, headers: dict[str, str] | None = None) -> Response:
    content: dict[str, Any] = {"type": BLANK, "title": http.HTTPStatus(status).phrase, "status": int(status)}
    return ProblemAnswer(content, status, headers)
