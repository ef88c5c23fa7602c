"""Requests for other hosts are turned away before anything else is looked at."""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from ledger.errors import Misdirected
from ledger.problems import Problems
from wire.hosts import HEALTH, is_allowed_host


class AllowedHosts:
    """Pure ASGI middleware. Starlette's own answers in plain text, and knows no ports."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str], problems: Problems) -> None:
        self._app = app
        self._hosts = hosts
        self._problems = problems

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        named = Headers(scope=scope).getlist("host")
        if is_allowed_host(named, self._hosts) or scope["path"] in HEALTH:
            await self._app(scope, receive, send)
        else:
            await self._problems.answer_to(Misdirected(", ".join(named)))(scope, receive, send)
