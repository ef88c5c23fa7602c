"""How long requests took until their answer began, by route and outcome."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.histogram import Exemplar, Histogram
from server.http.route_templates import NO_ROUTE, RouteTemplates, Template
from server.tracing.tracing import CURRENT, exemplar_of

OUTCOMES = ("ok", "refused", "rejected", "limited", "failed")
LABELS = ("method", "route", "outcome")
NO_ANSWER = 500


class RequestTimes:
    """Since the process started. A route is there from its first request on, with all outcomes."""

    def __init__(self) -> None:
        self._by_route = {NO_ROUTE: _by_outcome()}

    def took(self, route: Template, status: int, seconds: float, exemplar: Exemplar | None = None) -> None:
        """``route``: as ``RouteTemplates`` tells it."""
        by_outcome = self._by_route.get(route)
        if by_outcome is None:
            by_outcome = self._by_route[route] = _by_outcome()
        by_outcome[_place(status)].observe(seconds, exemplar)

    def histograms(self) -> dict[tuple[str, ...], Histogram]:
        """By ``LABELS``."""
        return {
            (*route, outcome): histogram
            for route, by_outcome in self._by_route.items()
            for outcome, histogram in zip(OUTCOMES, by_outcome, strict=True)
        }


class Timed:
    """Pure ASGI middleware, in front of all others: what they refuse counts too."""

    def __init__(self, app: ASGIApp, times: RequestTimes, templates: RouteTemplates) -> None:
        self._app = app
        self._times = times
        self._templates = templates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.monotonic()
        answered = False

        def took(status: int) -> None:
            route = self._templates.of(scope["method"], scope["path"])
            span = CURRENT.get()
            exemplar = None if span is None else exemplar_of(span.trace)
            self._times.took(route, status, time.monotonic() - began, exemplar)

        async def noted(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                took(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            if not answered:
                took(NO_ANSWER)


def _by_outcome() -> tuple[Histogram, ...]:
    return tuple(Histogram() for _ in OUTCOMES)


def _place(status: int) -> int:
    """Of its outcome. A refusal (409, 422) is as true an answer as a success; 429 is about the caller's quota."""
    if status < 400:
        return 0
    if status in (409, 422):
        return 1
    if status == 429:
        return 3
    return 2 if status < 500 else 4
