"""Requests for other hosts are turned away before anything else is looked at."""

from collections.abc import Callable, Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from wire.hosts import HEALTH, is_allowed_host

HOST_SHOWN_MAX = 256


class AllowedHosts:
    """Pure ASGI middleware. Starlette's own answers in plain text, and knows no ports.

    ``answer``: to a request for this host, which is none of ``hosts``.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str], answer: Callable[[str], ASGIApp]) -> None:
        self._app = app
        self._hosts = hosts
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        named = Headers(scope=scope).getlist("host")
        if is_allowed_host(named, self._hosts) or scope["path"] in HEALTH:
            await self._app(scope, receive, send)
        else:
            await self._answer(", ".join(named)[:HOST_SHOWN_MAX])(scope, receive, send)
