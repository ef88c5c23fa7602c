"""Requests for other hosts are turned away from the read port before anything else is looked at."""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.problems import Problem, Problems
from wire.hosts import is_allowed_host

HOST_SHOWN_MAX = 256


class AllowedHosts:
    """Pure ASGI middleware. Starlette's own answers in plain text, and knows no ports."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str], problems: Problems) -> None:
        self._app = app
        self._hosts = hosts
        self._problems = problems

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        named = Headers(scope=scope).getlist("host")
        if is_allowed_host(named, self._hosts):
            await self._app(scope, receive, send)
        else:
            host = ", ".join(named)[:HOST_SHOWN_MAX]
            problem = Problem("misdirected", "STOCKWIRE_ALLOWED_HOSTS does not name this host", host=host)
            await self._problems.answer(problem)(scope, receive, send)
